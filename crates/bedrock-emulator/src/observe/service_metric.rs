//! Metrics that a service beside Bedrock counts for its customers.

use time::OffsetDateTime;

use super::{Custom, Meters, Timeline};

/// One value of a service's own metric.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceMetric {
    /// Where it is counted: `us-east-1`.
    pub region: String,
    /// `AWS/ApiGateway`.
    pub namespace: &'static str,
    /// `Count`.
    pub name: &'static str,
    /// Names and values.
    pub dimensions: Vec<(&'static str, String)>,
    /// CloudWatch's name of it: `Count`, `Milliseconds`.
    pub unit: &'static str,
    /// What is counted.
    pub value: f64,
}

impl Meters {
    /// Counts it; what there is no room for is left out.
    pub(crate) fn count(&mut self, metric: ServiceMetric, at: OffsetDateTime) {
        let ServiceMetric {
            region,
            namespace,
            name,
            dimensions,
            unit,
            value,
        } = metric;
        let dimensions = dimensions
            .into_iter()
            .map(|(n, value)| (n.to_owned(), value));
        let mut dimensions: Vec<(String, String)> = dimensions.collect();
        dimensions.sort_unstable();
        let metric = Custom {
            region,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions,
            unit: unit.to_owned(),
            line: Timeline::default(),
        };
        let minute = at.unix_timestamp().div_euclid(60);
        self.change_custom(metric, minute, |stats| stats.put(value, 1.0));
    }
}
