//! A small chart, drawn by the server with attributes alone, and the table that says the same.

/// The drawing's size; the page stretches it.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 140;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bars, one series on top of the other.
    Stacked,
    /// A line with a point at each value.
    Lines,
}

/// One chart.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What the top of the drawing stands for.
    pub(super) top: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) series: Vec<Series>,
    /// A row for each stretch of time in which something happened.
    pub(super) rows: Vec<(String, Vec<String>)>,
}

/// One series of a chart.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    pub(super) bars: Vec<Rectangle>,
    /// The points of a line: `0,10 20,30`.
    pub(super) line: String,
    pub(super) dots: Vec<(u64, u64)>,
}

/// A bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
}

impl Chart {
    pub(super) fn new(
        id: &'static str,
        title: &'static str,
        kind: Kind,
        labels: &[String],
        series: Vec<(&'static str, &'static str, Vec<u64>)>,
        shown: fn(u64) -> String,
    ) -> Self {
        let at = |values: &[u64], n: usize| values.get(n).copied().unwrap_or_default();
        let heights = (0..labels.len()).map(|n| {
            let values = series.iter().map(|(_, _, values)| at(values, n));
            match kind {
                Kind::Stacked => values.sum(),
                Kind::Lines => values.max().unwrap_or_default(),
            }
        });
        let top = heights.max().unwrap_or_default().max(1);
        let rows = (0..labels.len()).filter_map(|n| {
            let values: Vec<_> = series.iter().map(|(_, _, v)| at(v, n)).collect();
            let some = values.iter().any(|value| *value > 0);
            some.then(|| (labels[n].clone(), values.into_iter().map(shown).collect()))
        });
        let rows = rows.collect();
        let mut below = vec![0; labels.len()];
        let series = series
            .into_iter()
            .map(|(name, class, values)| {
                let mut drawn = Series {
                    name,
                    class,
                    bars: Vec::new(),
                    line: String::new(),
                    dots: Vec::new(),
                };
                match kind {
                    Kind::Stacked => drawn.bars = stacked(&values, &mut below, top),
                    Kind::Lines => {
                        drawn.dots = dots(&values, top);
                        let points = drawn.dots.iter().map(|(x, y)| format!("{x},{y}"));
                        drawn.line = points.collect::<Vec<_>>().join(" ");
                    }
                }
                drawn
            })
            .collect();
        Self {
            id,
            title,
            top: shown(top),
            first: labels.first().cloned().unwrap_or_default(),
            last: labels.last().cloned().unwrap_or_default(),
            series,
            rows,
        }
    }
}

/// The place of the n-th of so many stretches: where it begins, and how wide it is.
fn column(n: usize, of: usize) -> (u64, u64) {
    let slot = |n: usize| WIDTH * n as u64 / of.max(1) as u64;
    let (from, to) = (slot(n), slot(n + 1));
    let wide = (to - from).min(48);
    let gap = if wide > 6 { 2 } else { 0 };
    (from + (to - from - wide) / 2, (wide - gap).max(1))
}

fn scaled(value: u64, top: u64) -> u64 {
    let height = u128::from(value) * u128::from(HEIGHT) / u128::from(top);
    u64::try_from(height).unwrap_or(HEIGHT).min(HEIGHT)
}

fn stacked(values: &[u64], below: &mut [u64], top: u64) -> Vec<Rectangle> {
    let mut bars = Vec::new();
    let of = below.len();
    for (n, (value, below)) in values.iter().zip(below).enumerate() {
        if *value == 0 {
            continue;
        }
        let foot = scaled(*below, top);
        *below += value;
        let head = scaled(*below, top).max(foot + 2).min(HEIGHT);
        let (x, width) = column(n, of);
        bars.push(Rectangle {
            x,
            y: HEIGHT - head,
            width,
            height: head.saturating_sub(foot).max(1),
        });
    }
    bars
}

/// Nothing happened where there is no value: the line passes over it.
fn dots(values: &[u64], top: u64) -> Vec<(u64, u64)> {
    let there = values.iter().enumerate().filter(|(_, value)| **value > 0);
    there
        .map(|(n, value)| {
            let (x, width) = column(n, values.len());
            (x + width / 2, HEIGHT - scaled(*value, top))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(n: usize) -> Vec<String> {
        (0..n).map(|n| n.to_string()).collect()
    }

    #[test]
    fn bars_stand_on_each_other_and_stay_in_the_drawing() {
        for n in [1, 2, 60, 2_000] {
            let series = vec![("a", "ok", vec![u64::MAX / 4; n]), ("b", "bad", vec![1; n])];
            let chart = Chart::new("c", "C", Kind::Stacked, &labels(n), series, |v| {
                v.to_string()
            });
            for bar in chart.series.iter().flat_map(|s| &s.bars) {
                assert!(bar.x + bar.width <= WIDTH, "{n}: {bar:?}");
                assert!(bar.y + bar.height <= HEIGHT + 1, "{n}: {bar:?}");
            }
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing_and_the_table_leaves_it_out() {
        let series = vec![("a", "ok", vec![0, 3, 0])];
        let chart = Chart::new("c", "C", Kind::Lines, &labels(3), series, |v| v.to_string());
        assert_eq!(chart.series[0].dots.len(), 1);
        assert_eq!(chart.rows, [("1".to_owned(), vec!["3".to_owned()])]);
        assert_eq!(chart.top, "3");
    }
}
