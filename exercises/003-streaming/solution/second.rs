//! Exercise 003, solved another way: the events change a state, and the state judges the end.
//!
//! `workshop verify` runs the tests against this one too: they must not insist on one way of writing.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse_stream::ConverseStreamError,
    types::{
        ContentBlock, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message,
        StopReason, TokenUsage,
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

/// What the events so far add up to.
#[derive(Default)]
struct Progress {
    text: String,
    stop: Option<StopReason>,
    usage: Option<TokenUsage>,
}

impl Progress {
    fn apply(&mut self, event: ConverseStreamOutput, on_text: &mut (dyn FnMut(&str) + Send)) {
        if let Ok(delta) = event.as_content_block_delta() {
            let piece = delta.delta().and_then(|delta| delta.as_text().ok());
            if let Some(piece) = piece {
                self.text += piece;
                on_text(piece);
            }
        } else if let Ok(end) = event.as_message_stop() {
            self.stop = Some(end.stop_reason.clone());
        } else if let Ok(metadata) = event.as_metadata() {
            self.usage = metadata.usage.clone();
        }
    }

    fn cut(self, throttled: bool) -> StreamFailure {
        StreamFailure::Cut {
            partial: self.text,
            throttled,
        }
    }

    fn finish(mut self) -> Result<Streamed, StreamFailure> {
        match self.stop.take() {
            Some(stop) => Ok(Streamed {
                text: self.text,
                stop,
                usage: self.usage,
            }),
            None => Err(self.cut(false)),
        }
    }
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
        .content(ContentBlock::Text(prompt.into()))
        .build()
        .expect("role and content are set");
    let request = client.converse_stream().model_id(model).messages(message);
    let request = request.inference_config(
        InferenceConfiguration::builder()
            .max_tokens(max_tokens)
            .build(),
    );
    let started = request.send().await;
    let mut output = started.map_err(|error| StreamFailure::Start(error.into()))?;

    let mut progress = Progress::default();
    loop {
        match output.stream.recv().await {
            Ok(Some(event)) => progress.apply(event, on_text),
            Ok(None) => return progress.finish(),
            Err(SdkError::ServiceError(error)) => {
                let throttled = error.err().is_throttling_exception();
                return Err(progress.cut(throttled));
            }
            Err(_) => return Err(progress.cut(false)),
        }
    }
}
