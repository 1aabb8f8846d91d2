//! dies in: usage_and_stop_reason_are_read_in_claudes_spelling, an_answer_without_its_numbers_is_an_error
//!
//! Reads Claude's answer with Converse's names.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{Client, primitives::Blob};
use serde_json::{Value, json};

pub use given::{Answer, BodyFault, InvokeFailure};

/// The version of the Messages API on Bedrock. It has not changed since Claude came to Bedrock, and
/// a request without it is refused.
const VERSION: &str = "bedrock-2023-05-31";

/// The body of a request to Claude: one user message, `prompt`, and at most `max_tokens` tokens.
pub fn body(prompt: &str, max_tokens: u32) -> Value {
    json!({
        "anthropic_version": VERSION,
        "max_tokens": max_tokens,
        "messages": [{ "role": "user", "content": prompt }],
    })
}

/// What Claude's answer says.
pub fn read(bytes: &[u8]) -> Result<Answer, InvokeFailure> {
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|error| InvokeFailure::BadJson(error.to_string()))?;
    let missing = |key: &str| InvokeFailure::BadJson(format!("`{key}` is missing"));

    let blocks = answer["content"]
        .as_array()
        .ok_or_else(|| missing("content"))?;
    let text: String = blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    if text.is_empty() {
        return Err(InvokeFailure::NoText);
    }

    let tokens = |key: &str| answer["usage"][key].as_u64().unwrap_or_default() as u32;
    let stop_reason = answer["stopReason"].as_str().unwrap_or_default();
    Ok(Answer {
        text,
        stop_reason: stop_reason.to_owned(),
        input_tokens: tokens("inputTokens"),
        output_tokens: tokens("outputTokens"),
    })
}

/// Sends [`body`] to `model` with `InvokeModel`, once, and [`read`]s the answer.
pub async fn invoke(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: u32,
) -> Result<Answer, InvokeFailure> {
    let output = client
        .invoke_model()
        .model_id(model)
        .content_type("application/json")
        .accept("application/json")
        .body(Blob::new(body(prompt, max_tokens).to_string()))
        .send()
        .await
        .map_err(|error| InvokeFailure::Sdk(Box::new(error)))?;
    read(output.body().as_ref())
}

/// Everything that keeps `body` from working with today's Claude, in any order; nothing for a body
/// that works.
pub fn explain_legacy(body: &Value) -> Vec<BodyFault> {
    const FOREIGN: [&str; 4] = ["prompt", "max_tokens_to_sample", "model", "stream"];
    let mut faults = Vec::new();
    if body["anthropic_version"] != VERSION {
        faults.push(BodyFault::Version);
    }
    if body.get("messages").is_none() {
        faults.push(BodyFault::NoMessages);
    }
    if body.get("max_tokens").is_none() {
        faults.push(BodyFault::NoMaxTokens);
    }
    let foreign = FOREIGN.iter().filter(|key| body.get(**key).is_some());
    faults.extend(foreign.map(|key| BodyFault::ForeignKey((*key).to_owned())));
    faults
}
