//! The function of the patterns "Lambda proxy" and "API Gateway": exercise 010's handler.

use std::{env, time::Duration};

use lambda_http::{Error, service_fn};
use patterns::{
    proxy::{App, handler},
    sdk_config,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &App {
        client: aws_sdk_bedrockruntime::Client::new(&sdk_config()?),
        model: env::var("MODEL_ID")?,
        max_tokens: 256,
        max_prompt: 4_000,
        bedrock_timeout: Duration::from_secs(20),
    };
    lambda_http::run(service_fn(|request| handler(app, request))).await
}
