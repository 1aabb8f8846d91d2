//! `POST /_workshop/reset`: as if the emulator, or one account, had just started.

use serde_json::json;

use super::accounts::addressed;
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "Reset",
    route: Route::Rest("POST", "/_workshop/reset"),
    permission: None,
    answer,
};

/// Everything that an account holds goes: what was recorded (journal, logs, metrics), what was said
/// (script, fault rules), what was made (guardrails, profiles, jobs, log groups) and what was used up
/// (quotas, caches). Logging is as configured; accounts, identities and policies stay. Without an account named, all of them, and the settings are the configured ones.
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let accounts = if call.query("account").is_some() {
        vec![addressed(call)?]
    } else {
        call.emulator.turn(call.emulator.configured_dials());
        call.emulator.accounts()
    };
    for account in &accounts {
        account.reset(call.emulator.config());
        call.emulator.forget(&account.id);
    }
    let ids: Vec<&str> = accounts.iter().map(|account| &*account.id).collect();
    Ok(Told::json(&json!({ "reset": ids })))
}
