//! What passes between an execution and its driver.

use std::sync::Arc;

use serde_json::Value;
use time::Duration;

use crate::machine::Resource;

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run this task and report with [`complete`](crate::Execution::complete).
    Task(Task),
    /// Nobody waits for this task any more: it timed out, its neighbour failed, or the execution ended.
    Cancel(TaskToken),
}

/// A task to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Names the task in [`complete`](crate::Execution::complete).
    pub token: TaskToken,
    /// The name of its state.
    pub state: String,
    /// What to call.
    pub resource: Resource,
    /// With what: the event of a function, the parameters of a service.
    pub input: Arc<Value>,
    /// The execution cancels the task after this time by itself.
    pub timeout: Option<Duration>,
    /// It does so too when no [`heartbeat`](crate::Execution::heartbeat) comes for this long.
    pub heartbeat: Option<Duration>,
    /// The role of the state's `Credentials`.
    pub role_arn: Option<String>,
}

/// Names a task within its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskToken(pub(super) u64);

/// How an execution stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not at its end.
    Running,
    /// With its output.
    Succeeded(Value),
    /// With the error and cause of `DescribeExecution`; a Fail state may give neither.
    Failed {
        /// The error's name.
        error: Option<String>,
        /// Why.
        cause: Option<String>,
    },
    /// After the machine's `TimeoutSeconds`.
    TimedOut,
    /// By [`stop`](crate::Execution::stop).
    Aborted {
        /// As given to `stop`.
        error: Option<String>,
        /// As given to `stop`.
        cause: Option<String>,
    },
}
