//! Exercise 001: your first Converse call.
//!
//! Send one prompt to a model and hand back what it said, why it stopped and what it used.
//! This is the only file you edit. The task is in `README.md`; `workshop hint 001` helps.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse::ConverseError,
    types::{StopReason, TokenUsage},
};

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text: all text blocks in order, nothing between them.
    pub text: String,
    /// Why it stopped. `MaxTokens` means that the text is cut off.
    pub stop: StopReason,
    /// What the call used, and what it will cost.
    pub usage: TokenUsage,
    /// Names this request in AWS's logs and in a support case.
    pub request_id: Option<String>,
}

/// Why there is no [`Reply`].
#[derive(Debug)]
pub enum AskError {
    /// The request failed, on its way or at Bedrock.
    Sdk(Box<SdkError<ConverseError>>),
    /// The model answered without any text.
    Empty,
    /// Bedrock answered with something that is no message.
    NotAMessage,
}

/// Asks `model` once: the conversation is one user message, `prompt`; `system` stands apart from
/// it; the answer has at most `max_tokens` tokens.
pub async fn ask(
    client: &Client,
    model: &str,
    system: Option<&str>,
    prompt: &str,
    max_tokens: i32,
) -> Result<Reply, AskError> {
    let _ = client;
    todo!(
        "001/1: send {prompt:?} to {model} with Converse (system prompt: {system:?}, at most \
         {max_tokens} tokens) and turn the answer into a Reply"
    )
}
