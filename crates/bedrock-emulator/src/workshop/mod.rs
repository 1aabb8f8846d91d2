//! The emulator's own control API, `/_workshop/…`: one operation, one file.
//!
//! It asks for no signature, answers programs on this machine only ([`guard`]), stands in no journal
//! and changes no request's bytes. `openapi.json` describes it; a test compares the two.

mod accounts;
mod alarms;
mod copy_as;
mod cost;
mod embedded_metrics;
mod endpoint_only;
mod faults;
pub(crate) mod guard;
mod health;
mod invocation_logs;
mod metrics;
mod openapi;
mod replay;
mod requests;
mod reset;
mod script;
mod settings;
mod status;
mod trail;

use accounts::addressed as account;
use serde_json::Value;

use crate::{
    error::ApiError,
    script::{Document, Mistake},
    service::{Call, Plain},
};

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    health::OPERATION,
    openapi::OPERATION,
    status::OPERATION,
    script::LIST,
    script::ADD,
    script::CLEAR,
    faults::LIST,
    faults::ADD,
    faults::REMOVE,
    faults::CLEAR,
    endpoint_only::LIST_GATES,
    endpoint_only::OPEN_GATE,
    endpoint_only::CLOSE_GATE,
    endpoint_only::EVENTS,
    accounts::LIST,
    accounts::CREATE,
    accounts::GET,
    accounts::DELETE,
    settings::GET,
    settings::SET,
    reset::OPERATION,
    requests::LIST,
    requests::GET,
    requests::CLEAR,
    replay::OPERATION,
    copy_as::CURL,
    copy_as::BOTO3,
    copy_as::RUST,
    copy_as::HAR,
    metrics::OPERATION,
    alarms::OPERATION,
    cost::OPERATION,
    trail::OPERATION,
    invocation_logs::OPERATION,
    embedded_metrics::OPERATION,
];

/// The body as JSON; an empty one is an empty object.
fn body(call: &Call<'_>) -> Result<Value, ApiError> {
    if call.request.body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(&call.request.body)
        .map_err(|error| ApiError::validation(format!("the body is not JSON: {error}")))
}

/// The body as a script file, in TOML if its media type says so.
fn document(call: &Call<'_>) -> Result<Document, ApiError> {
    let media_type = call.request.header("content-type").unwrap_or_default();
    let document = if media_type.trim_start().starts_with("application/toml") {
        let text = std::str::from_utf8(&call.request.body)
            .map_err(|error| ApiError::validation(format!("the body is not UTF-8: {error}")))?;
        Document::from_toml(text)
    } else {
        Document::from_json(&body(call)?)
    };
    document.map_err(mistaken)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn mistaken(mistake: Mistake) -> ApiError {
    ApiError::validation(mistake.to_string())
}

/// A whole number in the query.
fn number(call: &Call<'_>, name: &str) -> Result<Option<u64>, ApiError> {
    let Some(text) = call.query(name) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| {
        ApiError::validation(format!("{name}={text}: expected a whole number from 0"))
    });
    number.map(Some)
}
