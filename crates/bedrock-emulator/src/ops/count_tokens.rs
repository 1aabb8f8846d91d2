//! `CountTokens`: how many input tokens a request would have.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{Encoded, Exchange};
use crate::{
    catalogue::Model,
    conversation::Conversation,
    converse_request::ConverseRequest,
    error::{ApiError, Code, INVALID_BASE64},
    invoke_request::InvokeRequest,
    violations::missing,
    wire::Body,
};

/// The request's body: a Converse request, or the base64 of an `InvokeModel` body.
#[derive(Debug, Deserialize)]
pub(crate) struct CountTokensRequest {
    input: Option<CountTokensInput>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountTokensInput {
    converse: Option<ConverseRequest>,
    invoke_model: Option<InvokeModelInput>,
}

#[derive(Debug, Deserialize)]
struct InvokeModelInput {
    body: Option<String>,
}

impl CountTokensRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body).map_err(|error| ApiError::serialization(&error))
    }

    pub(super) fn conversation(&mut self, model: &Model) -> Result<Conversation, ApiError> {
        let Some(input) = &mut self.input else {
            return Err(missing("input"));
        };
        if let Some(converse) = &mut input.converse {
            return converse.conversation(model);
        }
        let body = input.invoke_model.as_ref().and_then(|i| i.body.as_ref());
        let body = body.ok_or_else(|| missing("input"))?;
        let body = STANDARD
            .decode(body)
            .map_err(|_| ApiError::front_door(Code::Serialization, INVALID_BASE64))?;
        InvokeRequest::new(body.into()).conversation(model)
    }
}

pub(super) fn encode(exchange: &Exchange<'_>) -> Encoded {
    let output = json!({ "inputTokens": exchange.conversation.input_tokens() });
    Encoded {
        headers: Vec::new(),
        content_type: "application/json",
        body: Body::Whole {
            due: crate::script::AT_ONCE,
            bytes: output.to_string().into(),
        },
        latency_ms: 1,
        first_token_ms: 1,
        exception: None,
    }
}
