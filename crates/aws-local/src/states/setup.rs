//! What can be chosen about the service.

use std::sync::Arc;

use super::{Integrations, Listener, TaskRunner};
use crate::clock::{Clock, SystemClock};

/// How a service differs from a plain one.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Stamps events and ends waits.
    pub clock: Arc<dyn Clock>,
    /// Whether executions wait.
    pub time: Time,
    /// Runs all tasks, in place of Lambda and the other AWS services: for tests and exercises whose tasks
    /// are closures of their own.
    pub tasks: Option<Arc<dyn TaskRunner>>,
    /// Sees every event of every history as it happens.
    pub listener: Listener,
    /// Decides jitter, `States.UUID` and `States.MathRandom`, beside the execution's name.
    pub seed: u64,
    /// How many executions of an account are kept beside those that run; the oldest that ended go
    /// first.
    pub executions_kept: usize,
    /// How many executions of an account may run at once (on AWS: a million).
    pub executions_running: usize,
    /// How many bytes of histories of ended executions are kept for an account.
    pub history_bytes: usize,
}

/// Whether executions wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Time {
    /// As long as the clock says.
    #[default]
    Real,
    /// Not at all. As soon as nothing of an execution is at work, its own time jumps to whatever it
    /// waits for: a Wait state, a retry's interval, a timeout. Its history shows the times at which
    /// all that would have happened. A task that works takes as long as it takes.
    Virtual,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            time: Time::Real,
            tasks: None,
            listener: Listener::default(),
            seed: 1,
            executions_kept: 1_000,
            executions_running: 1_000,
            history_bytes: 64 << 20,
        }
    }
}

pub(super) struct Defaults {
    pub(super) runner: Arc<dyn TaskRunner>,
    pub(super) integrations: Option<Arc<Integrations>>,
}

impl Setup {
    pub(super) fn runner(&self) -> Defaults {
        if let Some(tasks) = &self.tasks {
            return Defaults {
                runner: Arc::clone(tasks),
                integrations: None,
            };
        }
        let integrations = Arc::new(Integrations::default());
        Defaults {
            runner: Arc::clone(&integrations) as Arc<dyn TaskRunner>,
            integrations: Some(integrations),
        }
    }
}
