//! One metric of one set of dimensions: statistics for each minute, and since the start.

use std::collections::VecDeque;

use super::sketch::Sketch;

/// How many minutes with data are kept: a day of them. The oldest go first.
const MINUTES_MAX: usize = 1_440;

/// What is known about the values of one stretch of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stats {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    sketch: Sketch,
}

impl Stats {
    /// One value, that many times.
    pub(crate) fn put(&mut self, value: f64, times: f64) {
        self.extremes(value, value);
        self.count += times;
        self.sum += value * times;
        self.sketch.put(value, times);
    }

    /// Values of which only these statistics are known: percentiles see their mean.
    pub(crate) fn put_set(&mut self, count: f64, sum: f64, min: f64, max: f64) {
        self.extremes(min, max);
        self.count += count;
        self.sum += sum;
        self.sketch.put(sum / count, count);
    }

    /// Adds what the other knows.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.count > 0.0 {
            self.extremes(other.min, other.max);
            self.count += other.count;
            self.sum += other.sum;
            self.sketch.merge(&other.sketch);
        }
    }

    fn extremes(&mut self, min: f64, max: f64) {
        if self.count > 0.0 {
            self.min = self.min.min(min);
            self.max = self.max.max(max);
        } else {
            (self.min, self.max) = (min, max);
        }
    }

    pub(crate) const fn count(&self) -> f64 {
        self.count
    }

    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }

    pub(crate) const fn min(&self) -> f64 {
        self.min
    }

    pub(crate) const fn max(&self) -> f64 {
        self.max
    }

    pub(crate) fn average(&self) -> f64 {
        self.sum / self.count
    }

    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        self.sketch.percentile(percent)
    }

    /// How many data points, as a whole number.
    pub(super) fn points(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count is not negative, and `as` saturates"
        )]
        let points = self.count as u64;
        points
    }
}

/// The minutes of one metric, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    minutes: VecDeque<(i64, Stats)>,
    total: Stats,
}

impl Timeline {
    /// One value in that minute since the Unix epoch.
    pub(crate) fn put(&mut self, minute: i64, value: f64) {
        self.change(minute, |stats| stats.put(value, 1.0));
    }

    /// Changes a minute's statistics, and those since the start.
    pub(crate) fn change(&mut self, minute: i64, change: impl Fn(&mut Stats)) {
        change(&mut self.total);
        if let Some(stats) = self.minute(minute) {
            change(stats);
        }
    }

    /// The statistics of that minute; none when it is older than everything that is kept.
    fn minute(&mut self, minute: i64) -> Option<&mut Stats> {
        let newest = self.minutes.back().map(|(at, _)| *at);
        let at = match newest {
            Some(newest) if newest == minute => self.minutes.len() - 1,
            Some(newest) if newest > minute => {
                match self.minutes.binary_search_by_key(&minute, |(at, _)| *at) {
                    Ok(at) => at,
                    Err(0) if self.minutes.len() == MINUTES_MAX => return None,
                    Err(at) => {
                        self.minutes.insert(at, (minute, Stats::default()));
                        at
                    }
                }
            }
            _ => {
                self.minutes.push_back((minute, Stats::default()));
                self.minutes.len() - 1
            }
        };
        if self.minutes.len() <= MINUTES_MAX {
            return self.minutes.get_mut(at).map(|(_, stats)| stats);
        }
        self.minutes.pop_front();
        let at = at.checked_sub(1)?;
        self.minutes.get_mut(at).map(|(_, stats)| stats)
    }

    /// The minutes from `start` to before `end`.
    pub(crate) fn within(&self, start: i64, end: i64) -> impl Iterator<Item = (i64, &Stats)> {
        let from = self.minutes.partition_point(|(at, _)| *at < start);
        let minutes = self.minutes.iter().skip(from);
        let minutes = minutes.take_while(move |(at, _)| *at < end);
        minutes.map(|(at, stats)| (*at, stats))
    }

    /// All there was since the start.
    pub(crate) const fn total(&self) -> &Stats {
        &self.total
    }

    /// The newest minute with data.
    pub(crate) fn last(&self) -> Option<i64> {
        self.minutes.back().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_kept_in_order_and_the_oldest_go() {
        let mut line = Timeline::default();
        for minute in [5, 3, 4, 5] {
            line.put(minute, f64::from(u8::try_from(minute).unwrap()));
        }
        let minutes: Vec<_> = line.within(0, 9).map(|(at, s)| (at, s.count())).collect();
        assert_eq!(minutes, [(3, 1.0), (4, 1.0), (5, 2.0)]);
        assert_eq!(line.within(4, 5).count(), 1);
        for minute in 0..2_000 {
            line.put(minute, 1.0);
        }
        assert_eq!(line.within(0, 9_000).count(), MINUTES_MAX);
        assert_eq!(line.last(), Some(1_999));
        line.put(1, 1.0);
        assert_eq!(line.within(0, 9).count(), 0, "too old to be kept");
        assert_eq!(line.total().points(), 2_005);
    }

    #[test]
    fn statistics_add_up() {
        let mut stats = Stats::default();
        stats.put(2.0, 3.0);
        stats.put_set(2.0, 10.0, 1.0, 9.0);
        let mut both = Stats::default();
        both.merge(&stats);
        both.merge(&Stats::default());
        assert_eq!(both, stats);
        assert_eq!((both.count(), both.sum()), (5.0, 16.0));
        assert_eq!((both.min(), both.max()), (1.0, 9.0));
        assert!((both.average() - 3.2).abs() < 1e-12);
        assert_eq!(both.percentile(50.0), Some(2.0));
    }
}
