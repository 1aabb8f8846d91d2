//! Exercise 006, solved another way: errors by status, pauses from a schedule that knows
//! nothing of tries, and tries that know nothing of pauses.
//!
//! `workshop verify` runs the tests against this one too: they must not insist on one way of writing.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{ops::ControlFlow, time::Duration};

use aws_sdk_bedrockruntime::{
    Client,
    config::retry::RetryConfig,
    error::SdkError,
    operation::converse::{ConverseError, ConverseOutput},
};

pub use given::{AskError, Fault, Policy, RealTiming, Reply, Timing, request, text_of};

/// What a failure means for the next try.
pub fn classify(error: &SdkError<ConverseError>) -> Fault {
    let SdkError::ServiceError(answered) = error else {
        return match error {
            SdkError::ConstructionFailure(_) => Fault::Permanent,
            _ => Fault::Transient,
        };
    };
    let headers = answered.raw().headers();
    match answered.raw().status().as_u16() {
        429 => Fault::Throttled {
            retry_after: [("x-amz-retry-after", 1), ("retry-after", 1_000)]
                .into_iter()
                .find_map(|(name, unit)| Some((headers.get(name)?.parse::<u64>().ok()?, unit)))
                .map(|(count, unit)| Duration::from_millis(count.saturating_mul(unit))),
        },
        408 | 500 | 503 => Fault::Transient,
        _ => Fault::Permanent,
    }
}

/// When the next try may come.
struct Schedule<'a, T> {
    policy: &'a Policy,
    timing: &'a T,
    begin: Duration,
    pauses: u32,
}

impl<T: Timing> Schedule<'_, T> {
    fn next(&mut self, fault: Fault) -> ControlFlow<(), Duration> {
        let at_least = match fault {
            Fault::Permanent => return ControlFlow::Break(()),
            Fault::Transient | Fault::Throttled { retry_after: None } => Duration::ZERO,
            Fault::Throttled {
                retry_after: Some(hint),
            } => hint,
        };
        self.pauses += 1;
        let growth = 2_u32.saturating_pow(self.pauses - 1);
        let upper = self.policy.cap.min(self.policy.base.saturating_mul(growth));
        let pause =
            Duration::from_secs_f64(upper.as_secs_f64() * self.timing.random()).max(at_least);
        let over = (self.timing.now() - self.begin).checked_add(pause);
        let in_time = over.is_some_and(|over| over <= self.policy.deadline);
        if self.pauses < self.policy.max_attempts && in_time {
            ControlFlow::Continue(pause)
        } else {
            ControlFlow::Break(())
        }
    }
}

/// Calls `attempt` until it succeeds, or fails for good, or `policy` has had enough. Returns what the
/// last try returned.
pub async fn with_backoff<T, E, F, Fut>(
    policy: &Policy,
    timing: &impl Timing,
    classify: impl Fn(&E) -> Fault + Send,
    mut attempt: F,
) -> Result<T, E>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: Send,
{
    let mut schedule = Schedule {
        policy,
        timing,
        begin: timing.now(),
        pauses: 0,
    };
    let mut outcome = attempt().await;
    while let Err(error) = &outcome {
        let ControlFlow::Continue(pause) = schedule.next(classify(error)) else {
            break;
        };
        // A pause of nothing is no pause.
        if !pause.is_zero() {
            timing.sleep(pause).await;
        }
        outcome = attempt().await;
    }
    outcome
}

async fn once(
    client: Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
) -> Result<ConverseOutput, Box<SdkError<ConverseError>>> {
    let asked = request(&client, model, prompt, max_tokens).send().await;
    asked.map_err(Box::new)
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
    // The same connections, another rule: a client is a handle.
    let config = client.config().to_builder();
    let single = Client::from_conf(config.retry_config(RetryConfig::disabled()).build());
    let mut attempts = 0;
    let attempt = || {
        attempts += 1;
        once(single.clone(), model, prompt, max_tokens)
    };
    let outcome = with_backoff(policy, timing, |error| classify(error), attempt).await;
    outcome
        .map(|output| Reply {
            text: text_of(&output),
            attempts,
        })
        .map_err(|source| AskError { attempts, source })
}
