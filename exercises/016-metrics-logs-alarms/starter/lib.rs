//! Exercise 016: metrics, logs and alarms.
//!
//! One line for each call that CloudWatch makes metrics of, and four alarms on those metrics. This is
//! the only file you edit; what they are made of stands in `given.rs`. The task is in `README.md`;
//! `workshop hint 016` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::io::Write;

use serde_json::Value;

pub use given::*;

/// The record as a document in CloudWatch's embedded metric format.
pub fn emf(record: &CallRecord, now_ms: u64) -> Value {
    todo!("016/1: make a document in the embedded metric format of {record:?}, at {now_ms}")
}

/// [`converse`] for at most [`Ask::timeout`], and one line about it on `sink`, however it ends.
pub async fn ask_observed(
    app: &App,
    ask: &Ask,
    sink: &mut (dyn Write + Send),
    clock: &dyn Clock,
) -> Result<Reply, AskError> {
    let _ = (app, sink, clock);
    todo!(
        "016/1: ask {} and write one line on the sink, however it ends",
        ask.model
    )
}

/// The alarms `throttles`, `p95-latency`, `hourly-cost` and `no-data`.
pub fn alarms(p: &AlarmParams) -> Vec<Alarm> {
    todo!("016/1: four alarms on the calls of {}", p.model)
}
