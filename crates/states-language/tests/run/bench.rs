//! A driver in virtual time: it answers tasks at once and jumps from deadline to deadline.

use std::sync::Arc;

use serde_json::{Value, json};
use states_language::{
    Command, ContextInfo, Execution, Outcome, StateMachine, Task, TaskFailure, TaskToken,
};
use time::{Duration, OffsetDateTime};

pub(crate) const LAMBDA: &str = "arn:aws:lambda:us-east-1:123456789012:function:work";
pub(crate) const INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// What a task answers.
pub(crate) enum Answer {
    Result(Value),
    Failure(&'static str),
    Silence,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Result(value)
    }
}

/// A run at its end, or where nothing more would happen.
pub(crate) struct Run {
    pub(crate) execution: Execution,
    /// The tasks that were handed out, with the seconds since the start.
    pub(crate) tasks: Vec<(f64, Task)>,
    pub(crate) cancelled: Vec<TaskToken>,
}

pub(crate) fn begin() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a time of our era")
}

pub(crate) fn context() -> ContextInfo {
    ContextInfo::named(
        "arn:aws:states:us-east-1:123456789012:stateMachine:orders",
        "run-1",
    )
}

pub(crate) fn machine(definition: &Value) -> Arc<StateMachine> {
    let parsed = StateMachine::parse(&definition.to_string());
    Arc::new(parsed.unwrap_or_else(|found| panic!("{found:#?}")))
}

/// A machine of one state, `It`, which ends it.
pub(crate) fn one(mut state: Value) -> Value {
    if !matches!(state["Type"].as_str(), Some("Succeed" | "Fail" | "Choice")) {
        state["End"] = json!(true);
    }
    json!({"StartAt": "It", "States": {"It": state}})
}

pub(crate) fn start(definition: &Value, input: Value) -> Execution {
    Execution::start(machine(definition), input, context(), 7, begin())
}

/// Runs to the end; no task is expected.
pub(crate) fn run(definition: &Value, input: Value) -> Run {
    run_with(definition, input, |task| {
        panic!("unexpected task {task:?}");
    })
}

pub(crate) fn run_with(
    definition: &Value,
    input: Value,
    mut answer: impl FnMut(&Task) -> Answer,
) -> Run {
    let mut execution = start(definition, input);
    let (mut tasks, mut cancelled) = (Vec::new(), Vec::new());
    let mut now = begin();
    for _ in 0..200_000 {
        for command in execution.poll(now) {
            match command {
                Command::Task(task) => {
                    let result = match answer(&task) {
                        Answer::Result(value) => Some(Ok(value)),
                        Answer::Failure(error) => Some(Err(TaskFailure::new(error, "because"))),
                        Answer::Silence => None,
                    };
                    let token = task.token;
                    tasks.push(((now - begin()).as_seconds_f64(), task));
                    if let Some(result) = result {
                        assert!(execution.complete(token, result, now));
                    }
                }
                Command::Cancel(token) => cancelled.push(token),
            }
        }
        match execution.next_deadline() {
            Some(at) => now = now.max(at),
            None => {
                return Run {
                    execution,
                    tasks,
                    cancelled,
                };
            }
        }
    }
    panic!("the execution does not come to an end");
}

impl Run {
    /// The output of a run that succeeded.
    #[track_caller]
    pub(crate) fn output(&self) -> Value {
        match self.execution.outcome() {
            Outcome::Succeeded(output) => output.clone(),
            other => panic!("not succeeded: {other:?}"),
        }
    }

    /// Error and cause of a run that failed.
    #[track_caller]
    pub(crate) fn failure(&self) -> (String, String) {
        match self.execution.outcome() {
            Outcome::Failed { error, cause } => (
                error.clone().unwrap_or_default(),
                cause.clone().unwrap_or_default(),
            ),
            other => panic!("not failed: {other:?}"),
        }
    }

    /// `3 2 TaskScheduled`, one for each event.
    pub(crate) fn events(&self) -> Vec<String> {
        let events = self.execution.history().iter();
        events
            .map(|e| format!("{} {} {}", e.id, e.previous_event_id, e.event_type.as_str()))
            .collect()
    }

    /// Seconds from the start to the last event.
    pub(crate) fn seconds(&self) -> f64 {
        let last = self
            .execution
            .history()
            .last()
            .expect("an execution starts with an event");
        (last.timestamp - begin()).as_seconds_f64()
    }
}

pub(crate) fn after(seconds: i64) -> OffsetDateTime {
    begin() + Duration::seconds(seconds)
}
