//! An execution: threads of states, one for the machine and one for each branch and iteration.
//!
//! The driver calls [`Execution::poll`], does what the commands say, and reports with
//! [`Execution::complete`]. Everything happens at the time it hands in:
//!
//! 1. this module keeps threads, timers, commands and the end of the execution;
//! 2. [`states`] enters, runs and leaves a state, with [`data`] for what goes in and comes out;
//! 3. [`tasks`] schedules tasks and hears of their end, [`waits`] waits;
//! 4. [`children`] runs Parallel and Map;
//! 5. [`failures`] retries, catches, or passes a failure on.

mod children;
mod command;
mod data;
mod failures;
mod states;
mod tasks;
mod waits;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::{
    context::{ContextInfo, Item},
    failure::Failure,
    history::{Details, EventType, History, HistoryEvent},
    limits::{HISTORY_EVENTS, STEPS_PER_POLL},
    machine::{ScopeId, State, StateId, StateMachine},
    payload::Payload,
    rng::Rng,
};
use children::Children;
pub use command::{Command, Outcome, Task, TaskToken};
use tasks::Running;

/// One run of a state machine.
#[derive(Debug)]
pub struct Execution {
    machine: Arc<StateMachine>,
    info: ContextInfo,
    input: Payload,
    started: OffsetDateTime,
    now: OffsetDateTime,
    /// When the machine's own `TimeoutSeconds` are over.
    deadline: Option<OffsetDateTime>,
    rng: Rng,
    threads: BTreeMap<ThreadId, Thread>,
    next_thread: ThreadId,
    ready: VecDeque<ThreadId>,
    timers: BTreeSet<(OffsetDateTime, ThreadId)>,
    tasks: BTreeMap<TaskToken, ThreadId>,
    next_token: u64,
    commands: Vec<Command>,
    history: History,
    outcome: Outcome,
}

type ThreadId = u64;

/// Runs through the states of one scope.
#[derive(Debug)]
struct Thread {
    scope: ScopeId,
    state: StateId,
    /// The thread whose Parallel or Map state this one belongs to, and the place in its results.
    parent: Option<(ThreadId, usize)>,
    /// The event that leads to this thread's next one.
    previous: u64,
    /// The state's raw input.
    input: Payload,
    entered: Entered,
    /// Retries made, for each retrier of the state.
    retries: Vec<u64>,
    item: Option<Item>,
    phase: Phase,
    timer: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy)]
struct Entered {
    event: u64,
    at: OffsetDateTime,
}

#[derive(Debug)]
enum Phase {
    /// A new state.
    Enter,
    /// The state again, after a failure.
    Again,
    Waiting,
    Retrying,
    Task(Running),
    Children(Children),
}

impl Execution {
    /// Begins, without going a step: the first [`poll`](Self::poll) does.
    ///
    /// The seed decides jitter, `States.UUID` and `States.MathRandom`.
    pub fn start(
        machine: Arc<StateMachine>,
        input: Value,
        context: ContextInfo,
        seed: u64,
        now: OffsetDateTime,
    ) -> Self {
        let payload = Payload::new(input);
        let refused = payload.as_ref().err().copied();
        let empty = Payload {
            value: Arc::new(Value::Null),
            text: "null".into(),
        };
        let after = |seconds: u64| now.checked_add(seconds_long(seconds));
        let mut execution = Self {
            deadline: machine.timeout_seconds.and_then(after),
            machine,
            info: context,
            input: payload.unwrap_or(empty),
            started: now,
            now,
            rng: Rng::new(seed),
            threads: BTreeMap::new(),
            next_thread: 0,
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            tasks: BTreeMap::new(),
            next_token: 1,
            commands: Vec::new(),
            history: History::default(),
            outcome: Outcome::Running,
        };
        let input = execution.history.data(&execution.input.text);
        let role_arn = execution.info.role_arn.clone();
        let details = Details::ExecutionStarted { input, role_arn };
        execution.record(EventType::ExecutionStarted, details, 0);
        // `StartExecution` refuses such an input before (InvalidExecutionInput).
        if let Some(refused) = refused {
            let failure = data::refusal(refused, &execution.info.state_machine_name);
            execution.fail(&failure, 0);
            return execution;
        }
        let input = execution.input.clone();
        // The first state's previous event is 0, not the start (recorded).
        execution.spawn(0, None, 0, input, None);
        execution
    }

    /// Goes on as far as it gets at `now` and says what is to be done.
    ///
    /// Transitions of one call are limited: when [`next_deadline`](Self::next_deadline) is not later
    /// than `now` afterwards, call again.
    pub fn poll(&mut self, now: OffsetDateTime) -> Vec<Command> {
        self.advance(now);
        for _ in 0..STEPS_PER_POLL {
            if self.is_over() {
                break;
            }
            let Some(thread) = self.ready.pop_front() else {
                break;
            };
            self.step(thread);
            self.end_at_limit();
        }
        std::mem::take(&mut self.commands)
    }

    /// When [`poll`](Self::poll) has something to do again, if no task ends before.
    pub fn next_deadline(&self) -> Option<OffsetDateTime> {
        if !self.commands.is_empty() || !self.ready.is_empty() {
            return Some(self.now);
        }
        let timer = self.timers.first().map(|(at, _)| *at);
        let both = [timer, self.deadline];
        both.into_iter().flatten().min().filter(|_| !self.is_over())
    }

    /// Hears how a task ended. `false` if nobody waits for it: it was cancelled, timed out just now, or
    /// was reported before. Call [`poll`](Self::poll) afterwards.
    pub fn complete(
        &mut self,
        token: TaskToken,
        result: Result<Value, crate::TaskFailure>,
        now: OffsetDateTime,
    ) -> bool {
        self.advance(now);
        let Some(thread) = self.tasks.remove(&token) else {
            return false;
        };
        self.task_ended(thread, result);
        self.end_at_limit();
        true
    }

    /// Hears that a task is alive. `false` if nobody waits for it.
    pub fn heartbeat(&mut self, token: TaskToken, now: OffsetDateTime) -> bool {
        self.advance(now);
        let Some(thread) = self.tasks.get(&token).copied() else {
            return false;
        };
        self.task_beats(thread);
        true
    }

    /// Stops it, as `StopExecution` does. Nothing happens when it is over.
    pub fn stop(&mut self, error: Option<String>, cause: Option<String>, now: OffsetDateTime) {
        self.advance(now);
        if self.is_over() {
            return;
        }
        let details = Details::Failed {
            error: error.clone(),
            cause: cause.clone(),
        };
        // Its previous event is 0 (recorded).
        let end = Outcome::Aborted { error, cause };
        self.end(EventType::ExecutionAborted, details, 0, end);
    }

    /// How it stands.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether it is at its end.
    pub fn is_over(&self) -> bool {
        self.outcome != Outcome::Running
    }

    /// What happened so far, the oldest first.
    pub fn history(&self) -> &[HistoryEvent] {
        self.history.events()
    }

    /// About how many bytes its history holds.
    pub fn history_bytes(&self) -> usize {
        self.history.bytes()
    }

    /// When it ended: the time of its last event.
    pub fn stopped_at(&self) -> Option<OffsetDateTime> {
        let last = self.history.events().last();
        last.map(|event| event.timestamp).filter(|_| self.is_over())
    }

    /// Moves the clock, which never goes back, and does what became due.
    fn advance(&mut self, now: OffsetDateTime) {
        self.now = self.now.max(now);
        while !self.is_over() {
            let timer = self.timers.first().copied();
            let due = timer.filter(|(at, _)| *at <= self.now);
            let over = self.deadline.filter(|at| *at <= self.now);
            match (due, over) {
                (Some((at, thread)), over) if over.is_none_or(|over| at < over) => {
                    self.unset_timer(thread);
                    self.timer_fired(thread);
                    self.end_at_limit();
                }
                (_, Some(_)) => {
                    let details = Details::Failed {
                        error: None,
                        cause: None,
                    };
                    let last = self.history.last_id();
                    self.end(
                        EventType::ExecutionTimedOut,
                        details,
                        last,
                        Outcome::TimedOut,
                    );
                }
                _ => break,
            }
        }
    }

    fn timer_fired(&mut self, id: ThreadId) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        match &thread.phase {
            Phase::Waiting => self.wait_over(id),
            Phase::Retrying => {
                thread.phase = Phase::Again;
                self.ready.push_back(id);
            }
            Phase::Task(_) => self.task_timed_out(id),
            Phase::Enter | Phase::Again | Phase::Children(_) => {}
        }
    }

    fn set_timer(&mut self, id: ThreadId, at: OffsetDateTime) {
        self.unset_timer(id);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.timer = Some(at);
            self.timers.insert((at, id));
        }
    }

    fn unset_timer(&mut self, id: ThreadId) {
        let timer = self.threads.get_mut(&id).and_then(|t| t.timer.take());
        if let Some(at) = timer {
            self.timers.remove(&(at, id));
        }
    }

    /// A thread at the first state of a scope.
    fn spawn(
        &mut self,
        scope: ScopeId,
        parent: Option<(ThreadId, usize)>,
        previous: u64,
        input: Payload,
        item: Option<Item>,
    ) -> ThreadId {
        let id = self.next_thread;
        self.next_thread += 1;
        self.threads.insert(
            id,
            Thread {
                scope,
                state: self.machine.scopes[scope].start_at,
                parent,
                previous,
                input,
                entered: Entered {
                    event: 0,
                    at: self.now,
                },
                retries: Vec::new(),
                item,
                phase: Phase::Enter,
                timer: None,
            },
        );
        self.ready.push_back(id);
        id
    }

    /// Forgets a thread, its task included.
    fn drop_thread(&mut self, id: ThreadId) -> Option<Thread> {
        self.unset_timer(id);
        let thread = self.threads.remove(&id)?;
        if let Phase::Task(running) = &thread.phase {
            self.cancel(running.token);
        }
        Some(thread)
    }

    fn cancel(&mut self, token: TaskToken) {
        if self.tasks.remove(&token).is_none() {
            return;
        }
        // A task that was not handed out yet never will be.
        let before = self.commands.len();
        self.commands
            .retain(|c| !matches!(c, Command::Task(task) if task.token == token));
        if self.commands.len() == before {
            self.commands.push(Command::Cancel(token));
        }
    }

    fn record(&mut self, event_type: EventType, details: Details, previous: u64) -> u64 {
        self.history.record(event_type, details, previous, self.now)
    }

    /// The state in which a thread is, with the machine that owns it.
    fn place(&self, id: ThreadId) -> Option<Place> {
        let thread = self.threads.get(&id)?;
        Some(Place {
            machine: self.machine.clone(),
            scope: thread.scope,
            state: thread.state,
        })
    }

    /// Ends with the failure that nothing caught.
    fn fail(&mut self, failure: &Failure, previous: u64) {
        let end = Outcome::Failed {
            error: failure.error.clone(),
            cause: failure.cause.clone().filter(|cause| !cause.is_empty()),
        };
        self.end(
            EventType::ExecutionFailed,
            Details::failed(failure),
            previous,
            end,
        );
    }

    /// Measured: event 25,000 says that there were too many.
    fn end_at_limit(&mut self) {
        if self.history.overflowed() && !self.is_over() {
            let failure = Failure::runtime(format!(
                "The execution reached the maximum number of history events ({HISTORY_EVENTS})."
            ));
            self.fail(&failure, self.history.last_id());
        }
    }

    fn end(&mut self, event: EventType, details: Details, previous: u64, outcome: Outcome) {
        self.history.push(event, details, previous, self.now);
        for token in self.tasks.keys().copied().collect::<Vec<_>>() {
            self.cancel(token);
        }
        self.threads.clear();
        self.ready.clear();
        self.timers.clear();
        self.deadline = None;
        self.outcome = outcome;
    }
}

/// A state, borrowed from the machine and not from the execution, which changes meanwhile.
struct Place {
    machine: Arc<StateMachine>,
    scope: ScopeId,
    state: StateId,
}

impl Place {
    fn state(&self) -> &State {
        &self.machine.scopes[self.scope].states[self.state]
    }
}

fn seconds_long(seconds: u64) -> Duration {
    Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}
