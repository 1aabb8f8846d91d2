//! The function behind both gates: a short form of what exercise 010 made, and the program that Lambda
//! starts around it. `tests/check.rs` asks it in its own process, and once as a real function.

use std::env;

use aws_sdk_bedrockruntime::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::{ContentBlock, ConversationRole, Message},
};
use lambda_http::{Body, Error, Request, Response, http::Method, service_fn};
use serde_json::{Value, json};

/// What the function is built with.
#[derive(Debug, Clone)]
pub struct App {
    /// The Bedrock client, with its connections.
    pub client: Client,
    /// The model's inference profile.
    pub model: String,
}

/// Answers `POST /ask` and `GET /facts/{topic}` with the model's words.
pub async fn handler(app: &App, request: Request) -> Result<Response<Body>, Error> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let topic = request.uri().path().rsplit('/').next();
    let prompt = match body["prompt"].as_str() {
        Some(prompt) => prompt.to_owned(),
        None if request.method() == Method::GET => {
            format!("One fact about {}.", topic.unwrap_or_default())
        }
        None => return answer(422, &json!({ "error": "the body needs a \"prompt\"" })),
    };
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt))
        .build()?;
    let call = app.client.converse().model_id(&app.model);
    match call.messages(message).send().await {
        Ok(output) => {
            let message = output.output().and_then(|output| output.as_message().ok());
            let blocks = message.map(|message| message.content()).unwrap_or_default();
            let text: String = blocks
                .iter()
                .filter_map(|block| block.as_text().ok())
                .map(String::as_str)
                .collect();
            answer(200, &json!({ "text": text }))
        }
        Err(error) => match error.as_service_error() {
            Some(error) if error.is_throttling_exception() => {
                answer(429, &json!({ "error": "try again soon" }))
            }
            _ => answer(502, &json!({ "error": "the model could not answer" })),
        },
    }
}

fn answer(status: u16, body: &Value) -> Result<Response<Body>, Error> {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    Ok(response.body(Body::Text(body.to_string()))?)
}

/// Starts the function.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
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
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    let app = &App {
        client: Client::from_conf(config.build()),
        model: env::var("MODEL_ID")?,
    };
    lambda_http::run(service_fn(|request| handler(app, request))).await
}
