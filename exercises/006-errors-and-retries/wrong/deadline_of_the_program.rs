//! dies in: after_the_deadline_nobody_waits
//!
//! Measures the deadline from the clock's own beginning.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::Duration;

use aws_sdk_bedrockruntime::{
    Client, Config,
    config::{http::HttpResponse, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::converse::ConverseError,
};

pub use given::{AskError, Fault, Policy, RealTiming, Reply, Timing, request, text_of};

/// What a failure means for the next try.
pub fn classify(error: &SdkError<ConverseError>) -> Fault {
    match error {
        // The answer did not come, or came in pieces: the next one may.
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            return Fault::Transient;
        }
        _ => {}
    }
    match error.code() {
        Some("ThrottlingException" | "ModelNotReadyException") => Fault::Throttled {
            retry_after: error.raw_response().and_then(retry_after),
        },
        Some(
            "ServiceUnavailableException" | "InternalServerException" | "ModelTimeoutException",
        ) => Fault::Transient,
        // Everything else, and everything that nobody has seen yet: who repeats what they do not
        // understand repeats a mistake.
        _ => Fault::Permanent,
    }
}

/// `x-amz-retry-after` counts milliseconds, HTTP's own `retry-after` seconds. HTTP allows a date there,
/// too; who wants to read that needs a clock that agrees with the other side's.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.headers().get(name)?.trim().parse::<u64>().ok();
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
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
    // The upper end of the next pause. Doubling it step by step cannot overflow: it is capped.
    let mut limit = policy.base.min(policy.cap);
    let mut made = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        made += 1;
        let hint = match classify(&error) {
            Fault::Permanent => return Err(error),
            Fault::Transient => None,
            Fault::Throttled { retry_after } => retry_after,
        };
        // Checked after the first try, so that no attempts at all count as one.
        if made >= policy.max_attempts {
            return Err(error);
        }
        // Full jitter: anywhere between nothing and the limit, so that clients that failed together
        // do not come back together. Only the service itself knows a better time, and says at least.
        let pause = limit.mul_f64(timing.random()).max(hint.unwrap_or_default());
        // What is decided is the end of the pause, so a caller never waits for a try that would
        // come too late. The tries' own time counts, too.
        let elapsed = timing.now();
        if elapsed.saturating_add(pause) > policy.deadline {
            return Err(error);
        }
        timing.sleep(pause).await;
        limit = limit.saturating_mul(2).min(policy.cap);
    }
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
    // The SDK repeats by itself: three attempts, unless somebody says otherwise. Two layers multiply,
    // so for this one request the SDK's is switched off; everything else of the client stays.
    let single = Config::builder().retry_config(RetryConfig::disabled());
    let mut attempts = 0;
    let outcome = with_backoff(policy, timing, classify, || {
        attempts += 1;
        request(client, model, prompt, max_tokens)
            .customize()
            .config_override(single.clone())
            .send()
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
