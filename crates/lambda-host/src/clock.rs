//! The time of day, and waiting. Tests and virtual-time hosts bring their own.

use std::{fmt, pin::Pin, time::Duration};

use time::OffsetDateTime;

/// What a clock's [`sleep`](Clock::sleep) returns.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Stamps log lines and deadlines, and waits between the attempts of asynchronous invocations.
///
/// A function's timeout is not its business: processes live in real time, so timeouts do too.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> OffsetDateTime;
    /// Ends when `delay` has passed on this clock.
    fn sleep(&self, delay: Duration) -> Sleep;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn sleep(&self, delay: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(delay))
    }
}
