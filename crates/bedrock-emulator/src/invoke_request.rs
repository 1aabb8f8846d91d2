//! The body of `InvokeModel` for Claude: the Messages API, and for Claude 2 and Instant the older
//! Text Completions API.
//!
//! Bedrock hands the body to the model as it is, so complaints read like Anthropic's own
//! (`max_tokens: Field required`), or like a JSON schema's for the old models. Which of the two a
//! body is decides the model, so the bytes are read when the model is known.

mod blocks;
mod body;
mod completion;
mod headers;
mod messages;
pub(crate) mod taken;
mod tools;

use bytes::Bytes;
use serde::Deserialize;

use crate::{catalogue::Model, conversation::Conversation, error::ApiError, rules::Surface};

pub(crate) use headers::check_headers;
pub(crate) use messages::additional_fields;

use body::Body;
use completion::Completion;
use taken::Member;

/// A body, read when its model is known.
#[derive(Debug)]
pub(crate) struct InvokeRequest {
    body: Bytes,
    form: Form,
    /// Named in a header.
    betas: Vec<String>,
    is_completion: bool,
}

/// Where a Messages body stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In `InvokeModel`: the version in the body, the model in the path.
    Bedrock,
    /// On Anthropic's own path: the version in a header, the model in the body.
    Messages,
    /// The same, only to be counted.
    MessagesToCount,
}

impl InvokeRequest {
    pub(crate) const fn new(body: Bytes) -> Self {
        Self::of(Form::Bedrock, body)
    }

    /// A body of Anthropic's own path.
    pub(crate) const fn messages(body: Bytes) -> Self {
        Self::of(Form::Messages, body)
    }

    /// A body of Anthropic's own path that is only counted.
    pub(crate) const fn messages_to_count(body: Bytes) -> Self {
        Self::of(Form::MessagesToCount, body)
    }

    const fn of(form: Form, body: Bytes) -> Self {
        Self {
            body,
            form,
            betas: Vec::new(),
            is_completion: false,
        }
    }

    /// The body as JSON, for models that are not Claude.
    pub(crate) fn json(&self) -> Result<serde_json::Value, ApiError> {
        serde_json::from_slice(&self.body).map_err(|_| malformed(""))
    }

    /// Takes the betas of the header `anthropic-beta`, which Anthropic's own path reads.
    pub(crate) fn add_betas(&mut self, header: Option<&str>) {
        if self.form != Form::Bedrock
            && let Some(header) = header
        {
            let named = header.split(',').map(|beta| beta.trim().to_owned());
            self.betas.extend(named);
        }
    }

    /// Whether this is a Text Completions body. Known once it was read.
    pub(crate) const fn is_completion(&self) -> bool {
        self.is_completion
    }

    /// Reads the body as `model` does.
    pub(crate) fn conversation(&mut self, model: &Model) -> Result<Conversation, ApiError> {
        if model.quirks.text_completions
            && let Some(completion) = read::<Completion>(&self.body)?
            && !completion.is_messages()
        {
            self.is_completion = true;
            return completion.conversation();
        }
        let body: Body = read(&self.body)?.ok_or_else(|| malformed(""))?;
        if body.prompt.is_sent() && !body.messages.is_sent() {
            // The quotation marks are part of the message (seen live).
            return Err(ApiError::validation(format!(
                "\"{}\" is not supported on this API. Please use the Messages API instead.",
                model.provider_id
            )));
        }
        let conversation = messages::conversation(body, model, self.form, &self.betas);
        conversation.map_err(|complaint| Surface::Messages.model(complaint.0))
    }
}

/// Reads JSON into a structure; `None` when it is another kind of JSON.
fn read<'de, T: taken::Shape<'de>>(body: &'de [u8]) -> Result<Option<T>, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Member::Is(body)) => Ok(Some(body)),
        Ok(_) => Ok(None),
        Err(_) => Err(malformed("")),
    }
}

/// What Bedrock says about a body that breaks the model's JSON schema. Several problems stand in
/// one sentence, without a space between them (seen live in 2024).
pub(crate) fn malformed(problems: &str) -> ApiError {
    let colon = if problems.is_empty() { "" } else { ": " };
    ApiError::validation(format!(
        "Malformed input request{colon}{problems}, please reformat your input and try again."
    ))
}

/// Reads what Converse passes to the model as it is.
fn fields(value: &serde_json::Value) -> Option<Body> {
    match Member::deserialize(value) {
        Ok(Member::Is(body)) => Some(body),
        _ => None,
    }
}
