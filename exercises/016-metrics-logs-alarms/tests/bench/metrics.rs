//! `CloudWatch` Logs and metrics, from outside.

use std::time::SystemTime;

use aws_sdk_cloudwatch::{
    Client as CloudWatch,
    primitives::DateTime,
    types::{Dimension, Statistic},
};
use ex016::NAMESPACE;
use workshop_testkit_aws::{AwsLab, aws_local::Clock as _};

use super::watch::params;

const GROUP: &str = "/workshop/lines";

/// `CloudWatch` as the SDK reads it.
pub(crate) struct Metrics {
    cloudwatch: CloudWatch,
    model: String,
}

impl Metrics {
    pub(crate) fn of(lab: &AwsLab) -> Self {
        Self {
            cloudwatch: CloudWatch::new(&lab.sdk_config()),
            model: lab.profile("haiku"),
        }
    }

    /// How many values there are of one of your metrics, and their sum.
    pub(crate) async fn of_calls(&self, name: &str) -> (f64, f64) {
        let dimensions = params(&self.model).dimensions();
        self.read(NAMESPACE, name, dimensions).await
    }

    /// Lines that are no metrics although they promise some.
    pub(crate) async fn broken(&self) -> f64 {
        let mut broken = 0.0;
        for name in ["EMFParsingErrors", "EMFValidationErrors"] {
            let group = Dimension::builder();
            let group = group.name("LogGroupName").value(GROUP).build();
            broken += self.read("AWS/Logs", name, vec![group]).await.1;
        }
        broken
    }

    async fn read(&self, namespace: &str, name: &str, dimensions: Vec<Dimension>) -> (f64, f64) {
        let now = DateTime::from(SystemTime::now()).secs();
        let asked = self.cloudwatch.get_metric_statistics();
        let answer = asked
            .namespace(namespace)
            .metric_name(name)
            .set_dimensions(Some(dimensions))
            .start_time(DateTime::from_secs(now - 3_600))
            .end_time(DateTime::from_secs(now + 3_600))
            .period(7_200)
            .statistics(Statistic::SampleCount)
            .statistics(Statistic::Sum)
            .send();
        let answer = answer.await.expect("CloudWatch answers");
        let points = answer.datapoints().iter();
        points.fold((0.0, 0.0), |(count, sum), point| {
            let more = (point.sample_count(), point.sum());
            (count + more.0.unwrap_or(0.0), sum + more.1.unwrap_or(0.0))
        })
    }
}

/// Hands lines to `CloudWatch` Logs.
pub(crate) fn taken(lab: &AwsLab, lines: &[String]) {
    let emulator = lab.emulator();
    let now = lab.clock().now();
    let at = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).expect("before 2262");
    let events = lines.iter().map(|line| (at, line.trim_end().to_owned()));
    let (account, region) = (&emulator.config().account_id, &emulator.config().region);
    emulator.put_log_events(account, region, GROUP, "a", events.collect::<Vec<_>>(), now);
}
