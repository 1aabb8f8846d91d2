//! Entering, running and leaving a state.

use std::sync::Arc;

use serde_json::Value;

use super::{Entered, Execution, Outcome, Phase, Place, ThreadId, data::taken};
use crate::{
    failure::{Failure, NO_CHOICE_MATCHED},
    history::{Details, EventType},
    machine::{ChoiceState, Kind, Next, StateId},
    payload::Payload,
    template::TextSource,
};

/// What a state comes to.
pub(super) enum Run {
    /// It goes on when a timer, a task or a child ends.
    Later,
    /// It has a result.
    Result(Arc<Value>),
    /// It leaves with its input, for that state.
    Leave(Arc<Value>, Next),
    /// It is a Fail state, which may use any name and cause.
    Fail(Failure),
}

impl Execution {
    /// Enters a thread's state, or tries it again.
    pub(super) fn step(&mut self, id: ThreadId) {
        let Some(place) = self.place(id) else { return };
        let state = place.state();
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        if matches!(thread.phase, Phase::Enter) {
            let (previous, text) = (thread.previous, thread.input.text.clone());
            thread.retries = vec![0; state.retry.len()];
            let details = Details::StateEntered {
                name: state.name.clone(),
                input: self.history.data(&text),
            };
            let event = self.record(entered(&state.kind), details, previous);
            if self.history.overflowed() {
                return;
            }
            if let Some(thread) = self.threads.get_mut(&id) {
                thread.previous = event;
                thread.entered = Entered {
                    event,
                    at: self.now,
                };
            }
        }
        let run = self.run(id, &place);
        self.go_on(id, &place, run);
    }

    /// What follows from a state's run.
    pub(super) fn go_on(&mut self, id: ThreadId, place: &Place, run: Result<Run, Failure>) {
        let done = match run {
            Ok(Run::Later) => return,
            Ok(Run::Fail(failure)) => return self.failed(id, place, failure),
            Ok(Run::Result(result)) => self.output(id, place, result),
            Ok(Run::Leave(value, next)) => {
                let path = place.state().output_path.as_ref();
                taken(&self.context(id, place), path, &value)
                    .and_then(|value| self.checked(id, place, value))
                    .map(|payload| (payload, next))
            }
            Err(failure) => Err(failure),
        };
        match done {
            Ok((payload, next)) => self.leave(id, place, payload, next),
            Err(failure) => {
                let failure = self.located(id, place, failure);
                self.failed(id, place, failure);
            }
        }
    }

    fn run(&mut self, id: ThreadId, place: &Place) -> Result<Run, Failure> {
        let state = place.state();
        let input = self.effective_input(id, place)?;
        match &state.kind {
            Kind::Task(task) => self.schedule(id, place, task, &input),
            Kind::Pass(result) => {
                let result = match (result, &state.parameters) {
                    // `Result` wins over `Parameters`, which make the input it replaces.
                    (Some(result), _) => Arc::new(result.clone()),
                    (None, Some(template)) => self.fill(id, place, template, &input)?,
                    (None, None) => input,
                };
                Ok(Run::Result(result))
            }
            Kind::Succeed => Ok(Run::Leave(input, Next::End)),
            Kind::Fail { error, cause } => {
                let error = self.fail_text(id, place, error.as_ref(), &input)?;
                let cause = self.fail_text(id, place, cause.as_ref(), &input)?;
                Ok(Run::Fail(Failure {
                    error,
                    cause,
                    ..Failure::default()
                }))
            }
            Kind::Choice(choice) => {
                let next = self.choose(id, place, choice, &input)?;
                Ok(Run::Leave(input, Next::State(next)))
            }
            Kind::Wait(until) => self.wait(id, place, until, &input),
            Kind::Parallel(branches) => self.start_branches(id, place, branches, &input),
            Kind::Map(map) => self.start_iterations(id, place, map, &input),
        }
    }

    fn fail_text(
        &mut self,
        id: ThreadId,
        place: &Place,
        source: Option<&TextSource>,
        input: &Value,
    ) -> Result<Option<String>, Failure> {
        source
            .map(|source| self.with_env(id, place, input, |env| source.text(env)))
            .transpose()
    }

    fn choose(
        &mut self,
        id: ThreadId,
        place: &Place,
        choice: &ChoiceState,
        input: &Value,
    ) -> Result<StateId, Failure> {
        let chosen = self.with_env(id, place, input, |env| {
            for (rule, next) in &choice.choices {
                if rule.holds(env)? {
                    return Ok(Some(*next));
                }
            }
            Ok(None)
        })?;
        // Measured: the documented States.NoChoiceMatched is not what AWS shows.
        chosen.or(choice.default).ok_or_else(|| {
            Failure::runtime(
                "Failed to transition out of the state. The state does not point to a next state.",
            )
            .also(NO_CHOICE_MATCHED)
        })
    }

    /// Leaves a state with its output.
    pub(super) fn leave(&mut self, id: ThreadId, place: &Place, payload: Payload, next: Next) {
        let state = place.state();
        let Some(previous) = self.threads.get(&id).map(|thread| thread.previous) else {
            return;
        };
        let details = Details::StateExited {
            name: state.name.clone(),
            output: self.history.data(&payload.text),
        };
        let event = self.record(exited(&state.kind), details, previous);
        if self.history.overflowed() {
            return;
        }
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        thread.previous = event;
        match next {
            Next::State(next) => {
                thread.state = next;
                thread.input = payload;
                thread.phase = Phase::Enter;
                self.ready.push_back(id);
            }
            Next::End => self.thread_done(id, &payload),
        }
    }

    fn thread_done(&mut self, id: ThreadId, payload: &Payload) {
        let Some(thread) = self.drop_thread(id) else {
            return;
        };
        if let Some((parent, slot)) = thread.parent {
            return self.child_done(parent, slot, payload, thread.previous);
        }
        let output = self.history.data(&payload.text);
        let details = Details::Succeeded { output };
        let end = Outcome::Succeeded(Value::clone(&payload.value));
        self.end(EventType::ExecutionSucceeded, details, thread.previous, end);
    }

    /// The failure with the words in which AWS says where it happened.
    pub(super) fn located(&self, id: ThreadId, place: &Place, failure: Failure) -> Failure {
        let entered = self
            .threads
            .get(&id)
            .map_or(0, |thread| thread.entered.event);
        failure.in_state(&place.state().name, entered)
    }
}

fn entered(kind: &Kind) -> EventType {
    match kind {
        Kind::Task(_) => EventType::TaskStateEntered,
        Kind::Choice(_) => EventType::ChoiceStateEntered,
        Kind::Wait(_) => EventType::WaitStateEntered,
        Kind::Pass(_) => EventType::PassStateEntered,
        Kind::Succeed => EventType::SucceedStateEntered,
        Kind::Fail { .. } => EventType::FailStateEntered,
        Kind::Parallel(_) => EventType::ParallelStateEntered,
        Kind::Map(_) => EventType::MapStateEntered,
    }
}

fn exited(kind: &Kind) -> EventType {
    match kind {
        Kind::Task(_) => EventType::TaskStateExited,
        Kind::Choice(_) => EventType::ChoiceStateExited,
        Kind::Wait(_) => EventType::WaitStateExited,
        Kind::Pass(_) => EventType::PassStateExited,
        // A Fail state has no such event, because it never leaves.
        Kind::Succeed | Kind::Fail { .. } => EventType::SucceedStateExited,
        Kind::Parallel(_) => EventType::ParallelStateExited,
        Kind::Map(_) => EventType::MapStateExited,
    }
}
