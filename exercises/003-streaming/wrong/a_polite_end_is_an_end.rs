//! dies in: a_cut_stream_is_not_an_answer
//!
//! Takes a stream that ends before its message as the end of the message.

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

    // `send` returns as soon as the response's headers are here. A refusal comes now; everything
    // that goes wrong later comes out of the stream, under a status of 200.
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
        // You pull the events: while this waits for the next one, everything before it has been
        // shown already.
        let event = match events.recv().await {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(error) => {
                // The kind of an error inside a stream is its variant; it has no error code.
                let throttled = matches!(
                    error.as_service_error(),
                    Some(ConverseStreamOutputError::ThrottlingException(_))
                );
                // No second request here: the reader has seen `partial`, and a new answer would
                // begin again from its first word.
                return Err(StreamFailure::Cut {
                    partial: text,
                    throttled,
                });
            }
        };
        match event {
            ConverseStreamOutput::ContentBlockDelta(event) => {
                // Reasoning and tool input come as deltas too; only text is for the reader.
                if let Some(ContentBlockDelta::Text(piece)) = event.delta() {
                    on_text(piece);
                    text.push_str(piece);
                }
            }
            ConverseStreamOutput::MessageStop(event) => stop = Some(event.stop_reason().clone()),
            // The last event, after the end of the message: who leaves at `messageStop` never
            // learns what the call used.
            ConverseStreamOutput::Metadata(event) => usage = event.usage().cloned(),
            // The start of the message and of blocks, and events that do not exist yet.
            _ => {}
        }
    }

    // A stream that ends politely but before its message has ended is cut all the same.
    let stop = stop.unwrap_or(StopReason::EndTurn);
    Ok(Streamed { text, stop, usage })
}
