//! `POST /anthropic/v1/messages/count_tokens`: the same count as `CountTokens`, for a Messages body.

use serde_json::json;

use super::{Encoded, Exchange};
use crate::{script::AT_ONCE, wire::Body};

pub(super) fn encode(exchange: &Exchange<'_>) -> Encoded {
    let output = json!({ "input_tokens": exchange.conversation.input_tokens() });
    Encoded {
        headers: Vec::new(),
        content_type: "application/json",
        body: Body::Whole {
            due: AT_ONCE,
            bytes: output.to_string().into(),
        },
        latency_ms: 1,
        first_token_ms: 1,
        exception: None,
    }
}
