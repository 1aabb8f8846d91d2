//! The function of the pattern "Queue": exercise 012's worker.

use std::env;

use aws_lambda_events::sqs::SqsEvent;
use aws_smithy_async::time::SharedTimeSource;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use patterns::{
    queue::{Deps, consume, settings},
    sdk_config,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = sdk_config()?;
    let deps = &Deps {
        bedrock: aws_sdk_bedrockruntime::Client::new(&config),
        model: env::var("MODEL_ID")?,
        max_tokens: 256,
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        table: env::var("TABLE")?,
        lease: settings().lease,
        time: SharedTimeSource::default(),
    };
    let worker = service_fn(|event: LambdaEvent<SqsEvent>| consume(deps, event.payload));
    lambda_runtime::run(worker).await
}
