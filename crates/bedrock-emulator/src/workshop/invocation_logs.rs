//! `GET /_workshop/logs`: the records of model invocation logging, oldest first, wherever they are
//! delivered to.

use serde_json::{Value, json};

use super::account;
use crate::{
    error::ApiError,
    observe::log_record,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListInvocationLogs",
    route: Route::Rest("GET", "/_workshop/logs"),
    permission: None,
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let records = account(call)?.state().logs.records();
    let records = records.iter().filter_map(|record| log_record(record));
    let records: Vec<Value> = records.map(|log| log.record).collect();
    Ok(Told::json(&json!({ "records": records })))
}
