//! dies in: the_answer_is_limited
//!
//! Forgets the limit.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::{RequestId, converse::ConverseError},
    types::{ContentBlock, ConversationRole, Message, StopReason, SystemContentBlock, TokenUsage},
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
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("role and content are set");

    let _ = max_tokens;

    let system = system.map(|text| vec![SystemContentBlock::Text(text.to_owned())]);

    let output = client
        .converse()
        .model_id(model)
        .set_system(system)
        .messages(message)
        .send()
        .await
        .map_err(|error| AskError::Sdk(Box::new(error)))?;

    let request_id = output.request_id().map(str::to_owned);
    let usage = output.usage().cloned().ok_or(AskError::NotAMessage)?;
    let message = output
        .output()
        .and_then(|output| output.as_message().ok())
        .ok_or(AskError::NotAMessage)?;

    let text: String = message
        .content()
        .iter()
        .filter_map(|block| block.as_text().ok())
        .map(String::as_str)
        .collect();
    if text.is_empty() {
        return Err(AskError::Empty);
    }

    Ok(Reply {
        text,
        stop: output.stop_reason().clone(),
        usage,
        request_id,
    })
}
