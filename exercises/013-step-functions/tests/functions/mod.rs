//! This test program as Lambda functions: what lies behind a pointer, and the three functions of the
//! articles' state machine.

use std::env;

use aws_sdk_bedrockruntime::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    types::{ContentBlock, ConversationRole, Message},
};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use workshop_testkit::{Value, json};
use workshop_testkit_aws::{AwsLab, aws_local::lambda::Function};

/// The test that is a function when Lambda starts it.
const TEST: &str = "on_a_bad_day_three_functions_fail_and_yours_answers";

/// The function of that name.
pub(crate) fn called(name: &str) -> Function {
    AwsLab::function(name, TEST)
}

/// Answers events for as long as Lambda has some.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

/// What lies there.
pub(crate) fn document(pointer: &str) -> String {
    format!("The whole text of {pointer}, which is far too long for an input.")
}

/// A failure is called as AWS calls it.
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    answer(&event.payload).await.map_err(|error| {
        let service = error.downcast_ref::<aws_sdk_bedrockruntime::Error>();
        let code = service.and_then(ProvideErrorMetadata::code);
        Diagnostic {
            error_type: code.unwrap_or("Error").to_owned(),
            error_message: error.to_string(),
        }
    })
}

async fn answer(payload: &Value) -> Result<Value, Error> {
    let text = |name: &str| payload[name].as_str().unwrap_or_default();
    match env::var("AWS_LAMBDA_FUNCTION_NAME")?.as_str() {
        "fetch" => Ok(json!(document(text("pointer")))),
        "preprocess" => Ok(json!({ "id": payload["id"], "prompt": text("text").trim() })),
        "invoke-bedrock" => {
            let texts = ask(text("prompt")).await?;
            Ok(json!({ "id": payload["id"], "texts": texts }))
        }
        "postprocess" => Ok(payload.clone()),
        other => Err(format!("no function is called {other}").into()),
    }
}

async fn ask(prompt: &str) -> Result<Vec<String>, Error> {
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
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()?;
    let asked = Client::from_conf(config.build()).converse();
    let asked = asked.model_id(env::var("MODEL_ID")?).messages(message);
    let answered = asked.send().await;
    let answered = answered.map_err(aws_sdk_bedrockruntime::Error::from)?;
    let message = answered.output.ok_or("no output")?;
    let message = message.as_message().map_err(|_| "no message")?;
    let texts = message.content().iter().filter_map(|b| b.as_text().ok());
    Ok(texts.cloned().collect())
}
