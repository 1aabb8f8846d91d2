//! `TestMetricFilter`: which lines a pattern matches, and what it takes out of them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{invalid, pattern::Pattern};
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "TestMetricFilter",
    route: Route::Target("Logs_20140328.TestMetricFilter"),
    permission: super::permission("logs:TestMetricFilter"),
    answer,
};

/// As many lines as one request may have (service model).
const LINES_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    filter_pattern: String,
    log_event_messages: Vec<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let lines = input.log_event_messages;
    if !(1..=LINES_MAX).contains(&lines.len()) {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'logEventMessages' failed to satisfy constraint: \
             Member must have length between 1 and {LINES_MAX}"
        )));
    }
    let pattern = Pattern::parse(&input.filter_pattern)?;
    let matches = lines.iter().zip(1..).filter_map(|(line, number)| {
        let found = pattern.find(line)?;
        let extracted = pattern.extracted(&found).into_iter();
        let extracted: Map<String, Value> = extracted
            .map(|(selector, text)| (selector, text.into()))
            .collect();
        Some(json!({
            "eventNumber": number,
            "eventMessage": line,
            "extractedValues": extracted,
        }))
    });
    let matches: Vec<Value> = matches.collect();
    Ok(Told::aws_json(&json!({ "matches": matches })))
}
