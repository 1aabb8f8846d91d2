//! `CreateEventSourceMapping`: lets a queue's messages invoke a function.

use std::{collections::BTreeMap, time::Duration};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Lambda,
    error::{constraint, invalid},
    event_source::EventSource,
    operations::{Answered, told_as},
    place::Reference,
};

/// What both `CreateEventSourceMapping` and `UpdateEventSourceMapping` say.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    #[serde(rename = "EventSourceArn")]
    arn: Option<String>,
    pub(super) function_name: Option<String>,
    enabled: Option<bool>,
    batch_size: Option<i64>,
    maximum_batching_window_in_seconds: Option<i64>,
    function_response_types: Option<Vec<String>>,
    scaling_config: Option<ScalingConfig>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    maximum_concurrency: Option<i64>,
}

pub(super) fn answer(lambda: &Lambda, mut visit: Visit) -> Answered {
    let input: Input = visit.json()?;
    let name = input.function_name.as_deref();
    let name = name.ok_or_else(|| constraint("null", "functionName", "not be null"))?;
    let reference = Reference::of(&visit, name)?;
    let arn = input.arn.as_deref().unwrap_or_default();
    if !arn.starts_with("arn:aws:sqs:") {
        return Err(invalid(format!(
            "EventSourceArn '{arn}': Bedrock Workshop emulates event source mappings of SQS queues, \
             such as arn:aws:sqs:{}:{}:jobs.",
            visit.region, visit.account
        )));
    }
    let mut source = EventSource::new(arn, reference.arn());
    input.apply(&mut source)?;
    let id = visit.uuid();
    let (account, region) = (&visit.account, &visit.region);
    Ok(told_as(
        202,
        &lambda.add(source, account, region, id, false)?,
    ))
}

impl Input {
    /// Takes over what it says.
    pub(super) fn apply(&self, source: &mut EventSource) -> Result<(), ApiError> {
        self.check_rest()?;
        if let Some(enabled) = self.enabled {
            source.enabled = enabled;
        }
        if let Some(size) = within(self.batch_size, "batchSize", 1, 10_000)? {
            source.batch_size = size;
        }
        let window = self.maximum_batching_window_in_seconds;
        if let Some(seconds) = within(window, "maximumBatchingWindowInSeconds", 0, 300)? {
            source.batching_window = Duration::from_secs(seconds.into());
        }
        if let Some(types) = &self.function_response_types {
            if let Some(other) = types.iter().find(|t| *t != "ReportBatchItemFailures") {
                let rule = "satisfy enum value set: [ReportBatchItemFailures]";
                return Err(constraint(other, "functionResponseTypes", rule));
            }
            source.report_batch_item_failures = !types.is_empty();
        }
        if let Some(scaling) = &self.scaling_config {
            let most = scaling.maximum_concurrency;
            let member = "scalingConfig.maximumConcurrency";
            source.concurrency_max = within(most, member, 2, 1_000)?;
        }
        Ok(())
    }

    /// What other sources have, and what this emulator has not.
    fn check_rest(&self) -> Result<(), ApiError> {
        let empty = |value: &Value| {
            value.is_null()
                || *value == json!({})
                || *value == json!([])
                || *value == json!({ "Filters": [] })
        };
        match self.rest.iter().find(|(_, value)| !empty(value)) {
            None => Ok(()),
            Some((name, _)) => Err(invalid(format!(
                "{name}: not emulated by Bedrock Workshop, whose mappings of SQS queues take BatchSize, \
                 MaximumBatchingWindowInSeconds, FunctionResponseTypes, ScalingConfig and Enabled."
            ))),
        }
    }
}

fn within(
    asked: Option<i64>,
    member: &str,
    least: u32,
    most: u32,
) -> Result<Option<u32>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    let found = u32::try_from(asked).ok();
    if let Some(found) = found.filter(|n| (least..=most).contains(n)) {
        return Ok(Some(found));
    }
    let rule = match asked {
        low if low < i64::from(least) => format!("have value greater than or equal to {least}"),
        _ => format!("have value less than or equal to {most}"),
    };
    Err(constraint(asked, member, &rule))
}
