//! The five patterns as they run. The code is that of the exercises' solutions; here is what starts it.
//!
//! `examples/ask.rs`, `worker.rs` and `fetch.rs` are the functions, `examples/call.rs` is a client for
//! each pattern, and `local.toml` is what `workshop serve --local` starts around them.

use std::env::{self, VarError};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::{SdkConfig, sdk_config::RetryConfig};

#[path = "../../../exercises/010-lambda-proxy/solution/lib.rs"]
pub mod proxy;

#[expect(clippy::pedantic, reason = "a solution is linted as its exercise is")]
#[path = "../../../exercises/011-api-gateway/solution/lib.rs"]
pub mod gateway;

#[expect(clippy::pedantic, reason = "a solution is linted as its exercise is")]
#[path = "../../../exercises/012-queue/solution/lib.rs"]
pub mod queue;

#[path = "../../../exercises/013-step-functions/solution/lib.rs"]
pub mod workflow;

/// What the environment says: credentials, region and where AWS is. `workshop env` prints it, Lambda
/// sets it for its functions.
///
/// `aws_config::load_from_env().await` finds the same, and TLS for AWS itself.
///
/// # Errors
/// If a variable is missing.
pub fn sdk_config() -> Result<SdkConfig, VarError> {
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
        .retry_config(RetryConfig::disabled());
    Ok(config.build())
}
