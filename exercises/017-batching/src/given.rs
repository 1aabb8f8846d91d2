//! Given: a question, an answer, and one call to Bedrock. Not to be edited.

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse::ConverseError,
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message, SystemContentBlock},
};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The system prompt.
    pub system: Option<String>,
    /// What the user says.
    pub prompt: String,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its text: all text blocks in order.
    pub text: String,
    /// Why it stopped: `end_turn`, `max_tokens`, … Converse and Claude's own API spell it alike.
    pub stop: String,
}

/// Why a question has no [`Reply`].
#[derive(Debug)]
pub enum AskError {
    /// The request failed, on its way or at Bedrock.
    Sdk(Box<SdkError<ConverseError>>),
    /// Bedrock answered with something that is no message.
    NotAMessage,
    /// It was not asked: another question had met a refusal that is for all of them.
    Skipped,
}

/// Why a record of a batch job has no [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordError {
    /// The job's output does not mention it.
    Missing,
    /// The model was not asked, or failed.
    Failed {
        /// `errorCode`: an HTTP status.
        code: u64,
        /// `errorMessage`.
        message: String,
    },
    /// Its line has neither an answer nor an error that can be read.
    Unreadable,
}

/// Asks `model`, once. (Whether a failed call is repeated is the client's setting: one layer does it.)
pub async fn converse(client: &Client, model: &str, ask: &Ask) -> Result<Reply, AskError> {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(ask.prompt.clone()))
        .build()
        .expect("role and content are set");
    let limit = InferenceConfiguration::builder().max_tokens(ask.max_tokens);
    let system = ask
        .system
        .clone()
        .map(|s| vec![SystemContentBlock::Text(s)]);
    let output = client
        .converse()
        .model_id(model)
        .set_system(system)
        .messages(message)
        .inference_config(limit.build())
        .send()
        .await
        .map_err(|error| AskError::Sdk(Box::new(error)))?;
    let message = output
        .output()
        .and_then(|output| output.as_message().ok())
        .ok_or(AskError::NotAMessage)?;
    let texts = message.content().iter().filter_map(|b| b.as_text().ok());
    Ok(Reply {
        text: texts.map(String::as_str).collect(),
        stop: output.stop_reason().as_str().to_owned(),
    })
}
