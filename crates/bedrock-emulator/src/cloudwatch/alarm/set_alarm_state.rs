//! `SetAlarmState`: a state by hand, to try what hangs on it. The next evaluation, at the minute's end,
//! puts it right again.

use super::{EVERY, StateValue, millis, no_alarm, on_alarm};
use crate::{
    cloudwatch::{Input, Shape, missing, wire},
    error::{ApiError, Code},
    service::{Call, Plain, Route},
};

pub(in crate::cloudwatch) const OPERATION: Plain = Plain {
    name: "SetAlarmState",
    route: Route::CloudWatch("SetAlarmState"),
    permission: on_alarm("cloudwatch:SetAlarmState"),
    answer: |call| wire::answer(call, "SetAlarmState", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let name = input.required("AlarmName")?;
    let value = StateValue::parse(input.required("StateValue")?)?;
    let reason = input
        .text("StateReason")?
        .ok_or_else(|| missing("StateReason"))?;
    let data = input.text("StateReasonData")?.map(|text| {
        serde_json::from_str(text).map_err(|_| {
            ApiError::bedrock(
                Code::InvalidFormatFault,
                "The parameter StateReasonData is not valid JSON.",
            )
        })
    });
    let data = data.transpose()?;
    let now = millis(call);
    let mut state = call.account.state();
    let alarms = state.settled_alarms(now);
    let key = (call.region.to_owned(), name.to_owned());
    let super::Alarms { all, history } = alarms;
    let alarm = all.get_mut(&key).ok_or_else(|| no_alarm(name))?;
    alarm.held = now.div_euclid(1_000 * EVERY) * EVERY;
    if value == alarm.state {
        reason.clone_into(&mut alarm.reason);
        alarm.data = data;
    } else {
        alarm.change(call.region, value, reason.to_owned(), data, now, history);
    }
    Ok(Shape::Members(Vec::new()))
}
