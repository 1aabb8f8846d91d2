//! What CloudWatch would know: invocation log records and metrics.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// One record of model invocation logging (`schemaType: ModelInvocationLog`); logging is off
/// until it is switched on, as on AWS.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogRecord {
    /// The request it is about.
    pub request_id: String,
    /// The record as CloudWatch Logs would hold it.
    pub record: Value,
}

/// Sums and counts of the namespace `AWS/Bedrock`, by metric name and `ModelId`.
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
    /// Adds one data point.
    pub fn put(&mut self, name: &str, model_id: &str, value: f64) {
        let series = self
            .series
            .entry((name.to_owned(), model_id.to_owned()))
            .or_default();
        series.count += 1;
        series.sum += value;
        series.max = series.max.max(value);
    }

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
}
