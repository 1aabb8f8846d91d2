//! `GET /_workshop/health`: that the emulator answers, and as what.

use serde_json::json;

use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "Health",
    route: Route::Rest("GET", "/_workshop/health"),
    permission: None,
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    Ok(Told::json(&json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "region": call.region,
        "today": call.today.to_string(),
        "catalogueAsOf": call.catalogue().as_of.to_string(),
    })))
}
