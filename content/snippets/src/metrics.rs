//! One structured line for each call: CloudWatch makes metrics of it, and nothing waits for it.

use std::{io, time::Instant};

use aws_sdk_bedrockruntime::{Client, types::TokenUsage};
use serde_json::{Value, json};

use crate::direct::{AskError, Reply, ask};

/// What is worth knowing about one call. No prompt, no answer, no user.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The inference profile id.
    pub model: String,
    /// `Converse`, …
    pub operation: &'static str,
    /// From request to answer or failure.
    pub duration_ms: u64,
    /// Tokens, if there was an answer.
    pub usage: Option<TokenUsage>,
    /// Bedrock's error code, or what failed instead.
    pub error: Option<String>,
    /// For the log, to find this call again; as a dimension it would be a metric for each call.
    pub request_id: Option<String>,
}

// region: emf
/// The record in CloudWatch's embedded metric format. `now_ms`: milliseconds since 1970.
pub fn emf(record: &CallRecord, now_ms: u64) -> Value {
    let throttled = record.error.as_deref() == Some("ThrottlingException");
    let mut metrics = vec![
        ("DurationMs", "Milliseconds", record.duration_ms),
        ("Failures", "Count", u64::from(record.error.is_some())),
        ("Throttles", "Count", u64::from(throttled)),
    ];
    if let Some(usage) = &record.usage {
        // Two metrics, not a sum: the two are priced differently.
        let tokens = |count: i32| u64::try_from(count).unwrap_or(0);
        metrics.push(("InputTokens", "Count", tokens(usage.input_tokens)));
        metrics.push(("OutputTokens", "Count", tokens(usage.output_tokens)));
    }
    let names: Vec<Value> = metrics
        .iter()
        .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
        .collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [{
                "Namespace": "TicketTriage/Bedrock",
                "Dimensions": [["Model", "Operation"]],
                "Metrics": names,
            }],
        },
        "Model": record.model,
        "Operation": record.operation,
        "Error": record.error,
        "RequestId": record.request_id,
    });
    for (name, _, value) in metrics {
        line[name] = json!(value);
    }
    line
}
// endregion: emf

// region: observed
/// [`ask`], and one line on `log` however it ends.
pub async fn ask_observed(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
    log: &mut (dyn io::Write + Send),
    now_ms: u64,
) -> Result<Reply, AskError> {
    let begin = Instant::now();
    let outcome = ask(client, model, prompt, max_tokens).await;
    let reply = outcome.as_ref().ok();
    let error = outcome.as_ref().err();
    let record = CallRecord {
        model: model.to_owned(),
        operation: "Converse",
        duration_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
        usage: reply.map(|r| r.usage.clone()),
        error: error.map(|e| e.code().unwrap_or("NoAnswer").to_owned()),
        request_id: reply.and_then(|r| r.request_id.clone()),
    };
    // A log that cannot be written must not cost the caller the answer that was paid for.
    let _ = writeln!(log, "{}", emf(&record, now_ms));
    outcome
}
// endregion: observed

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use workshop_testkit::{Fault, Lab, Step};

    use super::{CallRecord, ask_observed, emf};

    #[test]
    fn every_named_metric_has_a_value_and_every_dimension_a_text() {
        let record = CallRecord {
            model: "an inference profile id".to_owned(),
            operation: "Converse",
            duration_ms: 840,
            usage: None,
            error: Some("ThrottlingException".to_owned()),
            request_id: None,
        };
        let line = emf(&record, 1_795_312_800_000);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Model", "Operation"]]));
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_u64(), "{name}");
            assert!(metric["Unit"].is_string(), "{name}");
        }
        assert!(line["Model"].is_string() && line["Operation"].is_string());
        assert_eq!(
            (&line["Failures"], &line["Throttles"]),
            (&json!(1), &json!(1))
        );
        assert!(line.get("InputTokens").is_none(), "no answer, no tokens");
    }

    #[tokio::test]
    async fn one_line_for_each_call_and_no_word_of_the_prompt() {
        let lab = Lab::start().await;
        lab.script([
            Step::text("Hello"),
            Step::Fault(Fault::AccessDenied),
            Step::Fault(Fault::Disconnect),
        ]);
        let (client, model) = (lab.client(), lab.profile("haiku"));
        let mut log = Vec::new();
        for _ in 0..3 {
            let _ = ask_observed(&client, &model, "PII-4711", 64, &mut log, 1).await;
        }
        let log = String::from_utf8(log).unwrap();
        assert!(!log.contains("PII-4711"));
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let errors: Vec<&Value> = lines.iter().map(|line| &line["Error"]).collect();
        assert_eq!(
            errors,
            [
                &Value::Null,
                &json!("AccessDeniedException"),
                &json!("NoAnswer")
            ]
        );
        assert_eq!(lines[0]["RequestId"], json!(lab.calls()[0].request_id));
        assert!(lines[0]["OutputTokens"].is_u64());
    }
}
