//! The same call one level lower: `InvokeModel` with Claude's own request body.

use std::{error::Error, fmt};

use aws_sdk_bedrockruntime::{
    Client, error::SdkError, operation::invoke_model::InvokeModelError, primitives::Blob,
};
use serde_json::{Value, json};

// region: body
/// The body of Claude's Messages API on Bedrock. The model is part of the URL, not of the body.
pub fn body(prompt: &str, max_tokens: u32) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": prompt}],
    })
}
// endregion: body

/// What Claude answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text blocks, joined in order.
    pub text: String,
    /// `end_turn`, `max_tokens`, …
    pub stop_reason: String,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum InvokeError {
    /// Bedrock refused, or could not be reached.
    Sdk(Box<SdkError<InvokeModelError>>),
    /// The body is not JSON.
    NotJson(serde_json::Error),
    /// The body is JSON, but not a message.
    NotAMessage(&'static str),
}

// region: invoke
/// Sends one prompt as a Messages body and reads the answer's bytes.
pub async fn invoke(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: u32,
) -> Result<Answer, InvokeError> {
    let answer = client
        .invoke_model()
        .model_id(model)
        .content_type("application/json")
        .accept("application/json")
        .body(Blob::new(body(prompt, max_tokens).to_string()))
        .send()
        .await
        .map_err(|e| InvokeError::Sdk(Box::new(e)))?;
    read(answer.body.as_ref())
}

fn read(bytes: &[u8]) -> Result<Answer, InvokeError> {
    let message: Value = serde_json::from_slice(bytes).map_err(InvokeError::NotJson)?;
    let blocks = message["content"].as_array();
    let text = blocks
        .ok_or(InvokeError::NotAMessage("content"))?
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    let tokens = |member: &'static str| {
        let count = message["usage"][member].as_u64();
        count.ok_or(InvokeError::NotAMessage(member))
    };
    let stop_reason = message["stop_reason"].as_str();
    Ok(Answer {
        text,
        stop_reason: stop_reason
            .ok_or(InvokeError::NotAMessage("stop_reason"))?
            .to_owned(),
        input_tokens: tokens("input_tokens")?,
        output_tokens: tokens("output_tokens")?,
    })
}
// endregion: invoke

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sdk(_) => f.write_str("the call to Bedrock failed"),
            Self::NotJson(_) => f.write_str("the answer is not JSON"),
            Self::NotAMessage(member) => write!(f, "the answer has no usable {member}"),
        }
    }
}

impl Error for InvokeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Sdk(e) => Some(e.as_ref()),
            Self::NotJson(e) => Some(e),
            Self::NotAMessage(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use workshop_testkit::{Lab, Piece, Step};

    use super::{Answer, InvokeError, body, invoke, read};

    #[test]
    fn the_body_has_what_messages_needs_and_nothing_else() {
        assert_eq!(
            body("Hello", 64),
            json!({
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": "Hello"}],
            })
        );
    }

    #[test]
    fn only_text_blocks_make_the_text() {
        let bytes = json!({
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "Hel"},
                {"type": "text", "text": "lo"},
            ],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 7, "output_tokens": 2},
        })
        .to_string();
        assert_eq!(
            read(bytes.as_bytes()).unwrap(),
            Answer {
                text: "Hello".to_owned(),
                stop_reason: "end_turn".to_owned(),
                input_tokens: 7,
                output_tokens: 2,
            }
        );
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error_and_no_panic() {
        assert!(matches!(read(b"<html>"), Err(InvokeError::NotJson(_))));
        for (bytes, missing) in [
            ("null", "content"),
            (r#"{"content": {}}"#, "content"),
            (r#"{"content": []}"#, "stop_reason"),
            (
                r#"{"content": [], "stop_reason": "end_turn"}"#,
                "input_tokens",
            ),
        ] {
            let Err(InvokeError::NotAMessage(member)) = read(bytes.as_bytes()) else {
                panic!("{bytes} was accepted");
            };
            assert_eq!(member, missing, "{bytes}");
        }
    }

    #[tokio::test]
    async fn converse_and_invoke_model_agree_on_the_same_answer() {
        let lab = Lab::start().await;
        let step = Step::Say(vec![
            Piece::Text("Hello".into()),
            Piece::Usage {
                input: 7,
                output: 2,
            },
        ]);
        lab.script([step.clone(), step]);
        let (client, model) = (lab.client(), lab.profile("haiku"));

        let low = invoke(&client, &model, "Say hello.", 64).await.unwrap();
        let high = crate::direct::ask(&client, &model, "Say hello.", 64)
            .await
            .unwrap();

        assert_eq!(lab.calls()[0].operation, "InvokeModel");
        assert_eq!(lab.calls()[0].body, body("Say hello.", 64));
        assert_eq!(low.text, high.text);
        assert_eq!(low.stop_reason, high.stop.as_str());
        assert_eq!(
            low.input_tokens + low.output_tokens,
            u64::try_from(high.usage.total_tokens()).unwrap()
        );
    }
}
