//! `DeleteAlarms`: all that are named, or none if one of them is not there.

use serde_json::json;

use super::{Item, millis, no_alarm, on_alarm};
use crate::{
    cloudwatch::{Input, Shape, invalid, missing, wire},
    error::ApiError,
    service::{Call, Plain, Route},
};

/// As many names as one request may have (service model).
const NAMES_MAX: usize = 100;

pub(in crate::cloudwatch) const OPERATION: Plain = Plain {
    name: "DeleteAlarms",
    route: Route::CloudWatch("DeleteAlarms"),
    permission: on_alarm("cloudwatch:DeleteAlarms"),
    answer: |call| wire::answer(call, "DeleteAlarms", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let names = input.texts("AlarmNames");
    if names.is_empty() {
        return Err(missing("AlarmNames"));
    }
    if names.len() > NAMES_MAX {
        return Err(invalid(format!(
            "The collection AlarmNames must not have a size greater than {NAMES_MAX}."
        )));
    }
    let now = millis(call);
    let mut state = call.account.state();
    let alarms = state.settled_alarms(now);
    if let Some(name) = names
        .iter()
        .find(|name| alarms.get_mut(call.region, name).is_none())
    {
        return Err(no_alarm(name));
    }
    for name in names {
        let key = (call.region.to_owned(), name.to_owned());
        let Some(alarm) = alarms.all.remove(&key) else {
            // The same name twice.
            continue;
        };
        alarms.history.push(Item {
            region: key.0,
            alarm: key.1,
            at_ms: now,
            kind: "ConfigurationUpdate",
            summary: format!("Alarm \"{name}\" deleted"),
            data: json!({"version": "1.0", "type": "Delete", "deletedAlarm": alarm.shape().json()}),
        });
    }
    Ok(Shape::Members(Vec::new()))
}
