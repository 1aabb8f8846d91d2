//! The program that Lambda starts behind the queue. `Deps` is made here, once for each environment; `worker`
//! then works one batch off after the other. The function behind the API has the same `Deps` and is a call
//! of `lambda_http::run` with `tickets`.
//!
//! For AWS it is built with `cargo lambda build`, or for the function's processor and under the name
//! `bootstrap`. `tests/check.rs` runs it as a function that a queue invokes.

use std::{env, time::Duration};

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_async::{
    rt::sleep::{SharedAsyncSleep, TokioSleep},
    time::SharedTimeSource,
};
use aws_types::{SdkConfig, sdk_config::RetryConfig};
use ex020::{Chance, Deps, Guard, Log, Model, Policy, Trouble, worker};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// Starts the function.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    let deps = &deps()?;
    let worker = service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Trouble>(worker(deps, event.payload).await)
    });
    lambda_runtime::run(worker).await
}

/// From the function's environment variables: its own, and those of its role.
fn deps() -> Result<Deps, Error> {
    // `aws_config::load_from_env().await` finds the same, and TLS for the real endpoints.
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build();
    let time = SharedTimeSource::default();
    let now = time.now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Deps {
        bedrock: aws_sdk_bedrockruntime::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        queue_url: env::var("QUEUE_URL")?,
        tickets: env::var("TICKETS")?,
        cache: env::var("CACHE")?,
        budget: env::var("BUDGET")?,
        guard: Guard {
            id: env::var("GUARDRAIL_ID")?,
            version: env::var("GUARDRAIL_VERSION")?,
        },
        haiku: model("haiku")?,
        sonnet: model("sonnet")?,
        max_tokens: 100,
        day: env::var("DAY")?,
        limit: env::var("LIMIT")?.parse()?,
        lease: Duration::from_mins(1),
        ttl: Duration::from_mins(15),
        at_once: 4,
        retry: Policy {
            attempts: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(4),
        },
        time,
        sleep: SharedAsyncSleep::new(TokioSleep::new()),
        // Two environments that start at the same nanosecond pause alike; their tickets differ.
        chance: Chance::new(u64::from(now.subsec_nanos())),
        log: Log::stdout(),
    })
}

/// `HAIKU`: the profile and the two prices, `profile input output`.
fn model(name: &str) -> Result<Model, Error> {
    let setting = env::var(name.to_uppercase())?;
    let parts: Vec<&str> = setting.split(' ').collect();
    let [profile, input, output] = parts[..] else {
        return Err(format!("{name}: a profile and two prices are needed").into());
    };
    Ok(Model {
        name: name.to_owned(),
        profile: profile.to_owned(),
        input_price: input.parse()?,
        output_price: output.parse()?,
    })
}
