//! dies in: a_broken_stream_is_not_started_again
//!
//! Starts again when the stream is throttled.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse_stream::ConverseStreamError,
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput,
        InferenceConfiguration, Message, StopReason, TokenUsage, error::ConverseStreamOutputError,
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

/// Up to three streams, each shown to the reader.
pub async fn stream(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Streamed, StreamFailure> {
    let mut attempts = 1;
    loop {
        let outcome = stream_once(client, model, prompt, max_tokens, on_text).await;
        match outcome {
            Err(StreamFailure::Cut {
                throttled: true, ..
            }) if attempts < 3 => attempts += 1,
            outcome => return outcome,
        }
    }
}

/// Asks `model` once and calls `on_text` with each piece of text as it arrives.
async fn stream_once(
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
                let throttled = matches!(
                    error.as_service_error(),
                    Some(ConverseStreamOutputError::ThrottlingException(_))
                );
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
