//! The direct pattern: one request, one answer; and the same answer as it is written.

use std::{error::Error, fmt};

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::{RequestId, converse::ConverseError, converse_stream::ConverseStreamError},
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseOutput, ConverseStreamOutput,
        InferenceConfiguration, Message, StopReason, TokenUsage, error::ConverseStreamOutputError,
    },
};

// region: reply
/// What one call brought back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text blocks, joined in order.
    pub text: String,
    /// Why the model stopped. `MaxTokens` means the text is cut off.
    pub stop: StopReason,
    /// What the call is billed for.
    pub usage: TokenUsage,
    /// Bedrock's name for this call: quote it in logs and support cases.
    pub request_id: Option<String>,
}

/// Why there is no reply.
#[derive(Debug)]
pub enum AskError {
    /// Bedrock refused, or could not be reached.
    Sdk(Box<SdkError<ConverseError>>),
    /// Bedrock answered without text, for instance with a tool request only.
    NoText(StopReason),
    /// Bedrock's answer lacks a member that the API promises.
    Incomplete(&'static str),
}
// endregion: reply

// region: ask
/// Sends one prompt and waits for the whole answer.
pub async fn ask(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
) -> Result<Reply, AskError> {
    let limits = InferenceConfiguration::builder()
        .max_tokens(max_tokens)
        .build();
    let answer = client
        .converse()
        .model_id(model)
        .messages(user_says(prompt))
        .inference_config(limits)
        .send()
        .await
        .map_err(|e| AskError::Sdk(Box::new(e)))?;

    let request_id = answer.request_id().map(str::to_owned);
    let Some(ConverseOutput::Message(message)) = answer.output else {
        return Err(AskError::Incomplete("output.message"));
    };
    let texts: Vec<&str> = message
        .content
        .iter()
        .filter_map(|block| block.as_text().ok())
        .map(String::as_str)
        .collect();
    if texts.is_empty() {
        return Err(AskError::NoText(answer.stop_reason));
    }
    Ok(Reply {
        text: texts.concat(),
        stop: answer.stop_reason,
        usage: answer.usage.ok_or(AskError::Incomplete("usage"))?,
        request_id,
    })
}

fn user_says(prompt: &str) -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("role and content are set")
}
// endregion: ask

impl AskError {
    /// Bedrock's error code, if Bedrock answered with one.
    pub fn code(&self) -> Option<&str> {
        use aws_sdk_bedrockruntime::error::ProvideErrorMetadata;
        match self {
            Self::Sdk(e) => e.code(),
            Self::NoText(_) | Self::Incomplete(_) => None,
        }
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sdk(_) => f.write_str("the call to Bedrock failed"),
            Self::NoText(stop) => write!(f, "the answer has no text (stop reason {stop})"),
            Self::Incomplete(member) => write!(f, "the answer has no {member}"),
        }
    }
}

impl Error for AskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Sdk(e) => Some(e.as_ref()),
            Self::NoText(_) | Self::Incomplete(_) => None,
        }
    }
}

/// A streamed answer that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Streamed {
    /// Everything that was handed to the caller, joined.
    pub text: String,
    /// Why the model stopped.
    pub stop: StopReason,
    /// What the call is billed for.
    pub usage: TokenUsage,
}

// region: stream-error
/// Why a streamed answer did not come to its end.
#[derive(Debug)]
pub enum StreamError {
    /// The stream never began; the reader has seen nothing, and trying again is safe.
    Start(Box<SdkError<ConverseStreamError>>),
    /// The stream broke. The reader has seen `partial`; trying again would show it twice.
    Cut {
        /// What the reader has seen.
        partial: String,
        /// Whether Bedrock said so with a throttling exception inside the stream.
        throttled: bool,
    },
}
// endregion: stream-error

// region: stream
/// Sends one prompt and hands over each piece of text when it arrives.
pub async fn stream(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Streamed, StreamError> {
    let limits = InferenceConfiguration::builder()
        .max_tokens(max_tokens)
        .build();
    let mut events = client
        .converse_stream()
        .model_id(model)
        .messages(user_says(prompt))
        .inference_config(limits)
        .send()
        .await
        .map_err(|e| StreamError::Start(Box::new(e)))?
        .stream;

    let (mut text, mut stop, mut usage) = (String::new(), None, None);
    loop {
        match events.recv().await {
            Ok(Some(ConverseStreamOutput::ContentBlockDelta(event))) => {
                if let Some(ContentBlockDelta::Text(piece)) = event.delta {
                    on_text(&piece);
                    text.push_str(&piece);
                }
            }
            Ok(Some(ConverseStreamOutput::MessageStop(event))) => stop = Some(event.stop_reason),
            // The usage comes last, after the stop reason: keep reading until the end.
            Ok(Some(ConverseStreamOutput::Metadata(event))) => usage = event.usage,
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                let throttled = error
                    .as_service_error()
                    .is_some_and(ConverseStreamOutputError::is_throttling_exception);
                return Err(StreamError::Cut {
                    partial: text,
                    throttled,
                });
            }
        }
    }
    match (stop, usage) {
        (Some(stop), Some(usage)) => Ok(Streamed { text, stop, usage }),
        _ => Err(StreamError::Cut {
            partial: text,
            throttled: false,
        }),
    }
}
// endregion: stream

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(_) => f.write_str("the stream did not start"),
            Self::Cut { partial, .. } => {
                write!(f, "the stream broke after {} bytes of text", partial.len())
            }
        }
    }
}

impl Error for StreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start(e) => Some(e.as_ref()),
            Self::Cut { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_bedrockruntime::types::StopReason;
    use serde_json::json;
    use workshop_testkit::{Fault, Lab, Piece, Step};

    use super::{AskError, StreamError, ask, stream};

    #[tokio::test]
    async fn one_call_brings_text_stop_reason_usage_and_request_id() {
        let lab = Lab::start().await;
        lab.script([Step::Say(vec![
            Piece::Reasoning("let me think".into()),
            Piece::Text("Hel".into()),
            Piece::NewBlock,
            Piece::Text("lo".into()),
            Piece::Usage {
                input: 7,
                output: 2,
            },
        ])]);

        let reply = ask(&lab.client(), &lab.profile("haiku"), "Say hello.", 64)
            .await
            .unwrap();

        let calls = lab.calls();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].operation, "Converse");
        assert_eq!(
            calls[0].body,
            json!({
                "messages": [{"role": "user", "content": [{"text": "Say hello."}]}],
                "inferenceConfig": {"maxTokens": 64},
            })
        );
        assert_eq!(reply.text, "Hello");
        assert_eq!(reply.stop, StopReason::EndTurn);
        assert_eq!(reply.usage.total_tokens(), 9);
        assert_eq!(reply.request_id.as_ref(), Some(&calls[0].request_id));
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_code_and_an_answer_without_text_is_no_reply() {
        let lab = Lab::start().await;
        lab.script([
            Step::Fault(Fault::AccessDenied),
            Step::Say(vec![Piece::ToolUse {
                name: "clock".into(),
                input: json!({}),
            }]),
        ]);
        let (client, model) = (lab.client(), lab.profile("haiku"));

        let refused = ask(&client, &model, "Hello", 64).await.unwrap_err();
        assert_eq!(refused.code(), Some("AccessDeniedException"));

        let silent = ask(&client, &model, "Hello", 64).await.unwrap_err();
        assert!(
            matches!(silent, AskError::NoText(StopReason::ToolUse)),
            "{silent:?}"
        );
        assert_eq!(lab.calls().len(), 2, "nothing is tried again");
    }

    #[tokio::test]
    async fn text_is_handed_over_while_the_stream_is_open() {
        let lab = Lab::start().await;
        lab.script([Step::Say(vec![
            Piece::Text("Hel".into()),
            Piece::Gate("the reader has seen the first piece".into()),
            Piece::Text("lo".into()),
        ])]);
        let gates = lab.gates();
        let mut seen = Vec::new();

        let streamed = stream(
            &lab.client(),
            &lab.profile("haiku"),
            "Say hello.",
            64,
            &mut |piece| {
                seen.push(piece.to_owned());
                gates.open("the reader has seen the first piece");
            },
        )
        .await
        .unwrap();

        assert_eq!(seen, ["Hel", "lo"]);
        assert_eq!(streamed.text, "Hello");
        assert_eq!(streamed.stop, StopReason::EndTurn);
        assert!(streamed.usage.output_tokens() > 0);
    }

    #[tokio::test]
    async fn a_broken_stream_keeps_what_was_shown_and_is_not_started_again() {
        for (end, throttled) in [
            (
                Piece::Exception(Fault::Throttling {
                    retry_after_ms: None,
                }),
                true,
            ),
            (Piece::Cut, false),
        ] {
            let lab = Lab::start().await;
            lab.script([Step::Say(vec![Piece::Text("Hel".into()), end])]);

            let broken = stream(
                &lab.client(),
                &lab.profile("haiku"),
                "Say hello.",
                64,
                &mut |_| {},
            )
            .await;

            let Err(StreamError::Cut {
                partial,
                throttled: said,
            }) = broken
            else {
                panic!("{broken:?}");
            };
            assert_eq!((partial.as_str(), said), ("Hel", throttled));
            assert_eq!(lab.calls().len(), 1);
        }
    }
}
