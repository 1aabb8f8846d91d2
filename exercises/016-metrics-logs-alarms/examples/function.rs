//! The program that Lambda starts: one question for each invocation, and its line on standard output,
//! which is where Lambda takes the lines of CloudWatch Logs from.
//!
//! `tests/check.rs` runs it as a process of its own.

use std::{env, io, time::Duration};

use aws_sdk_bedrockruntime::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_smithy_http_client::Builder as HttpClient;
use ex016::{App, Ask, SystemClock, ask_observed};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

/// Starts the function.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    let app = &app()?;
    lambda_runtime::run(service_fn(|event| handler(app, event))).await
}

async fn handler(app: &App, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let prompt = event.payload["prompt"].as_str().unwrap_or_default();
    let ask = Ask {
        model: env::var("MODEL_ID")?,
        prompt: prompt.to_owned(),
        max_tokens: 256,
        timeout: Duration::from_secs(20),
        user_hash: event.payload["user"].as_str().map(str::to_owned),
    };
    let answer = ask_observed(app, &ask, &mut io::stdout(), &SystemClock).await;
    Ok(json!({ "text": answer.ok().map(|reply| reply.text) }))
}

/// From the function's environment variables: its own, and those of its role.
fn app() -> Result<App, Error> {
    // `aws_config::load_from_env().await` finds the same, and TLS for the real endpoints.
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let (url, region) = (env::var("AWS_ENDPOINT_URL")?, env::var("AWS_REGION")?);
    let bedrock = aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.clone()))
        .credentials_provider(credentials.clone())
        .endpoint_url(&url)
        .http_client(HttpClient::new().build_http())
        .retry_config(RetryConfig::disabled());
    let cloudwatch = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(credentials)
        .endpoint_url(&url)
        .http_client(HttpClient::new().build_http())
        .retry_config(RetryConfig::disabled());
    Ok(App {
        bedrock: aws_sdk_bedrockruntime::Client::from_conf(bedrock.build()),
        cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch.build()),
    })
}
