//! `GET /_workshop/trail`: what CloudTrail would hold about the requests in the journal, newest last.

use serde_json::{Value, json};

use super::requests;
use crate::{
    error::ApiError,
    observe::trail_event,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetTrail",
    route: Route::Rest("GET", "/_workshop/trail"),
    permission: None,
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let records = requests::chosen(call)?;
    let events = records.iter().filter_map(|record| trail_event(record));
    let events: Vec<Value> = events.map(|trailed| trailed.event).collect();
    Ok(Told::json(&json!({ "Records": events })))
}
