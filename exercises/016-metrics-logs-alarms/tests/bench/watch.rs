//! A lab with your alarms, and time that goes by.

use aws_sdk_cloudwatch::{
    Client as CloudWatch,
    error::{DisplayErrorContext, ProvideErrorMetadata as _},
    primitives::DateTime,
    types::MetricDatum,
};
use ex016::{AlarmParams, NAMESPACE, alarms};
use workshop_testkit::{Point, TraceEvent, TraceStatus, within};
use workshop_testkit_aws::{AwsLab, aws_local::Clock as _};

use super::{OPERATION, stands_at};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:page";

pub(crate) fn params(model: &str) -> AlarmParams {
    AlarmParams {
        model: model.to_owned(),
        operation: OPERATION.into(),
        throttled_calls: 5.0,
        p95_ms: 4_000.0,
        usd_an_hour: 10.0,
        usd_per_million_in: 3.0,
        usd_per_million_out: 15.0,
        topic: TOPIC.into(),
    }
}

/// The beginning of an hour, on 19 August 2026.
const HOUR_MS: u64 = 1_787_148_000_000;

/// A lab with your alarms, at the beginning of an hour.
pub(crate) struct Watch {
    pub(crate) lab: AwsLab,
    pub(crate) cloudwatch: CloudWatch,
    pub(crate) params: AlarmParams,
}

impl Watch {
    pub(crate) async fn start(point: &Point) -> Self {
        let lab = AwsLab::with_one_clock().await;
        stands_at(&lab, HOUR_MS);
        let cloudwatch = CloudWatch::new(&lab.sdk_config());
        let params = params(&lab.profile("haiku"));
        for alarm in alarms(&params) {
            let name = alarm.get_alarm_name().clone().unwrap_or_default();
            let put = within(point, "PutMetricAlarm", alarm.send_with(&cloudwatch)).await;
            if let Err(error) = put {
                let what = format!("PutMetricAlarm of {name:?}");
                let own = DisplayErrorContext(&error).to_string();
                let says = error.message().unwrap_or(&own);
                point.fail(&what, says, "an alarm that CloudWatch takes");
            }
        }
        Self {
            lab,
            cloudwatch,
            params,
        }
    }

    /// Time goes by.
    pub(crate) fn minutes(&self, minutes: i64) {
        self.lab.clock().advance(time::Duration::minutes(minutes));
    }

    /// The next minutes, one after the other, each with values of a metric and how often each occurs.
    pub(crate) async fn each(&self, name: &str, minutes: &[&[(f64, f64)]]) {
        let now = self.lab.clock().now().unix_timestamp();
        let data = (now..).step_by(60).zip(minutes).map(|(at, values)| {
            MetricDatum::builder()
                .metric_name(name)
                .set_dimensions(Some(self.params.dimensions()))
                .timestamp(DateTime::from_secs(at))
                .set_values(Some(values.iter().map(|(value, _)| *value).collect()))
                .set_counts(Some(values.iter().map(|(_, count)| *count).collect()))
                .build()
        });
        self.minutes(i64::try_from(minutes.len()).expect("few"));
        self.put(data.collect()).await;
    }

    pub(crate) async fn put(&self, data: Vec<MetricDatum>) {
        let put = self.cloudwatch.put_metric_data().namespace(NAMESPACE);
        let put = put.set_metric_data(Some(data)).send().await;
        put.expect("CloudWatch takes the data");
    }

    /// Fails unless the alarm is in that state by now.
    pub(crate) async fn rings(&self, name: &str, wanted: &str, when: &str, point: &Point) {
        let found = self.cloudwatch.describe_alarms().send();
        let found = within(point, "DescribeAlarms", found).await;
        let found = found.expect("CloudWatch tells its alarms");
        let mut all = found.metric_alarms().iter();
        let Some(alarm) = all.find(|alarm| alarm.alarm_name() == Some(name)) else {
            let all = found.metric_alarms().iter().filter_map(|a| a.alarm_name());
            let all = all.collect::<Vec<_>>().join(", ");
            point.fail("alarms", all, name);
        };
        let state = alarm.state_value().map_or("", |state| state.as_str());
        self.lights(name, state);
        let reason = alarm.state_reason().unwrap_or_default();
        point.holds(
            &format!("{name}, {when}"),
            state == wanted,
            format!("{state} ({reason})"),
            wanted,
        );
    }

    /// What `CloudWatch` really answered lights the bell: amber while it rings.
    fn lights(&self, name: &str, state: &str) {
        let now = self.lab.clock().now().unix_timestamp_nanos() / 1_000_000;
        let lit = |node: &str, edge: Option<&str>, status| TraceEvent {
            node: node.to_owned(),
            edge: edge.map(str::to_owned),
            status,
            request_id: name.to_owned(),
            t: i64::try_from(now).unwrap_or_default(),
            note: format!("{name}: {state}"),
        };
        let rings = match state {
            "OK" => TraceStatus::Ok,
            _ => TraceStatus::Throttled,
        };
        let trace = vec![
            lit("METRICS", None, TraceStatus::Ok),
            lit("ALARM", Some("METRICS-ALARM"), rings),
        ];
        self.lab.lights().note("DescribeAlarms", 200, trace);
    }
}
