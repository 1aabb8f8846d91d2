//! Entering, running and leaving a state.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{Entered, Execution, Outcome, Phase, Place, ThreadId, seconds_long};
use crate::{
    choice::timestamp,
    context::Standing,
    failure::{Failure, NO_CHOICE_MATCHED},
    history::{Details, EventType},
    machine::{ChoiceState, Kind, Next, StateId, Until},
    path::Path,
    payload::{Payload, Refused},
    template::{Context, Env, Template, TextSource},
};

/// AWS waits for at most 2^31 seconds (recorded: 24,855 days are accepted, 24,856 are not).
const LONGEST_WAIT: u64 = 2_147_483_647;

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
                    also: None,
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

    /// The input after `InputPath`.
    pub(super) fn effective_input(
        &mut self,
        id: ThreadId,
        place: &Place,
    ) -> Result<Arc<Value>, Failure> {
        let input = self.input_of(id);
        taken(
            &self.context(id, place),
            place.state().input_path.as_ref(),
            &input,
        )
    }

    fn input_of(&self, id: ThreadId) -> Arc<Value> {
        self.threads
            .get(&id)
            .map_or_else(|| Arc::new(Value::Null), |t| t.input.value.clone())
    }

    /// Runs `with` on an environment over that input.
    pub(super) fn with_env<T>(
        &mut self,
        id: ThreadId,
        place: &Place,
        input: &Value,
        with: impl FnOnce(&mut Env<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // The generator leaves the execution for a moment, because the context borrows the rest.
        let mut rng = self.rng.clone();
        let result = {
            let context = self.context(id, place);
            with(&mut Env::new(input, &context, &mut rng))
        };
        self.rng = rng;
        result
    }

    /// The context object of a thread's state.
    fn context<'a>(&'a self, id: ThreadId, place: &'a Place) -> Context<'a> {
        let state = place.state();
        let thread = self.threads.get(&id);
        let retried = thread.map_or(0, |thread| thread.retries.iter().sum());
        let can_be_retried = matches!(state.kind, Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_));
        Context::new(Standing {
            info: &self.info,
            input: &self.input.value,
            started: self.started,
            state: &state.name,
            entered: thread.map_or(self.now, |thread| thread.entered.at),
            retry_count: can_be_retried.then_some(retried),
            item: thread.and_then(|thread| thread.item.as_ref()),
        })
    }

    pub(super) fn fill(
        &mut self,
        id: ThreadId,
        place: &Place,
        template: &Template,
        input: &Value,
    ) -> Result<Arc<Value>, Failure> {
        self.with_env(id, place, input, |env| template.fill(env))
            .map(Arc::new)
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

    fn wait(
        &mut self,
        id: ThreadId,
        place: &Place,
        until: &Until,
        input: &Arc<Value>,
    ) -> Result<Run, Failure> {
        let until = match until {
            Until::Seconds(seconds) => self.in_seconds(*seconds)?,
            Until::Timestamp(at) => self.at_last(*at)?,
            Until::SecondsPath(path) => {
                let seconds = self.with_env(id, place, input, |env| wait_seconds(path, env))?;
                self.in_seconds(seconds)?
            }
            Until::TimestampPath(path) => {
                let at = self.with_env(id, place, input, |env| wait_timestamp(path, env))?;
                self.at_last(at)?
            }
        };
        if until <= self.now {
            return Ok(Run::Leave(input.clone(), place.state().next));
        }
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.phase = Phase::Waiting;
        }
        self.set_timer(id, until);
        Ok(Run::Later)
    }

    fn in_seconds(&self, seconds: u64) -> Result<OffsetDateTime, Failure> {
        let too_long = || Failure::runtime("Wait state delay is too long.");
        if seconds > LONGEST_WAIT {
            return Err(too_long());
        }
        let at = self.now.checked_add(seconds_long(seconds));
        at.ok_or_else(too_long)
    }

    fn at_last(&self, at: OffsetDateTime) -> Result<OffsetDateTime, Failure> {
        let latest = self.in_seconds(LONGEST_WAIT)?;
        if at > latest {
            return Err(Failure::runtime("Wait state delay is too long."));
        }
        Ok(at)
    }

    pub(super) fn wait_over(&mut self, id: ThreadId) {
        let Some(place) = self.place(id) else { return };
        let input = self.effective_input(id, &place);
        let next = place.state().next;
        self.go_on(id, &place, input.map(|input| Run::Leave(input, next)));
    }

    /// `ResultSelector`, `ResultPath` and `OutputPath`.
    fn output(
        &mut self,
        id: ThreadId,
        place: &Place,
        result: Arc<Value>,
    ) -> Result<(Payload, Next), Failure> {
        let state = place.state();
        let result = match &state.result_selector {
            Some(template) => self.fill(id, place, template, &result)?,
            None => result,
        };
        let output = match &state.result_path {
            None => self.input_of(id),
            Some(path) if path.is_whole() => result,
            Some(path) => {
                let input = Arc::unwrap_or_clone(self.input_of(id));
                Arc::new(path.put(input, Arc::unwrap_or_clone(result))?)
            }
        };
        let output = taken(
            &self.context(id, place),
            state.output_path.as_ref(),
            &output,
        )?;
        let payload = self.checked(id, place, output)?;
        Ok((payload, state.next))
    }

    /// Within the limits, or AWS's error.
    pub(super) fn checked(
        &self,
        id: ThreadId,
        place: &Place,
        value: Arc<Value>,
    ) -> Result<Payload, Failure> {
        let made = match self.threads.get(&id) {
            Some(thread) => thread.input.with(value),
            None => Payload::shared(value),
        };
        made.map_err(|refused| refusal(refused, &place.state().name))
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

/// What `InputPath` or `OutputPath` lets through.
fn taken(
    context: &Context<'_>,
    path: Option<&Path>,
    value: &Arc<Value>,
) -> Result<Arc<Value>, Failure> {
    let Some(path) = path else {
        return Ok(Arc::new(Value::Object(Map::new())));
    };
    let root = match path.root {
        crate::path::Root::Input if path.is_whole() => return Ok(value.clone()),
        crate::path::Root::Input => value,
        crate::path::Root::Context => context.value(),
    };
    // Recorded.
    let taken = path.select(root).map_err(|missing| {
        Failure::runtime(format!("Invalid path '{}' : {}", path.text(), missing.0))
    })?;
    Ok(Arc::new(taken.into_owned()))
}

/// Recorded, but for too much nesting, which is ours.
pub(super) fn refusal(refused: Refused, whose: &str) -> Failure {
    match refused {
        Refused::TooLong => Failure::data_limit(whose),
        Refused::TooDeep => Failure::runtime(format!(
            "The state/task '{whose}' returned a result with too many values within each other."
        )),
    }
}

/// The number to which `SecondsPath` leads. Every text is recorded.
fn wait_seconds(path: &Path, env: &Env<'_>) -> Result<u64, Failure> {
    let text = path.text();
    let value = path.select(env.root(path)).map_err(|_| {
        Failure::runtime(format!(
            "The SecondsPath parameter does not reference an input value: {text}"
        ))
    })?;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let number = number.ok_or_else(|| {
        Failure::runtime(format!(
            "The SecondsPath parameter cannot be parsed as a long value: {text} == {}",
            plain(&value)
        ))
    })?;
    u64::try_from(number).map_err(|_| {
        Failure::runtime(format!(
            "The SecondsPath parameter references a negative value: {text} == {number}"
        ))
    })
}

/// The time to which `TimestampPath` leads. The second text is recorded, the first after it.
fn wait_timestamp(path: &Path, env: &Env<'_>) -> Result<OffsetDateTime, Failure> {
    let text = path.text();
    let value = path.select(env.root(path)).map_err(|_| {
        Failure::runtime(format!(
            "The TimestampPath parameter does not reference an input value: {text}"
        ))
    })?;
    value.as_str().and_then(timestamp).ok_or_else(|| {
        Failure::runtime(format!(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
             date-time format string: {text} == {}",
            plain(&value)
        ))
    })
}

/// A text without quotes.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
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
