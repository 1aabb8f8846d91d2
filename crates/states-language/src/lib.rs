//! The Amazon States Language, interpreted: a definition becomes a [`StateMachine`], an input becomes
//! an [`Execution`], and whoever drives it runs the tasks.
//!
//! There is no I/O here, no clock and no random source: every call is handed the time, and jitter,
//! UUIDs and `States.MathRandom` come from a seed. The same definition, input, seed and calls give the
//! same history, byte for byte. That is what lets a driver choose between real and virtual time.
//!
//! ```
//! use std::sync::Arc;
//! use states_language::{Command, ContextInfo, Execution, Outcome, StateMachine};
//! use serde_json::json;
//! use time::OffsetDateTime;
//!
//! let machine = StateMachine::parse(r#"{
//!     "StartAt": "Double",
//!     "States": {"Double": {
//!         "Type": "Task",
//!         "Resource": "arn:aws:lambda:us-east-1:123456789012:function:double",
//!         "End": true
//!     }}
//! }"#).unwrap();
//! let now = OffsetDateTime::UNIX_EPOCH;
//! let context = ContextInfo::named("arn:aws:states:us-east-1:123456789012:stateMachine:demo", "run-1");
//! let mut execution = Execution::start(Arc::new(machine), json!(21), context, 7, now);
//! for command in execution.poll(now) {
//!     if let Command::Task(task) = command {
//!         let doubled = task.input.as_i64().unwrap() * 2;
//!         execution.complete(task.token, Ok(json!(doubled)), now);
//!     }
//! }
//! execution.poll(now);
//! assert_eq!(*execution.outcome(), Outcome::Succeeded(json!(42)));
//! ```
//!
//! Read in this order: [`machine`] (what a definition is), [`parse`] (how text becomes one, and what is
//! refused), [`path`], [`intrinsic`], [`template`] and [`choice`] (how data is taken and made),
//! [`execution`] (how it runs), [`history`] (what it leaves behind).
//!
//! Evidence is named in comments: *recorded* (answers of AWS), *measured* (what others saw AWS answer),
//! *documented* (the States Language specification and the developer guide), *inferred*.
//!
//! Not supported, and said so by a diagnostic: JSONata, workflow variables (`Assign`), distributed Map,
//! `.sync`, `.waitForTaskToken` and activities.

mod choice;
mod context;
mod diagnostic;
mod execution;
mod failure;
mod history;
mod intrinsic;
mod machine;
mod parse;
mod path;
mod payload;
mod retry;
mod rng;
mod template;

pub use context::ContextInfo;
pub use diagnostic::{Code, Diagnostic, invalid_definition};
pub use execution::{Command, Execution, Outcome, Task, TaskToken};
pub use failure::TaskFailure;
pub use history::{Data, Details, EventType, HistoryEvent};
pub use machine::{Resource, StateMachine};

/// What bounds a definition and an execution, with the figures of AWS's quotas where it has one.
pub mod limits {
    /// Bytes of a definition.
    pub const DEFINITION_BYTES: usize = 1 << 20;
    /// Bytes of any input, output or result, as JSON text.
    pub const PAYLOAD_BYTES: usize = 256 << 10;
    /// Events of a history; the last one says that the execution failed.
    pub const HISTORY_EVENTS: u64 = 25_000;
    /// Characters of a state's name.
    pub const STATE_NAME_CHARS: usize = 80;
    /// Iterations of an inline Map that run at once, whatever `MaxConcurrency` says.
    pub const MAP_CONCURRENCY: usize = 40;
    /// Calls of intrinsic functions within each other.
    pub const INTRINSIC_DEPTH: usize = 10;
    /// Arrays and objects within each other in any payload: what readers of JSON accept (ours).
    pub const PAYLOAD_DEPTH: usize = 100;
    /// Transitions that one [`poll`](crate::Execution::poll) makes before it returns (ours).
    pub const STEPS_PER_POLL: usize = 250;
    /// Bytes of inputs and outputs that a history keeps; later ones are marked as truncated (ours).
    pub const HISTORY_BYTES: usize = 32 << 20;
}
