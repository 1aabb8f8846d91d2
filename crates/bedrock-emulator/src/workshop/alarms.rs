//! `GET /_workshop/alarms`: the alarms of an account in all regions, evaluated up to now.

use serde_json::{Value, json};

use super::account;
use crate::{
    cloudwatch::Alarm,
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListAlarms",
    route: Route::Rest("GET", "/_workshop/alarms"),
    permission: None,
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let now = i64::try_from(call.now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let account = account(call)?;
    call.emulator.gather_metrics(&account);
    let mut state = account.state();
    let alarms = state.settled_alarms(now);
    let alarms: Vec<Value> = alarms.iter().map(|(region, a)| told(region, a)).collect();
    Ok(Told::json(&json!({ "alarms": alarms })))
}

fn told(region: &str, alarm: &Alarm) -> Value {
    let fired = alarm.fired().map(|fired| {
        json!({
            "t_ms": fired.at_ms,
            "state": fired.state.name(),
            "action": fired.action,
        })
    });
    let fired: Vec<Value> = fired.collect();
    json!({
        "name": alarm.name(),
        "region": region,
        "arn": alarm.arn(),
        "state": alarm.state.name(),
        "since_ms": alarm.since,
        "reason": alarm.reason,
        "condition": alarm.condition(),
        "actions_enabled": alarm.actions_enabled(),
        "fired": fired,
    })
}
