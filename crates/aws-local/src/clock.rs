//! Time: the system's, or one that a test moves by hand.
//!
//! Visibility timeouts, delays, leases and schedules ask a [`Clock`], never the system, so that a
//! test of a thirty-second timeout takes no thirty seconds.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;
use tokio::sync::watch;

/// Tells the time, and waits.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> OffsetDateTime;

    /// Ends when that moment has come; at once when it is past.
    fn until(&self, moment: OffsetDateTime) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The system's time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn until(&self, moment: OffsetDateTime) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let left = moment - self.now();
        // Not negative: past moments are over.
        let left = left.try_into().unwrap_or_default();
        Box::pin(tokio::time::sleep(left))
    }
}

/// Time that stands still until somebody moves it.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<watch::Sender<OffsetDateTime>>,
    /// Moving is one step, also when two threads do it.
    moving: Arc<Mutex<()>>,
}

impl ManualClock {
    /// A clock that stands at that moment.
    pub fn at(moment: OffsetDateTime) -> Self {
        Self {
            now: Arc::new(watch::Sender::new(moment)),
            moving: Arc::default(),
        }
    }

    /// Moves it on.
    pub fn advance(&self, by: time::Duration) {
        let _one_at_a_time = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let now = *self.now.borrow();
        self.now.send_replace(now + by);
    }

    /// How many waits are under way. A test that moves time first sees that whoever is to wait does.
    pub fn waits(&self) -> usize {
        self.now.receiver_count()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *self.now.borrow()
    }

    fn until(&self, moment: OffsetDateTime) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // Once the clock is gone its time stands still for ever.
            if now.wait_for(|now| *now >= moment).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_manual_clock_ends_waits_when_it_gets_there() {
        let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH);
        let moment = clock.now() + Duration::seconds(30);
        let mut wait = clock.until(moment);
        clock.advance(Duration::seconds(29));
        let early = ready(&mut wait);
        assert!(!early, "a second too early");
        assert_eq!(clock.waits(), 1);
        clock.advance(Duration::seconds(1));
        wait.await;
        // What is past is over.
        clock.until(OffsetDateTime::UNIX_EPOCH).await;
        SystemClock.until(OffsetDateTime::UNIX_EPOCH).await;
    }

    /// Whether the future is ready at its first look.
    fn ready(wait: &mut Pin<Box<dyn Future<Output = ()> + Send>>) -> bool {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        wait.as_mut().poll(&mut cx).is_ready()
    }
}
