//! `/_workshop/config`: the settings that can change while the emulator runs.

use serde_json::{Value, json};
use time::{Date, format_description::well_known::Iso8601};

use crate::{
    document::{Field, Mistake},
    emulator::{Dials, Latency},
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

const PATH: &str = "/_workshop/config";

pub(super) const GET: Plain = Plain {
    name: "GetConfig",
    route: Route::Rest("GET", PATH),
    permission: None,
    answer: get,
};
pub(super) const SET: Plain = Plain {
    name: "SetConfig",
    route: Route::Rest("PATCH", PATH),
    permission: None,
    answer: set,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn get(call: &mut Call<'_>) -> Result<Told, ApiError> {
    Ok(Told::json(&shown(call.emulator.dials())))
}

fn set(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let body: Value = super::body(call)?;
    let configured = call.emulator.config().latency;
    let changed = read(&Field::root(&body), call.emulator.dials(), configured);
    let dials = changed.map_err(super::mistaken)?;
    call.emulator.turn(dials);
    Ok(Told::json(&shown(dials)))
}

fn shown(dials: Dials) -> Value {
    let latency = match dials.latency {
        Latency::None => json!(false),
        Latency::Model => json!("model"),
        Latency::Fixed {
            first_token_ms,
            per_token_ms,
        } => json!({ "first_token_ms": first_token_ms, "per_token_ms": per_token_ms }),
    };
    json!({
        "seed": dials.seed,
        "today": dials.today.map(|day| day.to_string()),
        "latency": latency,
    })
}

/// What is not mentioned stays; `null` gives a setting its own way back.
fn read(field: &Field<'_>, mut dials: Dials, configured: Latency) -> Result<Dials, Mistake> {
    let mut table = field.table()?;
    dials.seed = table.read("seed", |f| f.whole(0))?.unwrap_or(dials.seed);
    if let Some(field) = table.get("today") {
        dials.today = match field.value {
            Value::Null => None,
            _ => Some(day(&field)?),
        };
    }
    if let Some(field) = table.get("latency") {
        dials.latency = match field.value {
            Value::Bool(true) | Value::Null => configured,
            Value::Bool(false) => Latency::none(),
            Value::String(text) if text == "model" => Latency::Model,
            _ => latency(&field, dials.latency)?,
        };
    }
    table.finish()?;
    Ok(dials)
}

/// The same times for every model; what is not mentioned stays as it was, or is 0.
fn latency(field: &Field<'_>, latency: Latency) -> Result<Latency, Mistake> {
    let (was_first, was_each) = match latency {
        Latency::Fixed {
            first_token_ms,
            per_token_ms,
        } => (first_token_ms, per_token_ms),
        Latency::None | Latency::Model => (0, 0),
    };
    let mut table = field.table()?;
    let first = table.read("first_token_ms", |f| f.small(0))?;
    let each = table.read("per_token_ms", |f| f.small(0))?;
    table.finish()?;
    Ok(Latency::Fixed {
        first_token_ms: first.unwrap_or(was_first),
        per_token_ms: each.unwrap_or(was_each),
    })
}

fn day(field: &Field<'_>) -> Result<Date, Mistake> {
    let text = field.text()?;
    Date::parse(text, &Iso8601::DATE)
        .map_err(|_| field.mistake(format!("is {text:?}; write a day as 2026-11-22, or null")))
}
