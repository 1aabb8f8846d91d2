//! The event log that the site follows: `.workshop/live.jsonl`, one JSON object a line.
//!
//! Writers append whole lines (`O_APPEND`): the runner in whatever process it runs
//! (`workshop check`, `workshop watch`, the site's own button), and the testkit inside the
//! student's test process, which writes [`Event::Request`] lines. The site reads from the end on.
//! A plain `cargo test` in an editor lights the diagram the same way.

use serde::{Deserialize, Serialize};

use crate::{Outcome, TestResult};

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A check began.
    Started {
        /// The exercise's id.
        exercise: String,
        /// Milliseconds since the Unix epoch.
        t: i64,
    },
    /// Cargo finished one more crate.
    Building {
        /// The exercise's id.
        exercise: String,
        /// Crates done.
        done: usize,
        /// Crates in all.
        total: usize,
    },
    /// One test finished.
    Test {
        /// The exercise's id.
        exercise: String,
        /// The result.
        result: TestResult,
    },
    /// The check is over.
    Finished {
        /// The exercise's id.
        exercise: String,
        /// How it ended.
        outcome: Outcome,
        /// Tests that passed.
        passed: usize,
        /// Tests in all.
        total: usize,
        /// Milliseconds since the Unix epoch.
        t: i64,
    },
    /// A request reached the emulator of a test (written by the testkit).
    Request {
        /// The exercise's id.
        exercise: String,
        /// The test's name.
        test: String,
        /// The journal entry and its trace, as `bedrock-emulator` serializes them.
        entry: serde_json::Value,
    },
}
