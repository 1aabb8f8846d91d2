//! `GET /_workshop/cost`: what was spent, by account, model and day.

use serde_json::{Value, json};

use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetCost",
    route: Route::Rest("GET", "/_workshop/cost"),
    permission: None,
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let only = call.query("account");
    let rows = call.emulator.costs().into_iter();
    let rows: Vec<_> = rows
        .filter(|row| only.as_deref().is_none_or(|account| account == row.account))
        .collect();
    let micro_usd: u64 = rows.iter().map(|row| row.spent.micro_usd).sum();
    let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
    Ok(Told::json(&json!({
        "microUsd": micro_usd,
        "usd": format!("{}.{:06}", micro_usd / 1_000_000, micro_usd % 1_000_000),
        "pricesAsOf": call.catalogue().as_of.to_string(),
        "rows": rows,
    })))
}
