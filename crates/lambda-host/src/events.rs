//! Asynchronous invocations: queued, tried again, and told about at their end.
//!
//! Attempts and delays are AWS's (developer guide, asynchronous invocation): a function's error is
//! tried again twice, after one minute and then two; throttling and the host's own failures go back
//! to the queue, first for a second, in the end for five minutes, until the event is too old.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use time::OffsetDateTime;

use crate::{
    FunctionConfig, Invocation, InvokeError, Invoked, ThrottleReason, host::Shared, ids, run::run,
};

/// Events that may wait at once.
const WAITING_MAX: usize = 10_000;

/// The pause before each retry of a function's error.
const RETRY_PAUSE: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// The first and the longest pause of a throttled event.
const THROTTLE_PAUSE: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(5)];

/// An event that was queued: on the wire, status 202.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The invocation's id, the same in every attempt.
    pub request_id: String,
}

/// How an asynchronous invocation ended: what a destination or a dead-letter queue is told.
#[derive(Debug, Clone)]
pub struct EventOutcome {
    /// The function.
    pub function: Arc<FunctionConfig>,
    /// The invocation's id.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
    /// Why it is over.
    pub condition: Condition,
    /// How often the function was invoked.
    pub attempts: u32,
    /// What the last attempt answered, if there was one.
    pub last: Option<Invoked>,
}

/// Why an asynchronous invocation is over. The names are those of `requestContext.condition` in
/// Lambda's destination records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The function handled it.
    Success,
    /// The function failed as often as it may.
    RetriesExhausted,
    /// It grew too old before it was handled.
    EventAgeExceeded,
    /// The function is gone, or its reserved concurrency is zero.
    ZeroReservedConcurrency,
}

impl Condition {
    /// The word in a destination record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
        }
    }
}

/// Hears how each asynchronous invocation ended.
#[derive(Clone, Default)]
pub struct EventSink(Option<Arc<dyn Fn(EventOutcome) + Send + Sync>>);

impl<F: Fn(EventOutcome) + Send + Sync + 'static> From<F> for EventSink {
    fn from(hear: F) -> Self {
        Self(Some(Arc::new(hear)))
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventSink").field(&self.0.is_some()).finish()
    }
}

/// The events of a host that wait or run.
#[derive(Debug)]
pub(crate) struct Queue {
    sink: EventSink,
    waiting: AtomicUsize,
}

impl Queue {
    pub(crate) fn new(sink: EventSink) -> Self {
        Self {
            sink,
            waiting: AtomicUsize::new(0),
        }
    }
}

/// Takes an event that has been checked.
pub(crate) fn accept(
    shared: &Arc<Shared>,
    function: Arc<FunctionConfig>,
    mut invocation: Invocation,
) -> Result<Accepted, InvokeError> {
    shared.check_open()?;
    let waiting = &shared.events.waiting;
    if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
        waiting.fetch_sub(1, Ordering::Relaxed);
        let reason = ThrottleReason::CallerRateLimitExceeded;
        return Err(InvokeError::TooManyRequests(reason));
    }
    let request_id = invocation.request_id.take();
    let request_id = request_id.unwrap_or_else(ids::request_id);
    invocation.request_id = Some(request_id.clone());
    let event = Event {
        accepted: shared.clock.now(),
        shared: Arc::clone(shared),
        function,
        invocation,
    };
    tokio::spawn(async move {
        let shared = Arc::clone(&event.shared);
        let outcome = tokio::select! {
            outcome = event.deliver() => Some(outcome),
            () = shared.closing() => None,
        };
        shared.events.waiting.fetch_sub(1, Ordering::Relaxed);
        if let (Some(outcome), Some(hear)) = (outcome, &shared.events.sink.0) {
            hear(outcome);
        }
    });
    Ok(Accepted { request_id })
}

struct Event {
    accepted: OffsetDateTime,
    shared: Arc<Shared>,
    function: Arc<FunctionConfig>,
    invocation: Invocation,
}

impl Event {
    /// Tries until it is over.
    async fn deliver(self) -> EventOutcome {
        let mut attempts = 0;
        let mut last = None;
        let mut throttle_pause = THROTTLE_PAUSE[0];
        let condition = loop {
            let pause = match self.attempt().await {
                Ok(invoked) => {
                    attempts += 1;
                    let failed = invoked.function_error.is_some();
                    last = Some(invoked);
                    if !failed {
                        break Condition::Success;
                    }
                    let retries = attempts - 1;
                    if retries >= self.function.event_retries_max {
                        break Condition::RetriesExhausted;
                    }
                    RETRY_PAUSE[usize::from(retries > 0)]
                }
                Err(InvokeError::ResourceNotFound(_)) => break Condition::ZeroReservedConcurrency,
                Err(_) if self.function.reserved_concurrency == Some(0) => {
                    break Condition::ZeroReservedConcurrency;
                }
                Err(_) => {
                    let pause = throttle_pause;
                    throttle_pause = (pause * 2).min(THROTTLE_PAUSE[1]);
                    pause
                }
            };
            let age = self.shared.clock.now() - self.accepted;
            if age + pause > self.function.event_age_max {
                break Condition::EventAgeExceeded;
            }
            self.shared.clock.sleep(pause).await;
        };
        EventOutcome {
            function: self.function,
            request_id: self.invocation.request_id.unwrap_or_default(),
            payload: self.invocation.payload,
            condition,
            attempts,
            last,
        }
    }

    async fn attempt(&self) -> Result<Invoked, InvokeError> {
        let permit = self.shared.permit(&self.function.name)?;
        run(Arc::clone(&self.shared), permit, self.invocation.clone()).await
    }
}
