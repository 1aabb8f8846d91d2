//! `GET /_workshop/openapi.json`: the control API, described.

use bytes::Bytes;

use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetOpenApi",
    route: Route::Rest("GET", "/_workshop/openapi.json"),
    permission: None,
    answer,
};

const DOCUMENT: &str = include_str!("openapi.json");

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(_: &mut Call<'_>) -> Result<Told, ApiError> {
    Ok(Told {
        status: 200,
        content_type: "application/json",
        body: Bytes::from_static(DOCUMENT.as_bytes()),
    })
}

#[cfg(test)]
mod tests;
