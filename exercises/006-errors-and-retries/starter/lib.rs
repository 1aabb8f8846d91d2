//! Exercise 006: errors and retries.
//!
//! Tell the failures that heal by waiting from all others, and wait for them: with jitter, a cap, a
//! deadline and the service's own hint, in one layer. This is the only file you edit; the types stand
//! in `given.rs`. The task is in `README.md`; `workshop hint 006` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{Client, error::SdkError, operation::converse::ConverseError};

pub use given::{AskError, Fault, Policy, RealTiming, Reply, Timing, request, text_of};

/// What a failure means for the next try.
pub fn classify(error: &SdkError<ConverseError>) -> Fault {
    todo!("006/1: say whether waiting heals this: {error}")
}

/// Calls `attempt` until it succeeds, or fails for good, or `policy` has had enough. Returns what the
/// last try returned.
pub async fn with_backoff<T, E, F, Fut>(
    policy: &Policy,
    timing: &impl Timing,
    classify: impl Fn(&E) -> Fault + Send,
    attempt: F,
) -> Result<T, E>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: Send,
{
    let _ = (timing, classify, attempt);
    todo!("006/2: try, wait and try again as {policy:?} says")
}

/// Asks `model` with Converse, again and again as `policy` says. One try is one request, whatever the
/// client's own configuration says about retries.
pub async fn ask_retrying(
    client: &Client,
    policy: &Policy,
    timing: &impl Timing,
    model: &str,
    prompt: &str,
    max_tokens: i32,
) -> Result<Reply, AskError> {
    let _ = (client, policy, timing);
    todo!("006/3: ask {model} {prompt:?} (at most {max_tokens} tokens) with your own retries alone")
}
