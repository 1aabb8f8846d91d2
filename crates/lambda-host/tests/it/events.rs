//! Asynchronous invocations: attempts, delays, ends.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use lambda_host::{Clock, Condition, EventOutcome, Invocation, Setup, Sleep};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::fixture::{answer, host_with};

/// A clock that is at the end of every pause at once, and remembers the pauses.
#[derive(Debug)]
struct Leaps {
    now: Mutex<OffsetDateTime>,
    pauses: Mutex<Vec<u64>>,
}

impl Clock for Leaps {
    fn now(&self) -> OffsetDateTime {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, delay: Duration) -> Sleep {
        *self.now.lock().unwrap() += delay;
        self.pauses.lock().unwrap().push(delay.as_secs());
        Box::pin(tokio::task::yield_now())
    }
}

struct Events {
    host: lambda_host::Host,
    clock: Arc<Leaps>,
    ended: mpsc::UnboundedReceiver<EventOutcome>,
}

impl Events {
    fn new(change: impl FnOnce(&mut lambda_host::FunctionConfig)) -> Self {
        let clock = Arc::new(Leaps {
            now: Mutex::new(OffsetDateTime::UNIX_EPOCH),
            pauses: Mutex::default(),
        });
        let (end, ended) = mpsc::unbounded_channel();
        let setup = Setup {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            events: (move |outcome| _ = end.send(outcome)).into(),
            ..Setup::default()
        };
        Self {
            host: host_with(setup, change),
            clock,
            ended,
        }
    }

    async fn run(&mut self, event: &str) -> EventOutcome {
        let invocation = Invocation::new(event.to_owned());
        let accepted = self.host.invoke_async("f", invocation).unwrap();
        let outcome = self.ended.recv().await.unwrap();
        assert_eq!(outcome.request_id, accepted.request_id);
        outcome
    }

    fn pauses(&self) -> Vec<u64> {
        std::mem::take(&mut self.clock.pauses.lock().unwrap())
    }
}

#[tokio::test]
async fn a_failing_event_is_tried_three_times_under_one_id() {
    let mut events = Events::new(|_| {});
    let outcome = events.run(r#"{"do":"fail"}"#).await;
    assert_eq!(
        (outcome.condition, outcome.attempts),
        (Condition::RetriesExhausted, 3)
    );
    assert_eq!(events.pauses(), [60, 120]);
    let last = outcome.last.unwrap();
    assert_eq!(last.request_id, outcome.request_id);
    assert!(last.function_error.is_some());

    let outcome = events.run(r#"{"do":"echo"}"#).await;
    assert_eq!(
        (outcome.condition, outcome.attempts),
        (Condition::Success, 1)
    );
    assert_eq!(
        answer(&events.host, r#"{"do":"count"}"#).await["handled"],
        5
    );
    events.host.close().await;
}

#[tokio::test]
async fn retries_and_age_are_the_functions_own() {
    let mut events = Events::new(|config| config.event_retries_max = 0);
    let outcome = events.run(r#"{"do":"exit"}"#).await;
    assert_eq!(
        (outcome.condition, outcome.attempts),
        (Condition::RetriesExhausted, 1)
    );
    assert!(events.pauses().is_empty());
    events.host.close().await;

    let mut events = Events::new(|config| config.event_age_max = Duration::from_mins(1));
    let outcome = events.run(r#"{"do":"fail"}"#).await;
    // One retry after a minute; the second would come after three.
    assert_eq!(
        (outcome.condition, outcome.attempts),
        (Condition::EventAgeExceeded, 2)
    );
    assert_eq!(events.pauses(), [60]);
    events.host.close().await;
}

#[tokio::test]
async fn a_throttled_event_waits_longer_and_longer_until_it_is_too_old() {
    let clock = Arc::new(Leaps {
        now: Mutex::new(OffsetDateTime::UNIX_EPOCH),
        pauses: Mutex::default(),
    });
    let (end, mut ended) = mpsc::unbounded_channel();
    let setup = Setup {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        events: (move |outcome| _ = end.send(outcome)).into(),
        account_concurrency: 0,
        ..Setup::default()
    };
    let host = host_with(setup, |config| {
        config.event_age_max = Duration::from_mins(20);
    });
    host.invoke_async("f", Invocation::new("{}")).unwrap();
    let outcome: EventOutcome = ended.recv().await.unwrap();
    assert_eq!(
        (outcome.condition, outcome.attempts),
        (Condition::EventAgeExceeded, 0)
    );
    let pauses = clock.pauses.lock().unwrap().clone();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
}

#[tokio::test]
async fn a_function_that_is_off_or_gone_drops_its_events() {
    let mut events = Events::new(|config| config.reserved_concurrency = Some(0));
    let outcome = events.run("{}").await;
    assert_eq!(outcome.condition, Condition::ZeroReservedConcurrency);
    let refused = events.host.invoke_async("nobody", Invocation::default());
    assert_eq!(refused.unwrap_err().code(), "ResourceNotFoundException");
}
