//! Assertions that teach.

use std::{
    fmt::{Debug, Display},
    future::Future,
    time::Duration,
};

/// One thing a test insists on, and why it matters on the job.
///
/// A failure is at most twelve lines:
///
/// ```text
/// 001/3 WIRE inferenceConfig.maxTokens
///   saw     nothing
///   wanted  64
///   why     without a limit one runaway answer costs as much as a hundred good ones
///   read    README.md "Limits" · workshop hint 001 2
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Point {
    id: &'static str,
    phase: &'static str,
    why: &'static str,
    read: &'static str,
}

impl Point {
    /// A point about what left the process. `id` is `001/3`; `read` names a section of the task or
    /// a hint.
    pub const fn wire(id: &'static str, why: &'static str, read: &'static str) -> Self {
        Self {
            id,
            phase: "WIRE",
            why,
            read,
        }
    }

    /// A point about what the student's function returned.
    pub const fn result(id: &'static str, why: &'static str, read: &'static str) -> Self {
        Self {
            id,
            phase: "RESULT",
            why,
            read,
        }
    }

    /// A point about what must not have happened.
    pub const fn restraint(id: &'static str, why: &'static str, read: &'static str) -> Self {
        Self {
            id,
            phase: "RESTRAINT",
            why,
            read,
        }
    }

    /// Fails unless `saw == wanted`.
    #[track_caller]
    pub fn equal<T: PartialEq<U> + Debug, U: Debug>(&self, what: &str, saw: T, wanted: U) {
        if saw != wanted {
            self.fail(what, format!("{saw:?}"), format!("{wanted:?}"));
        }
    }

    /// Fails unless `ok`.
    #[track_caller]
    pub fn holds(&self, what: &str, ok: bool, saw: impl Display, wanted: impl Display) {
        if !ok {
            self.fail(what, saw, wanted);
        }
    }

    /// Fails.
    #[track_caller]
    pub fn fail(&self, what: &str, saw: impl Display, wanted: impl Display) -> ! {
        panic!(
            "{} {} {what}\n  saw     {saw}\n  wanted  {wanted}\n  why     {}\n  read    {}",
            self.id, self.phase, self.why, self.read
        )
    }
}

/// How long [`within`] waits.
const LIMIT: Duration = Duration::from_secs(5);

/// Awaits `future`, and fails with the point's sentence instead of hanging if it is not ready after
/// five seconds. Only a wrong solution ever waits that long.
pub async fn within<F: Future>(point: &Point, what: &str, future: F) -> F::Output {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(output) => output,
        Err(_) => point.fail(what, "nothing for 5 seconds", "it to happen"),
    }
}
