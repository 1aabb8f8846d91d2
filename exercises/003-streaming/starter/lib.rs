//! Exercise 003: streaming.
//!
//! Show a model's text as it arrives, and know a cut stream from a finished one. This is the only
//! file you edit. The task is in `README.md`; `workshop hint 003` helps.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse_stream::ConverseStreamError,
    types::{StopReason, TokenUsage},
};

/// An answer that arrived whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Streamed {
    /// All of its text.
    pub text: String,
    /// Why the model stopped.
    pub stop: StopReason,
    /// What the call used; `None` when the stream ended without saying so.
    pub usage: Option<TokenUsage>,
}

/// Why there is no [`Streamed`].
#[derive(Debug)]
pub enum StreamFailure {
    /// The stream never began.
    Start(Box<SdkError<ConverseStreamError>>),
    /// The stream began and broke off before the message had ended.
    Cut {
        /// The text that had arrived, and that the reader has already seen.
        partial: String,
        /// Whether Bedrock ended it because of too many requests: only then a later try makes sense
        /// by itself.
        throttled: bool,
    },
}

/// Asks `model` once and calls `on_text` with each piece of text as it arrives.
pub async fn stream(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Streamed, StreamFailure> {
    let _ = (client, on_text);
    todo!(
        "003/1: send {prompt:?} to {model} with ConverseStream (at most {max_tokens} tokens) and \
         hand each piece of text to on_text while the stream is open"
    )
}
