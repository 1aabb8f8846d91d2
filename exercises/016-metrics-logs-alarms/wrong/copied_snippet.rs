//! dies in: every_call_writes_one_line_however_it_ends, a_call_is_one_request, the_line_is_in_the_embedded_metric_format, tokens_in_and_tokens_out_are_two_metrics, what_is_unique_to_a_call_is_no_dimension, only_what_was_counted_is_a_number, cloudwatch_makes_metrics_of_the_lines, the_duration_is_that_of_the_call, there_are_four_alarms_and_somebody_hears_them, silence_rings_one_bell, throttles_ring_in_three_of_five_minutes, the_slowest_twentieth_rings, an_expensive_hour_rings, a_line_that_cannot_be_written_costs_no_answer, in_lambda_a_line_becomes_metrics
//!
//! The snippet from the articles: a request to `PutMetricData` after each answer, with no dimension, with
//! one number for all tokens, and nothing for a call that fails. Of a line and of alarms it knows nothing.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::io::Write;

use aws_sdk_cloudwatch::{
    Client,
    types::{MetricDatum, StandardUnit},
};
use serde_json::{Value, json};

pub use given::*;

/// What the article measures.
pub fn emf(record: &CallRecord, _: u64) -> Value {
    let usage = record.usage.as_ref();
    json!({
        "duration": record.duration_ms,
        "tokens": usage.map(|usage| usage.total_tokens),
    })
}

/// Asks, and waits for `CloudWatch` before it hands over the answer.
pub async fn ask_observed(
    app: &App,
    ask: &Ask,
    _: &mut (dyn Write + Send),
    clock: &dyn Clock,
) -> Result<Reply, AskError> {
    let begin = clock.now_ms();
    let answer = tokio::time::timeout(ask.timeout, converse(&app.bedrock, ask)).await;
    let reply = answer.unwrap_or(Err(AskError::TimedOut))?;
    let duration = clock.now_ms() - begin;
    let tokens = reply.usage.as_ref().unwrap().total_tokens;
    log_metrics(&app.cloudwatch, duration, tokens).await;
    Ok(reply)
}

async fn log_metrics(cloudwatch: &Client, duration: u64, tokens: i32) {
    let duration = MetricDatum::builder()
        .metric_name("InvocationDuration")
        .value(duration as f64)
        .unit(StandardUnit::Milliseconds)
        .build();
    let tokens = MetricDatum::builder()
        .metric_name("TokensUsed")
        .value(tokens.into())
        .unit(StandardUnit::Count)
        .build();
    cloudwatch
        .put_metric_data()
        .namespace("BedrockIntegration")
        .metric_data(duration)
        .metric_data(tokens)
        .send()
        .await
        .unwrap();
}

/// The article has none.
pub fn alarms(_: &AlarmParams) -> Vec<Alarm> {
    Vec::new()
}
