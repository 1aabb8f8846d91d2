//! The program that Lambda starts. `Deps` is made here, once for each environment; `consume` then
//! works one batch off after the other.
//!
//! For AWS it is built with `cargo lambda build`, or for the function's processor and under the name
//! `bootstrap`. `tests/check.rs` runs it as a function that a queue invokes.

use std::env;

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_async::time::SharedTimeSource;
use aws_types::{SdkConfig, sdk_config::RetryConfig};
use ex012::{Deps, consume, settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// Starts the function.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    let deps = &deps()?;
    let worker = service_fn(|event: LambdaEvent<SqsEvent>| consume(deps, event.payload));
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
    Ok(Deps {
        bedrock: aws_sdk_bedrockruntime::Client::new(&config),
        model: env::var("MODEL_ID")?,
        max_tokens: 256,
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        table: env::var("TABLE")?,
        lease: settings().lease,
        time: SharedTimeSource::default(),
    })
}
