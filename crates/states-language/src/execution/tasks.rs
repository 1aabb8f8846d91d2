//! Tasks: what is scheduled, what comes back, what comes too late.

use std::sync::Arc;

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::{
    Command, Execution, Phase, Place, Task, TaskToken, ThreadId, data::refusal, seconds_long,
    states::Run,
};
use crate::{
    TaskFailure,
    failure::{Failure, HEARTBEAT_TIMEOUT, TIMEOUT},
    history::{Details, EventType},
    machine::{Kind, Resource, Seconds, TaskState},
    path::Path,
    payload::Payload,
    template::Env,
};

/// A task that was handed out.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) token: TaskToken,
    deadline: Option<OffsetDateTime>,
    /// How long it may be silent, and since when it is.
    heartbeat: Option<(Duration, OffsetDateTime)>,
}

impl Running {
    /// When it is cancelled, if nothing comes, and whether for its silence.
    fn due(&self) -> Option<(OffsetDateTime, bool)> {
        let silent = self
            .heartbeat
            .and_then(|(longest, since)| since.checked_add(longest))
            .map(|at| (at, true));
        let whole = self.deadline.map(|at| (at, false));
        [silent, whole].into_iter().flatten().min()
    }
}

impl Execution {
    pub(super) fn schedule(
        &mut self,
        id: ThreadId,
        place: &Place,
        task: &TaskState,
        input: &Arc<Value>,
    ) -> Result<Run, Failure> {
        let state = place.state();
        let argument = match &state.parameters {
            Some(template) => self.fill(id, place, template, input)?,
            None => input.clone(),
        };
        let argument = self.checked(id, place, argument)?;
        let timeout = self.duration(id, place, task.timeout.as_ref(), input)?;
        let heartbeat = self.duration(id, place, task.heartbeat.as_ref(), input)?;
        let role_arn = match &task.role_arn {
            Some(source) => Some(self.with_env(id, place, input, |env| source.text(env))?),
            None => None,
        };
        self.record_scheduled(id, task, &argument, (timeout, heartbeat), role_arn.clone());
        if self.history.overflowed() {
            return Ok(Run::Later);
        }
        let token = TaskToken(self.next_token);
        self.next_token += 1;
        let running = Running {
            token,
            deadline: timeout.and_then(|s| self.now.checked_add(seconds_long(s))),
            heartbeat: heartbeat.map(|s| (seconds_long(s), self.now)),
        };
        let due = running.due();
        self.tasks.insert(token, id);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.phase = Phase::Task(running);
        }
        if let Some((at, _)) = due {
            self.set_timer(id, at);
        }
        self.commands.push(Command::Task(Task {
            token,
            state: state.name.clone(),
            resource: task.resource.clone(),
            input: argument.value,
            timeout: timeout.map(seconds_long),
            heartbeat: heartbeat.map(seconds_long),
            role_arn,
        }));
        Ok(Run::Later)
    }

    fn duration(
        &mut self,
        id: ThreadId,
        place: &Place,
        seconds: Option<&Seconds>,
        input: &Value,
    ) -> Result<Option<u64>, Failure> {
        match seconds {
            None => Ok(None),
            Some(Seconds::Fixed(seconds)) => Ok(Some(*seconds)),
            Some(Seconds::Path(path)) => self
                .with_env(id, place, input, |env| positive(path, env))
                .map(Some),
        }
    }

    /// The event that schedules the task, and the one that says it started.
    fn record_scheduled(
        &mut self,
        id: ThreadId,
        task: &TaskState,
        argument: &Payload,
        (timeout, heartbeat): (Option<u64>, Option<u64>),
        role_arn: Option<String>,
    ) {
        let previous = self.threads.get(&id).map_or(0, |thread| thread.previous);
        let input = self.history.data(&argument.text);
        let (scheduled, details, started, started_details) = match &task.resource {
            Resource::LambdaFunction { arn } => (
                EventType::LambdaFunctionScheduled,
                Details::LambdaFunctionScheduled {
                    resource: arn.clone(),
                    input,
                    timeout_in_seconds: timeout,
                    role_arn,
                },
                EventType::LambdaFunctionStarted,
                Details::None,
            ),
            Resource::Service { service, action } => (
                EventType::TaskScheduled,
                Details::TaskScheduled {
                    resource_type: service.clone(),
                    resource: action.clone(),
                    region: self.info.region().to_owned(),
                    // A required member: what the history does not keep is an empty object.
                    parameters: input.unwrap_or_else(|| "{}".into()),
                    timeout_in_seconds: timeout,
                    heartbeat_in_seconds: heartbeat,
                    role_arn,
                },
                EventType::TaskStarted,
                Details::TaskStarted {
                    resource_type: service.clone(),
                    resource: action.clone(),
                },
            ),
        };
        let scheduled = self.record(scheduled, details, previous);
        let started = self.record(started, started_details, scheduled);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.previous = started;
        }
    }

    pub(super) fn task_ended(&mut self, id: ThreadId, result: Result<Value, TaskFailure>) {
        self.unset_timer(id);
        let Some(place) = self.place(id) else { return };
        let Kind::Task(task) = &place.state().kind else {
            return;
        };
        let payload = result.map_err(Failure::from).and_then(|value| {
            Payload::new(value).map_err(|refused| refusal(refused, task.resource.shown()))
        });
        match payload {
            Ok(payload) => {
                self.record_succeeded(id, &task.resource, &payload);
                if !self.history.overflowed() {
                    self.go_on(id, &place, Ok(Run::Result(payload.value)));
                }
            }
            Err(failure) => self.task_failed(id, &place, &task.resource, failure),
        }
    }

    pub(super) fn task_timed_out(&mut self, id: ThreadId) {
        let Some(place) = self.place(id) else { return };
        let Kind::Task(task) = &place.state().kind else {
            return;
        };
        let Some(Phase::Task(running)) = self.threads.get(&id).map(|thread| &thread.phase) else {
            return;
        };
        let silent = running.due().is_some_and(|(_, silent)| silent);
        let token = running.token;
        self.cancel(token);
        let timeout = Failure::new(TIMEOUT, "");
        // A missed heartbeat shows as States.Timeout too (recorded).
        let failure = if silent {
            timeout.also(HEARTBEAT_TIMEOUT)
        } else {
            timeout
        };
        self.task_failed(id, &place, &task.resource, failure);
    }

    pub(super) fn task_beats(&mut self, id: ThreadId) {
        let now = self.now;
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let Phase::Task(running) = &mut thread.phase else {
            return;
        };
        if let Some((_, since)) = &mut running.heartbeat {
            *since = now;
        }
        if let Some((at, _)) = running.due() {
            self.set_timer(id, at);
        }
    }

    fn record_succeeded(&mut self, id: ThreadId, resource: &Resource, payload: &Payload) {
        let output = self.history.data(&payload.text);
        let (event, details) = match resource {
            Resource::LambdaFunction { .. } => (
                EventType::LambdaFunctionSucceeded,
                Details::Succeeded { output },
            ),
            Resource::Service { service, action } => (
                EventType::TaskSucceeded,
                Details::TaskSucceeded {
                    resource_type: service.clone(),
                    resource: action.clone(),
                    output,
                },
            ),
        };
        self.record_next(id, event, details);
    }

    fn task_failed(&mut self, id: ThreadId, place: &Place, resource: &Resource, failure: Failure) {
        let timed_out = failure.error.as_deref() == Some(TIMEOUT);
        let (event, details) = match resource {
            Resource::LambdaFunction { .. } => (
                if timed_out {
                    EventType::LambdaFunctionTimedOut
                } else {
                    EventType::LambdaFunctionFailed
                },
                Details::failed(&failure),
            ),
            Resource::Service { service, action } => (
                if timed_out {
                    EventType::TaskTimedOut
                } else {
                    EventType::TaskFailed
                },
                Details::TaskFailed {
                    resource_type: service.clone(),
                    resource: action.clone(),
                    error: failure.error.clone(),
                    cause: failure.cause.clone().filter(|cause| !cause.is_empty()),
                },
            ),
        };
        self.record_next(id, event, details);
        if !self.history.overflowed() {
            self.failed(id, place, failure);
        }
    }

    /// Records an event that follows the thread's last one.
    pub(super) fn record_next(&mut self, id: ThreadId, event: EventType, details: Details) -> u64 {
        let previous = self.threads.get(&id).map_or(0, |thread| thread.previous);
        let event = self.record(event, details, previous);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.previous = event;
        }
        event
    }
}

/// The number to which `TimeoutSecondsPath` or its like leads.
fn positive(path: &Path, env: &Env<'_>) -> Result<u64, Failure> {
    let text = path.text();
    // Recorded.
    let value = path
        .select(env.root(path))
        .map_err(|missing| Failure::runtime(format!("Invalid path '{text}' : {}", missing.0)))?;
    let number = value.as_u64().filter(|n| (1..=99_999_999).contains(n));
    number.ok_or_else(|| {
        Failure::runtime(format!(
            "The path '{text}' refers to {value}, which is not an integer from 1 to 99999999"
        ))
    })
}
