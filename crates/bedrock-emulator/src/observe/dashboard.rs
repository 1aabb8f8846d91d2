//! The figures of `AWS/Bedrock` as a dashboard asks for them: minute by minute, and by model.

use serde::Serialize;

use super::{Meters, Stats, meters::Named};

/// What is known about the values of a metric.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Number of data points.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The largest.
    pub max: f64,
    /// Half of them are not above this.
    pub p50: Option<f64>,
    /// Nineteen of twenty are not above this.
    pub p95: Option<f64>,
}

/// One minute of a metric, all models together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Minute {
    /// Minutes since the Unix epoch.
    pub at: i64,
    /// Its figures.
    pub figures: Figures,
}

impl From<&Stats> for Figures {
    fn from(stats: &Stats) -> Self {
        Self {
            count: stats.count(),
            sum: stats.sum(),
            max: stats.max(),
            p50: stats.percentile(50.0),
            p95: stats.percentile(95.0),
        }
    }
}

impl Meters {
    /// The minutes of that metric from `since` on, oldest first.
    pub(crate) fn minutes(&self, metric: &str, since: i64) -> Vec<Minute> {
        let mut minutes = std::collections::BTreeMap::<i64, Stats>::new();
        for (_, _, named, line) in self.bedrock() {
            if named.name() == metric {
                for (at, stats) in line.within(since, i64::MAX) {
                    minutes.entry(at).or_default().merge(stats);
                }
            }
        }
        let minutes = minutes.iter().map(|(at, stats)| Minute {
            at: *at,
            figures: stats.into(),
        });
        minutes.collect()
    }

    /// Every metric of every model since the start, as `(ModelId, metric, figures)`.
    pub(crate) fn by_model(&self) -> Vec<(String, &'static str, Figures)> {
        let lines = self.bedrock();
        let lines = lines.map(|(_, model, named, line)| {
            (model.to_owned(), Named::name(named), line.total().into())
        });
        lines.collect()
    }
}
