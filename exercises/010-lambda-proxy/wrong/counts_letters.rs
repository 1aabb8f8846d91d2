//! dies in: a_prompt_may_be_as_long_as_the_limit
//!
//! A limit in letters, of which some are two or four bytes.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{
    error::SdkError,
    operation::converse::{ConverseError, ConverseOutput},
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message},
};
use lambda_http::{Body, Error, Request, Response, http::Method};
use serde_json::{Value, json};

pub use given::{App, request_id};

/// Answers one request: the model's text, or a status that says whose fault it is that there is none.
pub async fn handler(app: &App, request: Request) -> Result<Response<Body>, Error> {
    // One place decides what every answer has, so that no early return can forget it.
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("x-request-id", request_id(&request));
    let (response, body) = match answer(app, &request).await {
        Ok(text) => (response.status(200), json!({ "text": text })),
        Err(refusal) => {
            let (status, says) = refusal.for_the_caller();
            let response = match refusal {
                Refusal::Method => response.header("allow", "POST"),
                Refusal::Busy => response.header("retry-after", "1"),
                _ => response,
            };
            (response.status(status), json!({ "error": says }))
        }
    };
    Ok(response.body(Body::Text(body.to_string()))?)
}

/// Every way not to answer.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Method,
    NotJson,
    NoPrompt,
    TooLong,
    Busy,
    Upstream,
    TooSlow,
}

impl Refusal {
    /// The whole status table. The words are ours: nothing that Bedrock or the SDK says is among
    /// them, because it names roles, accounts and models.
    fn for_the_caller(self) -> (u16, &'static str) {
        match self {
            // The caller can do better.
            Self::Method => (405, "send a POST request"),
            Self::NotJson => (400, "the body must be JSON"),
            Self::NoPrompt => (422, "the body needs a \"prompt\": some text"),
            Self::TooLong => (413, "the prompt is too long"),
            Self::Busy => (429, "too many requests at the moment; try again soon"),
            // The caller can do nothing; we can.
            Self::Upstream => (502, "the model could not answer"),
            Self::TooSlow => (504, "the model took too long"),
        }
    }
}

async fn answer(app: &App, request: &Request) -> Result<String, Refusal> {
    let prompt = prompt(request, app.max_prompt)?;
    let limit = InferenceConfiguration::builder()
        .max_tokens(app.max_tokens)
        .build();
    let call = app
        .client
        .converse()
        .model_id(&app.model)
        .messages(user(prompt)?)
        .inference_config(limit)
        .send();
    // Lambda's own timeout would end the whole process in the middle of everything, and the caller
    // would get the gateway's error page instead of ours.
    match tokio::time::timeout(app.bedrock_timeout, call).await {
        Ok(Ok(output)) => text(&output).ok_or(Refusal::Upstream),
        Ok(Err(error)) => Err(because_of(&error)),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// The prompt in the request, or what is wrong with the request. Nothing here can fail by itself.
fn prompt(request: &Request, max: usize) -> Result<String, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    // Text, decoded base64 or nothing at all: a body is bytes, and empty bytes are no JSON either.
    let bytes: &[u8] = request.body();
    let body: Value = serde_json::from_slice(bytes).map_err(|_| Refusal::NotJson)?;
    // Indexing a `Value` that is no object gives null, which is no text.
    match body["prompt"].as_str() {
        Some(prompt) if prompt.chars().count() > max => Err(Refusal::TooLong),
        Some(prompt) if !prompt.trim().is_empty() => Ok(prompt.to_owned()),
        _ => Err(Refusal::NoPrompt),
    }
}

fn user(prompt: String) -> Result<Message, Refusal> {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt));
    message.build().map_err(|_| Refusal::Upstream)
}

fn text(output: &ConverseOutput) -> Option<String> {
    let message = output.output()?.as_message().ok()?;
    let texts = message.content().iter().filter_map(|b| b.as_text().ok());
    Some(texts.map(String::as_str).collect())
}

/// Whose fault a failed call is. Throttling is the only failure that the caller can cure, by waiting.
fn because_of(error: &SdkError<ConverseError>) -> Refusal {
    match error.as_service_error() {
        Some(ConverseError::ThrottlingException(_) | ConverseError::ModelNotReadyException(_)) => {
            Refusal::Busy
        }
        Some(ConverseError::ModelTimeoutException(_)) => Refusal::TooSlow,
        _ => Refusal::Upstream,
    }
}
