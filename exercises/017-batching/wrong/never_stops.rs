//! dies in: a_refusal_for_all_stops_all
//!
//! Asks on, whatever was refused and why.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{collections::HashMap, num::NonZeroUsize, time::Duration};

use aws_sdk_bedrockruntime::Client;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

pub use given::{Ask, AskError, RecordError, Reply, converse};

/// Asks `model` all `items`, at most `limit` at a time. The results are in the order of the items.
pub async fn map_bounded(
    client: &Client,
    model: &str,
    items: &[Ask],
    limit: NonZeroUsize,
) -> Vec<Result<Reply, AskError>> {
    let mut asking = Vec::with_capacity(items.len());
    for (place, ask) in items.iter().enumerate() {
        asking.push(async move { (place, converse(client, model, ask).await) });
    }
    let asking = stream::iter(asking).buffer_unordered(limit.get());
    let mut asked: Vec<_> = asking.collect().await;
    asked.sort_unstable_by_key(|(place, _)| *place);
    asked.into_iter().map(|(_, asked)| asked).collect()
}

/// The input of a batch job: one record a line, each under its id.
pub fn to_jsonl(items: &[(String, Ask)]) -> String {
    let mut lines = String::new();
    for (id, ask) in items {
        let mut input = json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": ask.max_tokens,
            "messages": [{ "role": "user", "content": ask.prompt }],
        });
        if let Some(system) = &ask.system {
            input["system"] = json!(system);
        }
        lines += &json!({ "recordId": id, "modelInput": input }).to_string();
        lines.push('\n');
    }
    lines
}

/// What became of each item, in the order of the items, from the output of a batch job.
pub fn join(items: &[(String, Ask)], output: &str) -> Vec<(String, Result<Reply, RecordError>)> {
    let records = output.lines().filter_map(|line| {
        let record: Value = serde_json::from_str(line).ok()?;
        Some((record["recordId"].as_str()?.to_owned(), read(&record)))
    });
    let records: HashMap<_, _> = records.collect();
    let outcome = |id: &str| {
        records
            .get(id)
            .cloned()
            .unwrap_or(Err(RecordError::Missing))
    };
    items
        .iter()
        .map(|(id, _)| (id.clone(), outcome(id)))
        .collect()
}

/// A record of the output: it has `modelOutput`, or `error` in its place.
fn read(record: &Value) -> Result<Reply, RecordError> {
    let error = &record["error"];
    if let Some(code) = error["errorCode"].as_u64() {
        let message = error["errorMessage"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        return Err(RecordError::Failed { code, message });
    }
    let output = &record["modelOutput"];
    let blocks = output["content"].as_array();
    let stop = output["stop_reason"].as_str();
    let (Some(blocks), Some(stop)) = (blocks, stop) else {
        return Err(RecordError::Unreadable);
    };
    Ok(Reply {
        text: blocks.iter().filter_map(|b| b["text"].as_str()).collect(),
        stop: stop.to_owned(),
    })
}

/// The shortest time limit that a job can be given. Until then it may be waiting for its turn.
const SHORTEST_TIMEOUT: Duration = Duration::from_hours(24);

/// Whether `n` questions are something for a batch job, which takes at least `min_records` and must be
/// over in `deadline`.
pub fn worth_batching(n: usize, min_records: usize, deadline: Duration) -> bool {
    n >= min_records && deadline >= SHORTEST_TIMEOUT
}
