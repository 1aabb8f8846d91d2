//! Exercise 017: batching.
//!
//! Many questions: online, so many at a time; or offline, as the records of a batch job. This is the only
//! file you edit; `Ask`, `Reply` and `converse` stand in `given.rs`. The task is in `README.md`;
//! `workshop hint 017` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{num::NonZeroUsize, time::Duration};

use aws_sdk_bedrockruntime::Client;

pub use given::{Ask, AskError, RecordError, Reply, converse};

/// Asks `model` all `items`, at most `limit` at a time. The results are in the order of the items.
pub async fn map_bounded(
    client: &Client,
    model: &str,
    items: &[Ask],
    limit: NonZeroUsize,
) -> Vec<Result<Reply, AskError>> {
    let _ = client;
    todo!(
        "017/1: ask {model} {} questions, {limit} at a time",
        items.len()
    )
}

/// The input of a batch job: one record a line, each under its id.
pub fn to_jsonl(items: &[(String, Ask)]) -> String {
    todo!("017/1: {} records, one a line", items.len())
}

/// What became of each item, in the order of the items, from the output of a batch job.
pub fn join(items: &[(String, Ask)], output: &str) -> Vec<(String, Result<Reply, RecordError>)> {
    todo!(
        "017/1: find {} records in {} bytes of output",
        items.len(),
        output.len()
    )
}

/// Whether `n` questions are something for a batch job, which takes at least `min_records` and must be
/// over in `deadline`.
pub fn worth_batching(n: usize, min_records: usize, deadline: Duration) -> bool {
    todo!("017/1: {n} questions, at least {min_records} records, {deadline:?} time")
}
