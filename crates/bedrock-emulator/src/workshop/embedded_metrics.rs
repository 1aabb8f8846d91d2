//! `GET /_workshop/emf`: why lines in the embedded metric format made no metrics, oldest first.

use serde_json::{Value, json};

use super::account;
use crate::{
    error::ApiError,
    logs::Trouble,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListEmbeddedMetricProblems",
    route: Route::Rest("GET", "/_workshop/emf"),
    permission: None,
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let account = account(call)?;
    let state = account.state();
    let lines: Vec<Value> = state.log_groups.troubles.iter().map(told).collect();
    Ok(Told::json(&json!({ "lines": lines })))
}

fn told(trouble: &Trouble) -> Value {
    json!({
        "region": trouble.region,
        "log_group": trouble.group,
        "log_stream": trouble.stream,
        "timestamp_ms": trouble.timestamp,
        "problems": trouble.problems,
        "line": trouble.line,
    })
}
