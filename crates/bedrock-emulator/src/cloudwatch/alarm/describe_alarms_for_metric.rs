//! `DescribeAlarmsForMetric`: the alarms that watch one metric, with exactly these dimensions.

use super::millis;
use crate::{
    cloudwatch::{Input, Shape, wire},
    error::ApiError,
    service::{Call, Permission, Plain, Route},
};

pub(in crate::cloudwatch) const OPERATION: Plain = Plain {
    name: "DescribeAlarmsForMetric",
    route: Route::CloudWatch("DescribeAlarmsForMetric"),
    permission: Permission::anywhere("cloudwatch:DescribeAlarmsForMetric"),
    answer: |call| wire::answer(call, "DescribeAlarmsForMetric", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let mut state = call.account.state();
    let alarms = state.settled_alarms(millis(call));
    input.required("Namespace")?;
    input.required("MetricName")?;
    let mut found = Vec::new();
    for alarm in alarms.of(call.region) {
        if alarm.definition.watches(input)? {
            found.push(alarm.shape());
        }
    }
    Ok(Shape::Members(vec![("MetricAlarms", Shape::List(found))]))
}
