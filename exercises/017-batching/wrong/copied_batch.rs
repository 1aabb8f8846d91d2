//! dies in: so_many_at_a_time_and_no_more, a_failure_is_one_questions_own, a_refusal_for_all_stops_all, what_is_on_its_way_comes_home, each_line_is_a_record_that_invoke_model_takes, answers_find_their_questions_by_id, an_unreadable_record_is_no_answer, a_batch_job_is_for_many_who_can_wait
//!
//! "Request batching" from the articles, line for line: everything at once, the first error is the
//! result; a line is a string with the prompt in it, and answers are found by their place.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{num::NonZeroUsize, time::Duration};

use aws_sdk_bedrockruntime::Client;
use futures_util::future::join_all;
use serde_json::Value;

pub use given::{Ask, AskError, RecordError, Reply, converse};

/// Asks `model` all `items`.
pub async fn map_bounded(
    client: &Client,
    model: &str,
    items: &[Ask],
    _limit: NonZeroUsize,
) -> Vec<Result<Reply, AskError>> {
    let mut asking = Vec::new();
    for ask in items {
        asking.push(converse(client, model, ask));
    }
    let all: Result<Vec<Reply>, AskError> = join_all(asking).await.into_iter().collect();
    match all {
        Ok(replies) => replies.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// The input of a batch job.
pub fn to_jsonl(items: &[(String, Ask)]) -> String {
    let mut lines = String::new();
    for (id, ask) in items {
        lines += &format!(
            "{{\"recordId\": \"{id}\", \"modelInput\": {{\"prompt\": \"{}\", \"max_tokens\": {}}}}}\n",
            ask.prompt, ask.max_tokens
        );
    }
    lines
}

/// What became of each item.
pub fn join(items: &[(String, Ask)], output: &str) -> Vec<(String, Result<Reply, RecordError>)> {
    let records = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    items
        .iter()
        .zip(records)
        .map(|((id, _), record)| {
            let output = &record["modelOutput"];
            let text = output["content"][0]["text"].as_str().unwrap_or_default();
            let stop = output["stop_reason"].as_str().unwrap_or_default();
            let (text, stop) = (text.to_owned(), stop.to_owned());
            (id.clone(), Ok(Reply { text, stop }))
        })
        .collect()
}

/// Whether to use a batch job.
pub fn worth_batching(n: usize, _min_records: usize, _deadline: Duration) -> bool {
    n > 1
}
