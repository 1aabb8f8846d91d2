//! `DescribeAlarmHistory`: what happened to one alarm or all, the newest first unless asked otherwise.

use super::{millis, page_size};
use crate::{
    cloudwatch::{Input, Shape, invalid, unknown_token, wire},
    error::ApiError,
    page_token::List,
    service::{Call, Permission, Plain, Route},
};

/// `HistoryItemType`; the last two are of alarms that are not emulated.
const KINDS: [&str; 5] = [
    "ConfigurationUpdate",
    "StateUpdate",
    "Action",
    "AlarmContributorStateUpdate",
    "AlarmContributorAction",
];

pub(in crate::cloudwatch) const OPERATION: Plain = Plain {
    name: "DescribeAlarmHistory",
    route: Route::CloudWatch("DescribeAlarmHistory"),
    permission: Permission::anywhere("cloudwatch:DescribeAlarmHistory"),
    answer: |call| wire::answer(call, "DescribeAlarmHistory", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let (name, kind) = (input.text("AlarmName")?, input.text("HistoryItemType")?);
    if let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) {
        return Err(invalid(format!(
            "The value {kind} for parameter HistoryItemType must be ConfigurationUpdate, StateUpdate or \
             Action."
        )));
    }
    let types = input.texts("AlarmTypes");
    let metric_alarms = types.is_empty() || types.contains(&"MetricAlarm");
    let start = input.time("StartDate")?.unwrap_or(i64::MIN / 1_000);
    let end = input.time("EndDate")?.unwrap_or(i64::MAX / 1_000 - 1);
    let newest_first = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => {
            return Err(invalid(format!(
                "The value {other} for parameter ScanBy must be TimestampDescending or \
                 TimestampAscending."
            )));
        }
    };
    let size = page_size(input)?;
    let list = List::of_input(call, OPERATION.name, input.members().clone());
    let place = input.text("NextToken")?;
    let place = place.map(|token| list.place(token).ok_or_else(unknown_token));
    let place = place.transpose()?.unwrap_or(0);
    let mut state = call.account.state();
    let alarms = state.settled_alarms(millis(call));
    let mut items = alarms.history.of(call.region);
    items.retain(|item| {
        metric_alarms
            && name.is_none_or(|name| name == item.alarm)
            && kind.is_none_or(|kind| kind == item.kind)
            // Whole seconds came; the end's second belongs to it.
            && (start * 1_000..end * 1_000 + 1_000).contains(&item.at_ms)
    });
    if newest_first {
        items.reverse();
    }
    let page = items.iter().skip(place).take(size);
    let page = page.map(|item| item.shape()).collect();
    let mut members = vec![("AlarmHistoryItems", Shape::List(page))];
    if items.len() > place.saturating_add(size) {
        members.push(("NextToken", Shape::Text(list.token(place + size))));
    }
    Ok(Shape::Members(members))
}
