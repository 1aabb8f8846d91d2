//! Lent by exercise 016: one line for each call, which `CloudWatch` turns into metrics.

use aws_sdk_bedrockruntime::types::TokenUsage;
use serde_json::{Value, json};

use super::{AskError, Model, Reply};

/// Where this service's metrics are.
pub const NAMESPACE: &str = "TicketTriage";

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// With a `ThrottlingException`.
    Throttled,
    /// With anything else.
    Failed,
}

/// What is worth knowing about one call. No text, no name.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The model's name on graphs.
    pub model: String,
    /// From the question to the answer, or to the failure.
    pub duration_ms: u64,
    /// Tokens, if the model answered.
    pub usage: Option<TokenUsage>,
    /// How it ended.
    pub outcome: Outcome,
    /// Names the request in AWS's logs.
    pub request_id: Option<String>,
}

impl CallRecord {
    /// Of one call of [`ask`](super::ask), which took so long.
    pub fn of(model: &Model, duration_ms: u64, answer: &Result<Reply, AskError>) -> Self {
        let (usage, outcome, request_id) = match answer {
            Ok(reply) => (
                Some(reply.usage.clone()),
                Outcome::Ok,
                reply.request_id.as_deref(),
            ),
            Err(error) => (None, error.outcome(), error.request_id()),
        };
        Self {
            model: model.name.clone(),
            duration_ms,
            usage,
            outcome,
            request_id: request_id.map(str::to_owned),
        }
    }
}

/// The record as a document in `CloudWatch`'s embedded metric format. Its `Display` is the line.
pub fn emf(record: &CallRecord, now_ms: u64) -> Value {
    let failed = u64::from(record.outcome != Outcome::Ok);
    let throttled = u64::from(record.outcome == Outcome::Throttled);
    let mut metrics = vec![
        ("DurationMs", "Milliseconds", record.duration_ms),
        ("Failures", "Count", failed),
        ("Throttles", "Count", throttled),
    ];
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
                "Dimensions": [["Model"]],
                "Metrics": names.collect::<Vec<Value>>(),
            }],
        },
        "Model": record.model,
        "RequestId": record.request_id,
    });
    for (name, _, value) in metrics {
        line[name] = value.into();
    }
    line
}
