//! One execution as it is kept: the interpreter's state, and how others reach its driver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use states_language::{Execution, Outcome};
use time::OffsetDateTime;
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{
    machine::{Machine, Revision, seconds},
    pace::Pace,
};

/// One execution.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) arn: Arc<str>,
    pub(super) name: String,
    pub(super) machine_arn: String,
    pub(super) machine_name: String,
    /// The machine when it began.
    pub(super) revision: Arc<Revision>,
    /// As it was sent.
    pub(super) input: String,
    pub(super) trace_header: Option<String>,
    pub(super) started: OffsetDateTime,
    pub(super) pace: Arc<Pace>,
    execution: Mutex<Execution>,
    /// Wakes the driver: somebody else has changed the execution.
    pub(super) wake: Notify,
    /// Whether it is over.
    over: watch::Sender<bool>,
    driver: Mutex<Option<AbortHandle>>,
}

/// What an execution is made of, beside its machine.
pub(super) struct Begun {
    pub(super) arn: Arc<str>,
    pub(super) name: String,
    pub(super) input: String,
    pub(super) trace_header: Option<String>,
    pub(super) pace: Arc<Pace>,
    pub(super) execution: Execution,
    pub(super) started: OffsetDateTime,
}

impl Run {
    pub(super) fn new(machine: &Machine, begun: Begun) -> Self {
        Self {
            arn: begun.arn,
            name: begun.name,
            machine_arn: machine.arn.clone(),
            machine_name: machine.name.clone(),
            revision: Arc::clone(&machine.revision),
            input: begun.input,
            trace_header: begun.trace_header,
            started: begun.started,
            pace: begun.pace,
            execution: Mutex::new(begun.execution),
            wake: Notify::new(),
            over: watch::Sender::new(false),
            driver: Mutex::default(),
        }
    }

    /// Held for one step, never across an await.
    pub(super) fn execution(&self) -> MutexGuard<'_, Execution> {
        self.execution
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn driven_by(&self, driver: AbortHandle) {
        let mut place = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(driver);
    }

    /// Ends the driver, and with it every task.
    pub(super) fn abandon(&self) {
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(driver) = &*driver {
            driver.abort();
        }
        self.over.send_replace(true);
    }

    /// Tells whoever waits that it is over.
    pub(super) fn finished(&self) {
        self.over.send_replace(true);
    }

    /// Ends when it is over.
    pub(super) async fn ended(&self) {
        let mut over = self.over.subscribe();
        // The sender lives as long as this.
        let _ = over.wait_for(|over| *over).await;
    }

    pub(super) fn status(&self) -> &'static str {
        status(self.execution().outcome())
    }

    /// As in `ListExecutions`.
    pub(super) fn listed(&self) -> Value {
        let mut told = self.told(&self.execution());
        told["redriveCount"] = 0.into();
        told
    }

    /// What every answer tells of it.
    fn told(&self, execution: &Execution) -> Value {
        let mut told = json!({
            "executionArn": &*self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": status(execution.outcome()),
            "startDate": seconds(self.started),
        });
        if let Some(at) = execution.stopped_at() {
            told["stopDate"] = seconds(at);
        }
        told
    }

    /// As in `DescribeExecution` and `StartSyncExecution`, as far as they are the same.
    pub(super) fn described(&self, with_data: bool) -> Value {
        let execution = self.execution();
        let mut told = self.told(&execution);
        if let Some(header) = &self.trace_header {
            told["traceHeader"] = header.as_str().into();
        }
        if with_data {
            told["input"] = self.input.as_str().into();
        }
        told["inputDetails"] = json!({"included": with_data});
        match execution.outcome() {
            Outcome::Succeeded(output) => {
                if with_data {
                    told["output"] = output.to_string().into();
                }
                told["outputDetails"] = json!({"included": with_data});
            }
            Outcome::Failed { error, cause } | Outcome::Aborted { error, cause } => {
                for (member, value) in [("error", error), ("cause", cause)] {
                    if let Some(value) = value.as_ref().filter(|_| with_data) {
                        told[member] = value.as_str().into();
                    }
                }
            }
            // Measured: neither error nor cause.
            Outcome::TimedOut | Outcome::Running => {}
        }
        told
    }

    /// About how many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.execution().history_bytes() + self.input.len() + self.revision.definition.len()
    }
}

fn status(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Running => "RUNNING",
        Outcome::Succeeded(_) => "SUCCEEDED",
        Outcome::Failed { .. } => "FAILED",
        Outcome::TimedOut => "TIMED_OUT",
        Outcome::Aborted { .. } => "ABORTED",
    }
}
