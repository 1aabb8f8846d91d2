//! dies in: an_unreadable_record_is_no_answer
//!
//! An answer that does not say why it ended ended well.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aws_sdk_bedrockruntime::{Client, operation::converse::ConverseError};
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
    let refused = AtomicBool::new(false);
    // Futures do nothing until they are polled, and these live in here: whoever drops `map_bounded` drops
    // all of them, and nobody goes on asking behind the caller's back. (A loop and not `map`: rustc cannot
    // prove yet that a stream of futures from such a closure is `Send`.)
    let mut asking = Vec::with_capacity(items.len());
    for (place, ask) in items.iter().enumerate() {
        let refused = &refused;
        asking.push(async move { (place, ask_one(client, model, ask, refused).await) });
    }
    // `buffered` would keep the order, and let everybody wait for the slowest: an answer that cannot be
    // handed out yet holds its place. So each carries its number, and is sorted at the end.
    let asking = stream::iter(asking).buffer_unordered(limit.get());
    let mut asked: Vec<_> = asking.collect().await;
    asked.sort_unstable_by_key(|(place, _)| *place);
    asked.into_iter().map(|(_, asked)| asked).collect()
}

/// Asks, unless somebody has met a refusal for all, and tells the others of one.
async fn ask_one(
    client: &Client,
    model: &str,
    ask: &Ask,
    refused: &AtomicBool,
) -> Result<Reply, AskError> {
    if refused.load(Ordering::Relaxed) {
        return Err(AskError::Skipped);
    }
    let asked = converse(client, model, ask).await;
    if asked.as_ref().is_err_and(is_for_all) {
        // Those who are on their way already are paid for, and come home.
        refused.store(true, Ordering::Relaxed);
    }
    asked
}

/// Whether the next question would be refused for the same reason.
fn is_for_all(error: &AskError) -> bool {
    let AskError::Sdk(error) = error else {
        return false;
    };
    matches!(
        error.as_service_error(),
        Some(ConverseError::AccessDeniedException(_) | ConverseError::ResourceNotFoundException(_))
    )
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
        // A `Value` prints on one line: a line break in a prompt becomes `\n`, two characters.
        lines += &json!({ "recordId": id, "modelInput": input }).to_string();
        lines.push('\n');
    }
    lines
}

/// What became of each item, in the order of the items, from the output of a batch job.
pub fn join(items: &[(String, Ask)], output: &str) -> Vec<(String, Result<Reply, RecordError>)> {
    // By id, never by place: the output may be in another order, and lines may be missing.
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
    let Some(blocks) = blocks else {
        return Err(RecordError::Unreadable);
    };
    let stop = stop.unwrap_or("end_turn");
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
