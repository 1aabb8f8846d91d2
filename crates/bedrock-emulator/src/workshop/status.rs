//! `GET /_workshop/status`: how the emulator is, at a glance.

use serde_json::{Value, json};

use super::accounts::summary;
use crate::{
    emulator::Auth,
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetStatus",
    route: Route::Rest("GET", "/_workshop/status"),
    permission: None,
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let config = call.emulator.config();
    let accounts: Vec<Value> = call
        .emulator
        .accounts()
        .iter()
        .map(|account| summary(account))
        .collect();
    let sum = |key: &str| accounts.iter().filter_map(|a| a[key].as_u64()).sum::<u64>();
    let last = accounts.iter().map(|a| &a["last_error"]);
    let last = last
        .filter(|e| !e.is_null())
        .max_by_key(|e| e["seq"].as_u64());
    Ok(Told::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": call.emulator.uptime(call.now).whole_seconds(),
        "region": config.region,
        "auth": match config.auth {
            Auth::Strict => "strict",
            Auth::Off => "off",
        },
        "today": call.today.to_string(),
        "seed": call.emulator.dials().seed,
        "requests_per_minute": config.requests_per_minute,
        "requests": sum("requests"),
        "errors": sum("errors"),
        "throttles": sum("throttles"),
        "last_error": last,
        "accounts": accounts,
    })))
}
