//! `/_workshop/script`: what models say next, listed, added and cleared.

use serde_json::json;

use super::{accounts::addressed, document};
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

const PATH: &str = "/_workshop/script";

pub(super) const LIST: Plain = Plain {
    name: "GetScript",
    route: Route::Rest("GET", PATH),
    permission: None,
    answer: list,
};
pub(super) const ADD: Plain = Plain {
    name: "AddToScript",
    route: Route::Rest("POST", PATH),
    permission: None,
    answer: add,
};
pub(super) const CLEAR: Plain = Plain {
    name: "ClearScript",
    route: Route::Rest("DELETE", PATH),
    permission: None,
    answer: clear,
};

fn list(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    let state = account.state();
    Ok(Told::json(&json!({
        "strict": state.script.strict,
        "left": state.script.left(),
        "reply": state.script.shown(),
    })))
}

fn add(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    let document = document(call)?;
    let (replies, faults) = (document.replies.len(), document.faults.len());
    call.emulator.load_into(&account, document, Some(call.now));
    let left = account.state().script.left();
    Ok(Told::status(
        201,
        &json!({ "added": { "reply": replies, "fault": faults }, "left": left }),
    ))
}

fn clear(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    account.state().script.clear();
    Ok(Told::json(&json!({ "left": 0 })))
}
