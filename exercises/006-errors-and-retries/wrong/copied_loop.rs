//! dies in: what_heals_by_waiting_is_told_from_the_rest, what_waiting_does_not_heal_is_asked_once, only_one_layer_retries, a_hint_is_read_in_its_own_unit, pauses_double_and_are_jittered, no_pause_is_longer_than_the_cap, the_services_hint_is_the_least_pause, after_the_deadline_nobody_waits, a_policy_of_no_attempts_still_asks_once, what_is_permanent_ends_it
//!
//! The loop from the articles, line for line: catch everything, double the pause, and hope. It knows
//! neither the kinds of errors nor chance, cap, deadline and hint, and runs on top of the SDK's own.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::Duration;

use aws_sdk_bedrockruntime::{Client, error::SdkError, operation::converse::ConverseError};

pub use given::{AskError, Fault, Policy, RealTiming, Reply, Timing, request, text_of};

/// What a failure means for the next try.
pub fn classify(_: &SdkError<ConverseError>) -> Fault {
    Fault::Transient
}

/// Calls `attempt` until it succeeds, or fails for good, or `policy` has had enough. Returns what the
/// last try returned.
pub async fn with_backoff<T, E, F, Fut>(
    policy: &Policy,
    timing: &impl Timing,
    _: impl Fn(&E) -> Fault + Send,
    mut attempt: F,
) -> Result<T, E>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: Send,
{
    let max_retries = policy.max_attempts;
    for i in 0..max_retries {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if i == max_retries - 1 => return Err(error),
            Err(_) => {
                let delay = 2_u64.saturating_pow(i).saturating_mul(1_000);
                timing.sleep(Duration::from_millis(delay)).await;
            }
        }
    }
    // Where the articles' language returns `undefined`.
    unreachable!("the loop returns")
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
    let mut attempts = 0;
    let outcome = with_backoff(policy, timing, classify, || {
        attempts += 1;
        request(client, model, prompt, max_tokens).send()
    })
    .await;
    match outcome {
        Ok(output) => Ok(Reply {
            text: text_of(&output),
            attempts,
        }),
        Err(error) => Err(AskError {
            attempts,
            source: Box::new(error),
        }),
    }
}
