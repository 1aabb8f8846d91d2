//! dies in: silence_rings_one_bell
//!
//! Says nothing about missing data where silence is good news.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::io::Write;

use aws_sdk_bedrockruntime::{operation::RequestId, types::TokenUsage};
use aws_sdk_cloudwatch::{
    operation::put_metric_alarm::PutMetricAlarmInput,
    types::{ComparisonOperator, Statistic},
};
use serde_json::{Value, json};

pub use given::*;

/// The record as a document in CloudWatch's embedded metric format.
pub fn emf(record: &CallRecord, now_ms: u64) -> Value {
    let failed = u64::from(record.outcome != Outcome::Ok);
    let throttled = u64::from(record.outcome == Outcome::Throttled);
    // Zeros are said, too: "no call failed" is another message than "nobody called".
    let mut metrics = vec![
        ("DurationMs", "Milliseconds", record.duration_ms),
        ("Failures", "Count", failed),
        ("Throttles", "Count", throttled),
    ];
    // Two metrics and not a sum: they have two prices. And no zeros where nothing was counted: they
    // would halve every average.
    if let Some(usage) = &record.usage {
        let tokens = |count: i32| u64::try_from(count).unwrap_or_default();
        metrics.push(("InputTokens", "Count", tokens(usage.input_tokens)));
        metrics.push(("OutputTokens", "Count", tokens(usage.output_tokens)));
    }
    let names = metrics.iter();
    let names = names.map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }));
    let mut line = json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                // What a graph groups by. Each combination of values is a metric that is billed, so
                // a dimension has few values.
                "Dimensions": [["Model", "Operation"]],
                "Metrics": names.collect::<Vec<Value>>(),
            }],
        },
        "Model": record.model,
        "Operation": record.operation,
        // What a log query asks for: as many values as there are calls, at no extra price.
        "Outcome": record.outcome.name(),
        "RequestId": record.request_id,
        "UserHash": record.user_hash,
    });
    for (name, _, value) in metrics {
        line[name] = value.into();
    }
    line
}

/// [`converse`] for at most [`Ask::timeout`], and one line about it on `sink`, however it ends.
pub async fn ask_observed(
    app: &App,
    ask: &Ask,
    sink: &mut (dyn Write + Send),
    clock: &dyn Clock,
) -> Result<Reply, AskError> {
    let begin = clock.now_ms();
    // No `?` between here and the line: every way out passes it.
    let answer = tokio::time::timeout(ask.timeout, converse(&app.bedrock, ask)).await;
    let answer = answer.unwrap_or(Err(AskError::TimedOut));
    let end = clock.now_ms();
    let (outcome, usage, request_id) = seen(&answer);
    let record = CallRecord {
        model: ask.model.clone(),
        operation: "Converse",
        duration_ms: end.saturating_sub(begin),
        usage: usage.cloned(),
        outcome,
        request_id: request_id.map(str::to_owned),
        user_hash: ask.user_hash.clone(),
    };
    let line = format!("{}\n", emf(&record, end));
    // A line that cannot be written must not cost the caller an answer that is paid for.
    let _ = sink.write_all(line.as_bytes()).and_then(|()| sink.flush());
    answer
}

/// What an answer, or a failure, tells about the call. Codes and ids alone: the message of an error may
/// quote the prompt.
fn seen(answer: &Result<Reply, AskError>) -> (Outcome, Option<&TokenUsage>, Option<&str>) {
    match answer {
        Ok(reply) => (
            Outcome::Ok,
            reply.usage.as_ref(),
            reply.request_id.as_deref(),
        ),
        // Paid for, although it is of no use.
        Err(AskError::NoText { usage, request_id }) => {
            (Outcome::Failed, usage.as_ref(), request_id.as_deref())
        }
        Err(AskError::Sdk(error)) => {
            let service = error.as_service_error();
            let outcome = if service.is_some_and(|e| e.is_throttling_exception()) {
                Outcome::Throttled
            } else {
                Outcome::Failed
            };
            (outcome, None, error.request_id())
        }
        Err(AskError::TimedOut) => (Outcome::TimedOut, None, None),
    }
}

/// The alarms `throttles`, `p95-latency`, `hourly-cost` and `no-data`.
pub fn alarms(p: &AlarmParams) -> Vec<Alarm> {
    let alarm = |name: &str| {
        PutMetricAlarmInput::builder()
            .alarm_name(name)
            .alarm_actions(&p.topic)
    };
    let on = |name: &str, metric: &str| {
        alarm(name)
            .namespace(NAMESPACE)
            .metric_name(metric)
            .set_dimensions(Some(p.dimensions()))
    };
    vec![
        // Three of five minutes: one bad minute is Bedrock's business, or that of the retries.
        on("throttles", "Throttles")
            .statistic(Statistic::Sum)
            .period(60)
            .evaluation_periods(5)
            .datapoints_to_alarm(3)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .threshold(p.throttled_calls),
        // An average hides the tail, and a maximum is one call.
        on("p95-latency", "DurationMs")
            .extended_statistic("p95")
            .period(60)
            .evaluation_periods(5)
            .datapoints_to_alarm(3)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .threshold(p.p95_ms)
            .treat_missing_data("notBreaching"),
        // Prices stand in the alarm and not in the line: they change, and tokens stay what they were.
        alarm("hourly-cost")
            .set_metrics(Some(p.dollars(3_600)))
            .evaluation_periods(1)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .threshold(p.usd_an_hour)
            .treat_missing_data("notBreaching"),
        // Nothing is ever counted as 0 calls: without a call there is no datapoint, so what decides is
        // how missing data is treated.
        on("no-data", "DurationMs")
            .statistic(Statistic::SampleCount)
            .period(300)
            .evaluation_periods(3)
            .comparison_operator(ComparisonOperator::LessThanThreshold)
            .threshold(1.0)
            .treat_missing_data("breaching"),
    ]
}
