//! dies in: usage_and_request_id_are_handed_on
//!
//! Estimates what Bedrock has already counted.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::{RequestId, converse::ConverseError},
    types::{
        ContentBlock, ConversationRole, InferenceConfiguration, Message, StopReason,
        SystemContentBlock, TokenUsage,
    },
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

    let limit = InferenceConfiguration::builder()
        .max_tokens(max_tokens)
        .build();

    let system = system.map(|text| vec![SystemContentBlock::Text(text.to_owned())]);

    let output = client
        .converse()
        .model_id(model)
        .set_system(system)
        .messages(message)
        .inference_config(limit)
        .send()
        .await
        .map_err(|error| AskError::Sdk(Box::new(error)))?;

    let request_id = output.request_id().map(str::to_owned);
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

    let (input, output_tokens) = (prompt.len() as i32 / 4, text.len() as i32 / 4);
    let usage = TokenUsage::builder()
        .input_tokens(input)
        .output_tokens(output_tokens)
        .total_tokens(input + output_tokens)
        .build()
        .expect("all counts are set");
    Ok(Reply {
        text,
        stop: output.stop_reason().clone(),
        usage,
        request_id,
    })
}
