//! The event log that the site follows: `.workshop/live.jsonl`, one JSON object a line.
//!
//! Writers append whole lines (`O_APPEND`): the runner in whatever process it runs
//! (`workshop check`, `workshop watch`, the site's own button), and the testkit inside the
//! student's test process, which writes [`Event::Request`] lines. The site reads from the end on.
//! A plain `cargo test` in an editor lights the diagram the same way.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{Outcome, Problem, TestResult};

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
    /// The check that has just begun talks to real Bedrock; its verdict does not count as progress.
    Bedrock {
        /// The exercise's id.
        exercise: String,
    },
    /// Cargo finished one more crate. Only sent for builds that take noticeable time.
    Building {
        /// The exercise's id.
        exercise: String,
        /// Crates done.
        done: usize,
        /// Crates in all.
        total: usize,
    },
    /// Something a waiting person wants to know: waiting for another cargo, downloading.
    Note {
        /// The exercise's id.
        exercise: String,
        /// A sentence.
        text: String,
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
        /// What the compiler said about the student's file, or why the set-up is broken.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        diagnostics: Vec<String>,
        /// The compiler's messages as data, one for each of `diagnostics`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        problems: Vec<Problem>,
        /// Milliseconds since the Unix epoch.
        t: i64,
    },
    /// The check was cancelled (a newer save, Ctrl-C): there is no verdict.
    Stopped {
        /// The exercise's id.
        exercise: String,
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

/// Above this size the log is emptied when a check begins.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Appends to the log. Whoever comes first creates it.
#[derive(Debug)]
pub struct Log {
    file: File,
}

impl Log {
    /// Opens the log to append; empties it first when it has grown over 4 MB.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        if file.metadata()?.len() > MAX_BYTES {
            file.set_len(0)?;
        }
        Ok(Self { file })
    }

    /// Appends one event, in one write, so that lines of several writers never mix.
    pub fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// Milliseconds since the Unix epoch, now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
