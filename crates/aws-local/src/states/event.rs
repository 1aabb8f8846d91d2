//! What happens in executions, for whoever wants to see it as it happens.

use std::{collections::HashMap, fmt, sync::Arc};

use bedrock_emulator::trace::{TraceEvent, TraceStatus};
use states_language::{Details, EventType, HistoryEvent};

/// An event of one execution.
#[derive(Debug, Clone)]
pub struct ExecutionEvent {
    /// Of the execution.
    pub execution_arn: Arc<str>,
    /// As in its history.
    pub event: HistoryEvent,
    /// The state that it is about, if it is about one.
    pub state: Option<String>,
    /// The state from which this one was reached.
    pub came_from: Option<String>,
}

/// Hears of events; must return quickly. The default hears nothing.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Hear>>);

type Hear = dyn Fn(&ExecutionEvent) + Send + Sync;

impl Listener {
    /// One that is called with every event.
    pub fn new(hear: impl Fn(&ExecutionEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    pub(super) fn hears(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn tell(&self, event: &ExecutionEvent) {
        if let Some(hear) = &self.0 {
            hear(event);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.hears()).finish()
    }
}

impl ExecutionEvent {
    /// As light on a diagram whose nodes are states, `SFN.Invoke`, and whose edges lead from state to
    /// state, `SFN.Preprocess-SFN.Invoke`: a state that is entered, or in which a task fails.
    pub fn trace(&self) -> Option<TraceEvent> {
        let state = self.state.as_ref()?;
        let node = format!("SFN.{state}");
        let (status, edge, words) = match &self.event.details {
            Details::StateEntered { .. } => {
                let status = match self.event.event_type {
                    EventType::FailStateEntered => TraceStatus::Denied,
                    _ => TraceStatus::Ok,
                };
                let from = self.came_from.as_ref();
                let edge = from.map(|from| format!("SFN.{from}-{node}"));
                (status, edge, "entered".to_owned())
            }
            Details::Failed { error, .. } | Details::TaskFailed { error, .. } => {
                let status = match self.event.event_type {
                    EventType::ExecutionFailed => TraceStatus::Denied,
                    // It may be tried again.
                    _ => TraceStatus::Throttled,
                };
                (status, None, error.clone().unwrap_or_default())
            }
            _ => return None,
        };
        let t = self.event.timestamp.unix_timestamp_nanos() / 1_000_000;
        Some(TraceEvent {
            node,
            edge,
            status,
            request_id: self.execution_arn.to_string(),
            t: i64::try_from(t).unwrap_or_default(),
            note: words,
        })
    }
}

/// Follows a history to tell which state each event is about: events name their predecessor, and only
/// entering and leaving name the state.
#[derive(Debug, Default)]
pub(super) struct Teller {
    told: usize,
    /// The state of each event, by its place.
    states: Vec<Option<u32>>,
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Teller {
    /// What has happened since the last time.
    pub(super) fn next(
        &mut self,
        execution_arn: &Arc<str>,
        history: &[HistoryEvent],
    ) -> Vec<ExecutionEvent> {
        let mut events = Vec::new();
        for event in history.iter().skip(self.told) {
            let before = usize::try_from(event.previous_event_id).unwrap_or_default();
            let before = before.checked_sub(1).and_then(|at| self.states.get(at));
            let before = before.copied().flatten();
            let (state, came_from) = match &event.details {
                Details::StateEntered { name, .. } => (Some(self.number(name)), before),
                Details::StateExited { name, .. } => (Some(self.number(name)), None),
                _ => (before, None),
            };
            self.states.push(state);
            let name = |number: u32| self.names.get(number as usize).cloned();
            events.push(ExecutionEvent {
                execution_arn: Arc::clone(execution_arn),
                event: event.clone(),
                state: state.and_then(name),
                came_from: came_from.and_then(name),
            });
        }
        self.told = history.len();
        events
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        let number = u32::try_from(self.names.len()).unwrap_or_default();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}
