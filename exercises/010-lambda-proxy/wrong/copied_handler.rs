//! dies in: a_valid_request_is_answered, every_answer_says_what_it_is_and_to_which_request, a_base64_body_is_the_same_request, what_the_caller_did_wrong_gets_its_own_status, a_prompt_may_be_as_long_as_the_limit, what_the_caller_did_wrong_costs_nothing, a_throttled_call_is_429_and_says_when_to_come_back, what_bedrock_refuses_is_502_and_stays_inside, a_call_that_hangs_is_504_in_time, the_limit_is_the_apps, in_lambda_nobody_reads_the_prompt_in_the_log
//!
//! The handler from the articles, line for line: parse the body, call the model, status 200.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message};
use lambda_http::{Body, Error, Request, Response};
use serde_json::{Value, json};

pub use given::{App, request_id};

/// Answers one request: the model's text, or a status that says whose fault it is that there is none.
pub async fn handler(app: &App, request: Request) -> Result<Response<Body>, Error> {
    let body: Value = serde_json::from_slice(request.body())?;
    let prompt = body["prompt"].as_str().unwrap();
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()?;
    let response = app
        .client
        .converse()
        .model_id(&app.model)
        .messages(message)
        .send()
        .await?;
    let message = response.output().unwrap().as_message().unwrap();
    let text = message.content()[0].as_text().unwrap();
    let body = json!({ "text": text }).to_string();
    Ok(Response::builder().status(200).body(body.into())?)
}
