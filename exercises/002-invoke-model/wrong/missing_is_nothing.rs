//! dies in: an_answer_without_its_numbers_is_an_error
//!
//! What an answer does not say is 0, or an empty text.

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
    // The model is not named here: it stands in the path. Nor is `stream`: that is another
    // operation on Bedrock.
    json!({
        "anthropic_version": VERSION,
        "max_tokens": max_tokens,
        "messages": [{ "role": "user", "content": prompt }],
    })
}

/// What Claude's answer says.
pub fn read(bytes: &[u8]) -> Result<Answer, InvokeFailure> {
    // A proxy's error page, half an answer, an empty body: all of them arrive here as bytes.
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|error| InvokeFailure::BadJson(error.to_string()))?;
    let missing = |key: &str| InvokeFailure::BadJson(format!("`{key}` is missing"));

    let blocks = answer["content"]
        .as_array()
        .ok_or_else(|| missing("content"))?;
    // Thinking and tool requests are blocks too. They have no `text`, so they drop out by
    // themselves.
    let text: String = blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    if text.is_empty() {
        return Err(InvokeFailure::NoText);
    }

    // Claude's own names: Converse says `inputTokens`, this API says `input_tokens`.
    let tokens = |key: &str| {
        let count = answer["usage"][key].as_u64();
        let count = count.and_then(|count| u32::try_from(count).ok());
        Ok::<_, InvokeFailure>(count.unwrap_or_default())
    };
    let stop_reason = answer["stop_reason"].as_str();
    Ok(Answer {
        text,
        stop_reason: stop_reason.unwrap_or_default().to_owned(),
        input_tokens: tokens("input_tokens")?,
        output_tokens: tokens("output_tokens")?,
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
        // To Bedrock the body is bytes. These two headers say what kind; without them the SDK says
        // `application/octet-stream`, and whatever reads the logs later has to guess.
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
