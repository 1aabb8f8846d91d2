//! `EnableAlarmActions` and `DisableAlarmActions`. Names that no alarm has are passed over, as on AWS.

use serde_json::json;

use super::{Item, millis, on_alarm};
use crate::{
    cloudwatch::{Input, Shape, missing, wire},
    error::ApiError,
    service::{Call, Plain, Route},
};

pub(in crate::cloudwatch) const ENABLE: Plain = Plain {
    name: "EnableAlarmActions",
    route: Route::CloudWatch("EnableAlarmActions"),
    permission: on_alarm("cloudwatch:EnableAlarmActions"),
    answer: |call| wire::answer(call, "EnableAlarmActions", |input| act(call, input, true)),
};

pub(in crate::cloudwatch) const DISABLE: Plain = Plain {
    name: "DisableAlarmActions",
    route: Route::CloudWatch("DisableAlarmActions"),
    permission: on_alarm("cloudwatch:DisableAlarmActions"),
    answer: |call| wire::answer(call, "DisableAlarmActions", |input| act(call, input, false)),
};

fn act(call: &Call<'_>, input: Input<'_>, enabled: bool) -> Result<Shape, ApiError> {
    let names = input.texts("AlarmNames");
    if names.is_empty() {
        return Err(missing("AlarmNames"));
    }
    let now = millis(call);
    let mut state = call.account.state();
    let alarms = state.settled_alarms(now);
    for name in names {
        let Some(alarm) = alarms.get_mut(call.region, name) else {
            continue;
        };
        if alarm.definition.actions_enabled == enabled {
            continue;
        }
        alarm.definition.actions_enabled = enabled;
        alarm.updated = now;
        let told = alarm.shape().json();
        alarms.history.push(Item {
            region: call.region.to_owned(),
            alarm: name.to_owned(),
            at_ms: now,
            kind: "ConfigurationUpdate",
            summary: format!("Alarm \"{name}\" updated"),
            data: json!({"version": "1.0", "type": "Update", "updatedAlarm": told}),
        });
    }
    Ok(Shape::Members(Vec::new()))
}
