//! Lent by exercise 006: ask again what passes, later each time, never all at once.

use std::{future::Future, time::Duration};

use super::{AskError, Deps, Fault};

/// How often, and with which pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// The longest first pause.
    pub base: Duration,
    /// The longest pause of all.
    pub cap: Duration,
}

/// Calls `op` until it succeeds, fails for good, or has been called often enough.
pub async fn with_backoff<T, F, Fut>(d: &Deps, mut op: F) -> Result<T, AskError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, AskError>>,
{
    let Policy {
        attempts,
        base,
        cap,
    } = d.retry;
    let mut attempt = 1;
    loop {
        let error = match op().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Fault::Passing { retry_after } = error.fault() else {
            return Err(error);
        };
        if attempt >= attempts {
            return Err(error);
        }
        let doubled = base.saturating_mul(1 << (attempt - 1).min(20));
        let pause = doubled.min(cap).mul_f64(d.chance.draw());
        let pause = pause.max(retry_after.unwrap_or_default());
        aws_smithy_async::rt::sleep::AsyncSleep::sleep(&d.sleep, pause).await;
        attempt += 1;
    }
}
