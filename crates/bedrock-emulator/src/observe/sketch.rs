//! Percentiles in little space: values are counted in bins whose borders grow by two percent, and a
//! bin remembers the sum of what fell into it. Sketches of two minutes add up to that of both.

/// How many bins a sketch has at most. From one millisecond to an hour takes 763.
const BINS_MAX: usize = 1_024;

/// Each bin's upper border is that times its lower one.
const GROWTH: f64 = 1.02;

/// Beyond every index of a positive `f64`: keeps negative values, zero and positive ones apart.
const BEYOND: i32 = 100_000;

/// How many values of which size.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sketch {
    /// By index, ascending.
    bins: Vec<Bin>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    index: i32,
    count: f64,
    sum: f64,
}

impl Sketch {
    /// Counts `value` that many times.
    pub(crate) fn put(&mut self, value: f64, times: f64) {
        self.add(Bin {
            index: index(value),
            count: times,
            sum: value * times,
        });
    }

    /// Counts all that the other has counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for bin in &other.bins {
            self.add(*bin);
        }
    }

    /// The value that `percent` percent of all values do not exceed: the nearest rank's bin, of which
    /// the mean is taken. Exact when all values of that bin are equal.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let total: f64 = self.bins.iter().map(|bin| bin.count).sum();
        let rank = total * percent / 100.0;
        let mut seen = 0.0;
        for bin in &self.bins {
            seen += bin.count;
            // Sums of counts are exact up to 2^53; the tolerance is for fractional counts.
            if seen + 1e-9 >= rank {
                return Some(bin.sum / bin.count);
            }
        }
        self.bins.last().map(|bin| bin.sum / bin.count)
    }

    fn add(&mut self, new: Bin) {
        if new.count <= 0.0 {
            return;
        }
        match self.bins.binary_search_by_key(&new.index, |bin| bin.index) {
            Ok(at) => {
                self.bins[at].count += new.count;
                self.bins[at].sum += new.sum;
            }
            Err(at) => {
                self.bins.insert(at, new);
                if self.bins.len() > BINS_MAX {
                    self.join_the_smallest();
                }
            }
        }
    }

    /// The smallest values are those nobody asks a percentile of.
    fn join_the_smallest(&mut self) {
        let first = self.bins.remove(0);
        self.bins[0].count += first.count;
        self.bins[0].sum += first.sum;
    }
}

fn index(value: f64) -> i32 {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a finite f64 to this base is within ±36,000"
    )]
    let size = (value.abs().ln() / GROWTH.ln()).ceil() as i32 + BEYOND;
    if value > 0.0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        for value in values {
            sketch.put(*value, 1.0);
        }
        sketch
    }

    #[track_caller]
    fn check(sketch: &Sketch, percent: f64, wanted: f64) {
        let got = sketch.percentile(percent).unwrap();
        assert!(
            (got - wanted).abs() <= wanted.abs() * 0.02,
            "p{percent} is {got}, not {wanted}"
        );
    }

    #[test]
    fn percentiles_are_within_two_percent_and_often_exact() {
        let sketch = of(&[300.0, 100.0, 200.0]);
        assert_eq!(sketch.percentile(50.0), Some(200.0));
        assert_eq!(sketch.percentile(100.0), Some(300.0));
        assert_eq!(sketch.percentile(0.0), Some(100.0));
        let thousand: Vec<f64> = (1..=1_000).map(f64::from).collect();
        let sketch = of(&thousand);
        for percent in [1.0, 10.0, 50.0, 90.0, 99.0, 99.9] {
            check(&sketch, percent, percent * 10.0);
        }
        assert_eq!(Sketch::default().percentile(50.0), None);
    }

    #[test]
    fn signs_and_zero_stay_in_order() {
        let sketch = of(&[-5.0, 0.0, 5.0, -50.0, 1e-300, 1e300]);
        check(&sketch, 1.0, -50.0);
        check(&sketch, 33.0, -5.0);
        assert_eq!(sketch.percentile(50.0), Some(0.0));
        check(&sketch, 100.0, 1e300);
    }

    #[test]
    fn two_halves_make_the_whole_and_space_is_bounded() {
        let (mut left, right) = (of(&[1.0, 2.0, 3.0]), of(&[3.0, 4.0]));
        left.merge(&right);
        assert_eq!(left, of(&[1.0, 2.0, 3.0, 3.0, 4.0]));
        let mut wide = Sketch::default();
        for power in 0..3_000 {
            wide.put(1.05_f64.powi(power), 1.0);
        }
        assert!(wide.bins.len() <= BINS_MAX);
        assert!(wide.percentile(99.0).unwrap() > 1e60);
    }
}
