//! The bounded record of every request and what was answered.
//!
//! A [`Record`] is what is kept: the request and the answer as they are, and a few numbers. An
//! [`Entry`] is what people and tests read; it is made of a record when somebody asks, so a request
//! pays for no JSON and no sentence that nobody reads.
//!
//! Read in this order: `record` (what is kept), `entry` (what is read), `answer` (what was answered,
//! decoded), `secrets` (what is left out), `copy_as` and `har` (forms to take away), `rust_code` (one of
//! them), `keep` (a request as a script and as a test).

mod answer;
mod copy_as;
mod entry;
mod har;
mod keep;
mod record;
mod rust_code;
mod secrets;

use std::{collections::VecDeque, sync::Arc};

pub use answer::message;
pub(crate) use answer::{body_json, frames, whole_json};
pub use copy_as::Again;
pub use entry::{Caller, Entry, FrameEntry, Usage};
pub(crate) use har::har;
pub(crate) use record::{Measured, Record};
pub use secrets::redacted;
pub(crate) use secrets::redacted_target;

/// The last requests, oldest first. Full means the oldest go.
#[derive(Debug)]
pub(crate) struct Journal {
    records: VecDeque<Arc<Record>>,
    capacity: usize,
    bytes_max: usize,
    bytes: usize,
}

impl Journal {
    /// An empty journal that keeps at most `capacity` requests of `bytes_max` bytes in all. The
    /// newest request is kept however long it is.
    pub(crate) fn new(capacity: usize, bytes_max: usize) -> Self {
        Self {
            records: VecDeque::new(),
            capacity: capacity.max(1),
            bytes_max,
            bytes: 0,
        }
    }

    /// Records one request.
    pub(crate) fn push(&mut self, record: Arc<Record>) {
        self.bytes += record.weight();
        self.records.push_back(record);
        while self.records.len() > self.capacity
            || (self.bytes > self.bytes_max && self.records.len() > 1)
        {
            let Some(oldest) = self.records.pop_front() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(oldest.weight());
        }
    }

    /// What it holds, oldest first.
    pub(crate) fn records(&self) -> Vec<Arc<Record>> {
        self.records.iter().cloned().collect()
    }

    /// The request of that number. The newest are asked for most.
    pub(crate) fn find(&self, seq: u64) -> Option<Arc<Record>> {
        let mut newest_first = self.records.iter().rev();
        newest_first.find(|record| record.seq == seq).cloned()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }
}
