//! `/_workshop/faults`: fault rules, listed, added, removed and cleared.

use serde_json::json;

use super::{accounts::addressed, document};
use crate::{
    error::{ApiError, Code},
    service::{Call, Plain, Route, Told},
};

const PATH: &str = "/_workshop/faults";

pub(super) const LIST: Plain = Plain {
    name: "ListFaults",
    route: Route::Rest("GET", PATH),
    permission: None,
    answer: list,
};
pub(super) const ADD: Plain = Plain {
    name: "AddFaults",
    route: Route::Rest("POST", PATH),
    permission: None,
    answer: add,
};
pub(super) const REMOVE: Plain = Plain {
    name: "RemoveFault",
    route: Route::Rest("DELETE", "/_workshop/faults/{id}"),
    permission: None,
    answer: remove,
};
pub(super) const CLEAR: Plain = Plain {
    name: "ClearFaults",
    route: Route::Rest("DELETE", PATH),
    permission: None,
    answer: clear,
};

fn list(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    Ok(Told::json(&json!({ "fault": account.faults.shown() })))
}

fn add(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    let document = document(call)?;
    if document.faults.is_empty() || !document.replies.is_empty() {
        return Err(ApiError::validation(
            "the body must have fault rules and nothing else: {\"fault\": [{\"error\": \
             \"ThrottlingException\", \"rate\": 0.1}]}; replies go to POST /_workshop/script",
        ));
    }
    let since = Some(call.now);
    let (here, elsewhere): (Vec<_>, Vec<_>) = document
        .faults
        .into_iter()
        .partition(|rule| rule.accounts().is_empty());
    let ids = account.faults.extend(here, since);
    for rule in elsewhere {
        for id in rule.accounts().to_vec() {
            let account = call.emulator.account(&id);
            account.faults.extend([rule.clone()], since);
        }
    }
    Ok(Told::status(201, &json!({ "ids": ids })))
}

fn remove(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    let id = call.labels.first().map(String::as_str).unwrap_or_default();
    let number = id.parse().ok();
    if number.is_some_and(|number| account.faults.remove(number)) {
        return Ok(Told::json(&json!({ "removed": number })));
    }
    Err(ApiError::bedrock(
        Code::ResourceNotFound,
        format!("there is no fault rule {id:?}; GET {PATH} lists them with their ids"),
    ))
}

fn clear(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = addressed(call)?;
    account.faults.clear();
    Ok(Told::json(&json!({ "fault": [] })))
}
