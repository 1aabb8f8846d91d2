//! `PutMetricAlarm`: makes an alarm, or replaces the definition of one, whose state stays.

use std::collections::VecDeque;

use serde_json::json;

use super::{
    ALARMS_MAX, Alarm, Definition, EVERY, Item, StateValue, millis, on_alarm, reason, tags,
};
use crate::{
    cloudwatch::{Input, Shape, wire},
    error::{ApiError, Code},
    service::{Call, Plain, Route},
};

pub(in crate::cloudwatch) const OPERATION: Plain = Plain {
    name: "PutMetricAlarm",
    route: Route::CloudWatch("PutMetricAlarm"),
    permission: on_alarm("cloudwatch:PutMetricAlarm"),
    answer: |call| wire::answer(call, "PutMetricAlarm", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let definition = Definition::parse(input)?;
    let tags = tags::read(input)?;
    let (now, name) = (millis(call), definition.name.clone());
    let mut state = call.account.state();
    let alarms = state.settled_alarms(now);
    let key = (call.region.to_owned(), name.clone());
    let full = alarms.all.len() >= ALARMS_MAX;
    let kind = match alarms.all.get_mut(&key) {
        Some(alarm) => {
            alarm.definition = definition;
            alarm.updated = now;
            "Update"
        }
        None if full => {
            return Err(ApiError::bedrock(
                Code::LimitExceededFault,
                format!("This emulator keeps no more than {ALARMS_MAX} alarms in one account."),
            ));
        }
        None => {
            let alarm = Alarm {
                arn: super::arn(call, &name),
                definition,
                tags,
                updated: now,
                state: StateValue::InsufficientData,
                reason: reason::INITIAL.to_owned(),
                data: None,
                since: now,
                evaluated: now.div_euclid(1_000 * EVERY) * EVERY,
                held: i64::MIN,
                fired: VecDeque::new(),
            };
            alarms.all.insert(key.clone(), alarm);
            "Create"
        }
    };
    let told = alarms.all.get(&key).map(|alarm| alarm.shape().json());
    let word = if kind == "Create" {
        "created"
    } else {
        "updated"
    };
    alarms.history.push(Item {
        region: call.region.to_owned(),
        alarm: name.clone(),
        at_ms: now,
        kind: "ConfigurationUpdate",
        summary: format!("Alarm \"{name}\" {word}"),
        data: json!({"version": "1.0", "type": kind, (format!("{word}Alarm")): told}),
    });
    Ok(Shape::Members(Vec::new()))
}
