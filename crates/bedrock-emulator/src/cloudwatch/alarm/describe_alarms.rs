//! `DescribeAlarms`: the alarms of a region with their states, by name, in pages.

use super::{Alarm, StateValue, millis, page_size};
use crate::{
    cloudwatch::{Input, Shape, combination, invalid, unknown_token, wire},
    error::ApiError,
    page_token::List,
    service::{Call, Permission, Plain, Route},
};

/// As many names as one request may have (service model).
const NAMES_MAX: usize = 100;

pub(in crate::cloudwatch) const OPERATION: Plain = Plain {
    name: "DescribeAlarms",
    route: Route::CloudWatch("DescribeAlarms"),
    permission: Permission::anywhere("cloudwatch:DescribeAlarms"),
    answer: |call| wire::answer(call, "DescribeAlarms", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let names = input.texts("AlarmNames");
    let prefix = input.text("AlarmNamePrefix")?;
    if names.len() > NAMES_MAX {
        return Err(invalid(format!(
            "The collection AlarmNames must not have a size greater than {NAMES_MAX}."
        )));
    }
    if !names.is_empty() && prefix.is_some() {
        return Err(combination(
            "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have \
             specified both.",
        ));
    }
    let types = input.texts("AlarmTypes");
    // Nothing is anybody's child or parent: there are no composite alarms.
    let family = input.has("ChildrenOfAlarmName") || input.has("ParentsOfAlarmName");
    let metric_alarms = !family && (types.is_empty() || types.contains(&"MetricAlarm"));
    let state = input
        .text("StateValue")?
        .map(StateValue::parse)
        .transpose()?;
    let action = input.text("ActionPrefix")?;
    let wanted = |alarm: &&Alarm| {
        metric_alarms
            && (names.is_empty() || names.contains(&alarm.name()))
            && prefix.is_none_or(|prefix| alarm.name().starts_with(prefix))
            && state.is_none_or(|state| state == alarm.state)
            && action.is_none_or(|prefix| alarm.definition.acts(prefix))
    };
    let size = page_size(input)?;
    let list = List::of_input(call, OPERATION.name, input.members().clone());
    let start = input.text("NextToken")?;
    let start = start.map(|token| list.place(token).ok_or_else(unknown_token));
    let start = start.transpose()?.unwrap_or(0);
    let mut state = call.account.state();
    let alarms = state.settled_alarms(millis(call));
    let mut found = alarms.of(call.region).filter(wanted).skip(start);
    let page: Vec<Shape> = found.by_ref().take(size).map(Alarm::shape).collect();
    let mut members = vec![
        ("CompositeAlarms", Shape::List(Vec::new())),
        ("MetricAlarms", Shape::List(page)),
    ];
    if found.next().is_some() {
        members.push(("NextToken", Shape::Text(list.token(start + size))));
    }
    Ok(Shape::Members(members))
}
