//! Retries: which errors heal by waiting, how long to wait, when to stop, and in which layer.

use std::time::Duration;

use aws_sdk_bedrockruntime::{
    config::{self, http::HttpResponse, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use tokio::time::{Instant, sleep};

// region: sdk-only
/// The one layer most services need: the SDK's own, with your numbers.
pub fn patient(config: config::Builder) -> config::Builder {
    config
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(4)
                .with_initial_backoff(Duration::from_millis(200))
                .with_max_backoff(Duration::from_secs(5)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_secs(20))
                .operation_timeout(Duration::from_secs(45)) // all attempts and pauses together
                .build(),
        )
}
// endregion: sdk-only

/// The other choice: this module's loop, and an SDK that tries once.
pub fn once(config: config::Builder) -> config::Builder {
    config.retry_config(RetryConfig::disabled())
}

// region: classify
/// What a failure means for the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Too much at once; the service may have said how long to wait.
    Throttled {
        /// The wait that the service asked for.
        hint: Option<Duration>,
    },
    /// May heal by itself.
    Transient,
    /// The same request will fail again.
    Permanent,
}

/// Sorts a failure of any Bedrock operation.
pub fn classify<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Verdict {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => return Verdict::Transient,
        // A broken connection heals; missing credentials and a bad endpoint do not.
        SdkError::DispatchFailure(e) if e.is_io() || e.is_timeout() || e.as_other().is_some() => {
            return Verdict::Transient;
        }
        _ => {}
    }
    match error.code() {
        Some("ThrottlingException" | "ModelNotReadyException") => Verdict::Throttled {
            hint: error.raw_response().and_then(retry_after),
        },
        Some(
            "ServiceUnavailableException" | "InternalServerException" | "ModelTimeoutException",
        ) => Verdict::Transient,
        // No code: something between here and Bedrock answered.
        None if error.raw_response().is_some_and(is_gateway_trouble) => Verdict::Transient,
        _ => Verdict::Permanent,
    }
}

fn is_gateway_trouble(response: &HttpResponse) -> bool {
    matches!(response.status().as_u16(), 500 | 502..=504)
}

/// `x-amz-retry-after` counts milliseconds, HTTP's own `retry-after` seconds.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.headers().get(name)?.parse::<u64>().ok();
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}
// endregion: classify

// region: policy
/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Attempts in all; 0 counts as 1.
    pub max_attempts: u32,
    /// Upper end of the first pause.
    pub base: Duration,
    /// Upper end of every pause, unless the service asks for more.
    pub cap: Duration,
    /// No pause ends later than this after the first attempt began.
    pub deadline: Duration,
}

impl Policy {
    /// The pause before the next attempt; `None`: give up. `failures` counts from 1, `random`
    /// is a number from 0.0 to 1.0.
    pub fn pause(
        &self,
        failures: u32,
        elapsed: Duration,
        verdict: Verdict,
        random: f64,
    ) -> Option<Duration> {
        let hint = match verdict {
            Verdict::Permanent => return None,
            Verdict::Transient => Duration::ZERO,
            Verdict::Throttled { hint } => hint.unwrap_or_default(),
        };
        // Full jitter, from nothing to the doubled limit: clients that failed together come
        // back apart.
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let limit = self.base.saturating_mul(doubled).min(self.cap);
        let pause = limit.mul_f64(random.clamp(0.0, 1.0)).max(hint);
        let in_time = elapsed.saturating_add(pause) <= self.deadline;
        (failures < self.max_attempts && in_time).then_some(pause)
    }
}
// endregion: policy

// region: backoff
/// Runs `attempt` until it succeeds or the policy gives up.
pub async fn with_backoff<T, E, F>(
    policy: &Policy,
    mut random: impl FnMut() -> f64,
    classify: impl Fn(&E) -> Verdict,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let begin = Instant::now();
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        failures += 1;
        match policy.pause(failures, begin.elapsed(), classify(&error), random()) {
            Some(pause) => sleep(pause).await,
            None => return Err(error),
        }
    }
}
// endregion: backoff

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use aws_sdk_bedrockruntime::config;
    use workshop_testkit::{Fault, Lab, Step};

    use super::{Policy, Verdict, classify, once, patient, with_backoff};
    use crate::direct::{AskError, ask};

    const POLICY: Policy = Policy {
        max_attempts: 5,
        base: Duration::from_millis(100),
        cap: Duration::from_millis(400),
        deadline: Duration::from_mins(1),
    };

    /// The pauses of an attempt that fails at once, again and again.
    fn pauses(policy: Policy, random: f64, verdict: Verdict) -> Vec<u128> {
        let mut elapsed = Duration::ZERO;
        let next = |failures| {
            let pause = policy.pause(failures, elapsed, verdict, random)?;
            elapsed += pause;
            Some(pause.as_millis())
        };
        (1..).map_while(next).collect()
    }

    #[test]
    fn pauses_double_up_to_the_cap_and_are_jittered() {
        let transient = Verdict::Transient;
        assert_eq!(pauses(POLICY, 1.0, transient), [100, 200, 400, 400]);
        assert_eq!(pauses(POLICY, 0.5, transient), [50, 100, 200, 200]);
        assert_eq!(pauses(POLICY, 0.0, transient), [0, 0, 0, 0]);
        assert_eq!(pauses(POLICY, f64::INFINITY, transient)[0], 100);
    }

    #[test]
    fn a_hint_is_the_shortest_pause_and_a_deadline_the_end() {
        let throttled = |ms| Verdict::Throttled {
            hint: Some(Duration::from_millis(ms)),
        };
        assert_eq!(pauses(POLICY, 0.5, throttled(150)), [150, 150, 200, 200]);
        assert_eq!(pauses(POLICY, 0.5, throttled(900)), [900; 4]);
        let hurried = Policy {
            deadline: Duration::from_millis(250),
            ..POLICY
        };
        assert_eq!(pauses(hurried, 1.0, Verdict::Transient), [100]);
        assert!(pauses(hurried, 1.0, throttled(900)).is_empty());
        assert!(pauses(hurried, 1.0, throttled(u64::MAX)).is_empty());
    }

    #[test]
    fn what_cannot_heal_is_tried_once_and_so_is_a_policy_of_no_attempts() {
        assert!(pauses(POLICY, 1.0, Verdict::Permanent).is_empty());
        let none = Policy {
            max_attempts: 0,
            ..POLICY
        };
        assert!(pauses(none, 1.0, Verdict::Transient).is_empty());
        let endless = Policy {
            max_attempts: u32::MAX,
            ..POLICY
        };
        let late = endless.pause(1_000, Duration::ZERO, Verdict::Transient, 1.0);
        assert_eq!(late, Some(POLICY.cap));
    }

    #[tokio::test]
    async fn each_of_bedrocks_errors_has_its_verdict() {
        let hint = Some(Duration::from_millis(1500));
        for (fault, wanted) in [
            (
                Fault::Throttling {
                    retry_after_ms: Some(1500),
                },
                Verdict::Throttled { hint },
            ),
            (Fault::ModelNotReady, Verdict::Throttled { hint: None }),
            (Fault::ServiceUnavailable, Verdict::Transient),
            (Fault::InternalServer, Verdict::Transient),
            (Fault::ModelTimeout, Verdict::Transient),
            (Fault::Disconnect, Verdict::Transient),
            (Fault::ModelError, Verdict::Permanent),
            (Fault::AccessDenied, Verdict::Permanent),
            (Fault::Validation("no".into()), Verdict::Permanent),
            (Fault::ResourceNotFound("no".into()), Verdict::Permanent),
            (Fault::ServiceQuotaExceeded, Verdict::Permanent),
        ] {
            let lab = Lab::start().await;
            lab.script([Step::Fault(fault.clone())]);
            let failed = ask(&lab.client(), &lab.profile("haiku"), "Hello", 64).await;
            let Err(AskError::Sdk(error)) = failed else {
                panic!("{fault:?}: {failed:?}");
            };
            assert_eq!(classify(&error), wanted, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_signed_is_not_tried_again() {
        let unsigned = config::Builder::new()
            .behavior_version(config::BehaviorVersion::latest())
            .region(config::Region::new("us-east-1"))
            .endpoint_url("http://127.0.0.1:9")
            .build();
        let client = aws_sdk_bedrockruntime::Client::from_conf(unsigned);
        let failed = ask(&client, "any", "Hello", 64).await;
        let Err(AskError::Sdk(error)) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(classify(&error), Verdict::Permanent, "{error:?}");
    }

    #[tokio::test]
    async fn one_layer_retries_whichever_it_is() {
        let faults = || {
            [
                Step::Fault(Fault::ServiceUnavailable),
                Step::Fault(Fault::Throttling {
                    retry_after_ms: Some(1),
                }),
                Step::text("Hello"),
            ]
        };
        let lab = Lab::start().await;
        lab.script(faults());
        let model = lab.profile("haiku");
        let client = lab.client_with(|c| {
            let quick = super::RetryConfig::standard()
                .with_max_attempts(4)
                .with_initial_backoff(Duration::from_millis(1));
            patient(c).retry_config(quick)
        });
        ask(&client, &model, "Hello", 64).await.unwrap();
        let invocations: BTreeSet<_> = lab.calls().into_iter().map(|c| c.invocation).collect();
        assert_eq!((lab.calls().len(), invocations.len()), (3, 1));

        let lab = Lab::start().await;
        lab.script(faults());
        let client = lab.client_with(once);
        let sort = |e: &AskError| match e {
            AskError::Sdk(e) => classify(e),
            AskError::NoText(_) | AskError::Incomplete(_) => Verdict::Permanent,
        };
        // Spawned, because a server's task must be able to hold it.
        tokio::spawn(async move {
            let attempt = || ask(&client, &model, "Hello", 64);
            with_backoff(&POLICY, || 0.0, sort, attempt).await
        })
        .await
        .unwrap()
        .unwrap();
        let calls = lab.calls();
        let invocations: BTreeSet<_> = calls.iter().map(|c| &c.invocation).collect();
        assert_eq!((calls.len(), invocations.len()), (3, 3));
        assert!(calls.iter().all(|c| c.attempt == 1));
    }
}
