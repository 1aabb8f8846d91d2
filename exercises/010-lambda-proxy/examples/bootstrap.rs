//! The program that Lambda starts. `App` is made here, once for each environment; `handler` then
//! answers one request after the other.
//!
//! For AWS it is built with `cargo lambda build`, or for the function's processor and under the name
//! `bootstrap`. `tests/check.rs` runs it in a Lambda host of its own.

use std::{env, time::Duration};

use aws_sdk_bedrockruntime::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use ex010::{App, handler};
use lambda_http::{Error, service_fn};

/// Starts the function.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    let app = &app()?;
    lambda_http::run(service_fn(|request| handler(app, request))).await
}

/// From the function's environment variables: its own, and those of its role.
fn app() -> Result<App, Error> {
    // `aws_config::load_from_env().await` finds the same, and TLS for the real endpoint.
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials)
        .endpoint_url(env::var("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")?)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    Ok(App {
        client: Client::from_conf(config.build()),
        model: env::var("MODEL_ID")?,
        max_tokens: 256,
        max_prompt: 4_000,
        bedrock_timeout: Duration::from_secs(20),
    })
}
