//! dies in: a_throttled_stream_keeps_its_text_and_says_so
//!
//! Looks for an error code, which errors in a stream do not have.

use aws_sdk_bedrockruntime::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::converse_stream::ConverseStreamError,
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput,
        InferenceConfiguration, Message, StopReason, TokenUsage,
    },
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
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("role and content are set");
    let limit = InferenceConfiguration::builder()
        .max_tokens(max_tokens)
        .build();

    let mut events = client
        .converse_stream()
        .model_id(model)
        .messages(message)
        .inference_config(limit)
        .send()
        .await
        .map_err(|error| StreamFailure::Start(Box::new(error)))?
        .stream;

    let mut text = String::new();
    let mut stop = None;
    let mut usage = None;
    loop {
        let event = match events.recv().await {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(error) => {
                let throttled = error.code() == Some("ThrottlingException");
                return Err(StreamFailure::Cut {
                    partial: text,
                    throttled,
                });
            }
        };
        match event {
            ConverseStreamOutput::ContentBlockDelta(event) => {
                if let Some(ContentBlockDelta::Text(piece)) = event.delta() {
                    on_text(piece);
                    text.push_str(piece);
                }
            }
            ConverseStreamOutput::MessageStop(event) => stop = Some(event.stop_reason().clone()),
            ConverseStreamOutput::Metadata(event) => usage = event.usage().cloned(),
            _ => {}
        }
    }

    match stop {
        Some(stop) => Ok(Streamed { text, stop, usage }),
        None => Err(StreamFailure::Cut {
            partial: text,
            throttled: false,
        }),
    }
}
