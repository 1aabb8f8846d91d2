//! Given: the types of this exercise. Not to be edited.

use aws_sdk_bedrockruntime::{error::SdkError, operation::invoke_model::InvokeModelError};

/// What Claude answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its text: all text blocks in order, nothing between them.
    pub text: String,
    /// Why it stopped, in Claude's spelling (`end_turn`, `max_tokens`, …).
    pub stop_reason: String,
    /// Tokens that went in.
    pub input_tokens: u32,
    /// Tokens that came out.
    pub output_tokens: u32,
}

/// Why there is no [`Answer`].
#[derive(Debug)]
pub enum InvokeFailure {
    /// The request failed, on its way or at Bedrock.
    Sdk(Box<SdkError<InvokeModelError>>),
    /// The body of the answer is not JSON, or not of the shape that Claude answers with. The text
    /// says what is wrong with it.
    BadJson(String),
    /// The answer holds no text.
    NoText,
}

/// One thing that keeps a body from working with today's Claude.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyFault {
    /// `anthropic_version` is missing, or is not `bedrock-2023-05-31`.
    Version,
    /// `messages` is missing.
    NoMessages,
    /// `max_tokens` is missing.
    NoMaxTokens,
    /// A key of another API: `prompt` and `max_tokens_to_sample` belong to the Text Completions of
    /// the first Claude models, `model` and `stream` to Anthropic's own HTTP API.
    ForeignKey(String),
}
