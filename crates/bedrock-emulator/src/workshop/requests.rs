//! `GET /_workshop/requests`: the journal, newest last, filtered by the query; and one entry of it.
//!
//! `operation`, `model` and `identity` match when they are contained, `status` and `error` exactly,
//! `since` takes entries after that number, `limit` the newest of what is left (100 unless told).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{account, number};
use crate::{
    error::{ApiError, Code},
    journal::Record,
    service::{Call, Plain, Route, Told},
};

pub(super) const LIST: Plain = Plain {
    name: "ListRequests",
    route: Route::Rest("GET", "/_workshop/requests"),
    permission: None,
    answer: list,
};

pub(super) const GET: Plain = Plain {
    name: "GetRequest",
    route: Route::Rest("GET", "/_workshop/requests/{seq}"),
    permission: None,
    answer: get,
};

pub(super) const CLEAR: Plain = Plain {
    name: "ClearRequests",
    route: Route::Rest("DELETE", "/_workshop/requests"),
    permission: None,
    answer: clear,
};

fn list(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let records = chosen(call)?;
    let entries = records.iter().map(|record| record.entry(call.catalogue()));
    Ok(Told::json(
        &json!({ "requests": entries.collect::<Vec<_>>() }),
    ))
}

fn get(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let entry = named(call)?.entry(call.catalogue());
    Ok(Told::json(&serde_json::to_value(entry).unwrap_or_default()))
}

fn clear(call: &mut Call<'_>) -> Result<Told, ApiError> {
    account(call)?.state().journal.clear();
    Ok(Told::json(&json!({})))
}

/// The records that the query asks for.
pub(super) fn chosen(call: &Call<'_>) -> Result<Vec<Arc<Record>>, ApiError> {
    let since = number(call, "since")?.unwrap_or_default();
    let limit = number(call, "limit")?.unwrap_or(100);
    let status = number(call, "status")?;
    let (operation, model) = (call.query("operation"), call.query("model"));
    let (error, identity) = (call.query("error"), call.query("identity"));
    let contains = |wanted: &Option<String>, given: Option<&str>| {
        let given = given.unwrap_or_default();
        wanted.as_deref().is_none_or(|part| given.contains(part))
    };
    let mut records = account(call)?.state().journal.records();
    records.retain(|record| {
        let identity_of = record.principal.as_ref().map(|p| p.arn.as_str());
        record.seq > since
            && status.is_none_or(|status| status == u64::from(record.status))
            && contains(&operation, record.operation)
            && contains(&model, record.model.as_deref())
            && contains(&identity, identity_of)
            && error
                .as_deref()
                .is_none_or(|name| record.error.is_some_and(|code| code.name() == name))
    });
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let skipped = records.len().saturating_sub(limit);
    Ok(records.split_off(skipped))
}

/// The record whose number stands in the path, in whichever account it is.
pub(super) fn named(call: &Call<'_>) -> Result<Arc<Record>, ApiError> {
    let text = call.labels.first().map_or("", String::as_str);
    let seq = text.parse().map_err(|_| {
        ApiError::validation(format!("{text:?} is not the number of a request, like 12"))
    })?;
    call.emulator.record(seq).ok_or_else(|| {
        ApiError::bedrock(
            Code::ResourceNotFound,
            format!(
                "the journal holds no request {seq}; GET /_workshop/requests lists what it holds"
            ),
        )
    })
}

/// What a filter by number asks for, as JSON for whoever reads the answer.
pub(super) fn entry(call: &Call<'_>, seq: u64) -> Value {
    let record = call.emulator.record(seq);
    let entry = record.map(|record| record.entry(call.catalogue()));
    serde_json::to_value(entry).unwrap_or_default()
}
