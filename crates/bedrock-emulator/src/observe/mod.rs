//! What an account's requests leave behind: metrics, invocation log records, the trail, the ledger.
//!
//! Read in this order: `meters` (what one request adds), `timeline` and `sketch` (how a metric is
//! kept), `ledger` (what it cost), `invocation_log` and `trail` (what is written down about a request,
//! made of its record when somebody reads it), `service_metric` (what neighbours count), `dashboard`
//! (the same figures for a page).

mod dashboard;
mod delivery;
mod invocation_log;
mod ledger;
mod meters;
mod prometheus;
mod service_metric;
mod sketch;
mod timeline;
mod trail;

use std::collections::BTreeMap;

use serde::Serialize;

pub use dashboard::{Figures, Minute};
pub use delivery::LogFile;
pub(crate) use delivery::{Delivery, Logging, LoggingConfig, STREAM, log_files};
pub use invocation_log::LogRecord;
pub(crate) use invocation_log::log_record;
pub use ledger::{Cost, Spent};
pub(crate) use meters::{Custom, Door, Found, Meters, Named, Sample};
pub(crate) use prometheus::prometheus;
pub use service_metric::ServiceMetric;
pub(crate) use timeline::{Stats, Timeline};
pub(crate) use trail::{Trailed, trail_event};

/// Sums and counts of the namespace `AWS/Bedrock` since the start, by metric name and `ModelId`, all
/// regions together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    series: BTreeMap<(String, String), Series>,
}

/// One metric of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Series {
    /// Number of data points.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The largest.
    pub max: f64,
}

impl Metrics {
    /// The series of that metric and model; zero when nothing was recorded.
    pub fn get(&self, name: &str, model_id: &str) -> Series {
        self.series
            .get(&(name.to_owned(), model_id.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    /// All series as `(metric name, model id, series)`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Series)> {
        self.series
            .iter()
            .map(|((name, model), s)| (name.as_str(), model.as_str(), *s))
    }

    fn add(&mut self, name: &str, model_id: &str, total: &Stats) {
        let key = (name.to_owned(), model_id.to_owned());
        let series = self.series.entry(key).or_default();
        series.count += total.points();
        series.sum += total.sum();
        series.max = series.max.max(total.max());
    }
}
