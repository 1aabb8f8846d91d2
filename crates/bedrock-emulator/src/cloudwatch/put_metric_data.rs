//! `PutMetricData`: values of one's own metrics.

use super::{Input, Shape, combination, invalid, missing, wire};
use crate::{
    error::{ApiError, Code},
    observe::{Custom, Stats, Timeline},
    service::{Call, Permission, Plain, Route},
};

/// Bounds of the API reference.
const DATA_MAX: usize = 1_000;
const VALUES_MAX: usize = 150;
const DIMENSIONS_MAX: usize = 30;

pub(super) const OPERATION: Plain = Plain {
    name: "PutMetricData",
    route: Route::CloudWatch("PutMetricData"),
    permission: Permission::anywhere("cloudwatch:PutMetricData"),
    answer: |call| wire::answer(call, "PutMetricData", |input| act(call, input)),
};

/// One datum, understood.
struct Datum {
    metric: Custom,
    minute: i64,
    values: Values,
}

enum Values {
    Each(Vec<(f64, f64)>),
    Set {
        count: f64,
        sum: f64,
        min: f64,
        max: f64,
    },
}

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let namespace = input.required("Namespace")?;
    if namespace.starts_with("AWS/") {
        return Err(invalid(
            "The value AWS/ for parameter Namespace is invalid: namespaces that start with AWS/ are \
             those of AWS services.",
        ));
    }
    let data = input.list("MetricData");
    if data.is_empty() {
        return Err(missing("MetricData"));
    }
    if data.len() > DATA_MAX {
        return Err(invalid(format!(
            "The collection MetricData must not have a size greater than {DATA_MAX}."
        )));
    }
    // All or nothing: one bad datum refuses the whole request.
    let data: Result<Vec<Datum>, ApiError> = data
        .into_iter()
        .map(|datum| understand(call, namespace, datum))
        .collect();
    let mut state = call.account.state();
    for datum in data? {
        let put = |stats: &mut Stats| match &datum.values {
            Values::Each(values) => {
                for (value, count) in values {
                    stats.put(*value, *count);
                }
            }
            Values::Set {
                count,
                sum,
                min,
                max,
            } => stats.put_set(*count, *sum, *min, *max),
        };
        if !state.meters.change_custom(datum.metric, datum.minute, put) {
            return Err(ApiError::bedrock(
                Code::LimitExceeded,
                "This emulator keeps no more metrics of this account: dimensions whose values never \
                 repeat (request ids) make a new metric each time.",
            ));
        }
    }
    Ok(Shape::Members(Vec::new()))
}

fn understand(call: &Call<'_>, namespace: &str, datum: Input<'_>) -> Result<Datum, ApiError> {
    let mut dimensions = Vec::new();
    for dimension in datum.list("Dimensions") {
        let name = dimension.required("Name")?.to_owned();
        dimensions.push((name, dimension.required("Value")?.to_owned()));
    }
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(invalid(format!(
            "The collection Dimensions must not have a size greater than {DIMENSIONS_MAX}."
        )));
    }
    dimensions.sort_unstable();
    let now = call.now.unix_timestamp();
    let at = datum.time("Timestamp")?.unwrap_or(now);
    // Two weeks back and two hours ahead (API reference).
    if at < now - 14 * 86_400 || at > now + 2 * 3_600 {
        return Err(invalid(
            "The parameter MetricData.member.1.Timestamp must be a timestamp within the last two \
             weeks or the next two hours.",
        ));
    }
    Ok(Datum {
        metric: Custom {
            region: call.region.to_owned(),
            namespace: namespace.to_owned(),
            name: datum.required("MetricName")?.to_owned(),
            dimensions,
            unit: datum.text("Unit")?.unwrap_or("None").to_owned(),
            line: Timeline::default(),
        },
        minute: at.div_euclid(60),
        values: values(datum)?,
    })
}

fn values(datum: Input<'_>) -> Result<Values, ApiError> {
    let kinds = ["Value", "Values", "StatisticValues"];
    match kinds.iter().filter(|kind| datum.has(kind)).count() {
        1 => {}
        0 => return Err(missing("MetricData.member.1.Value")),
        _ => {
            return Err(combination(
                "The parameters MetricData.member.1.Value, MetricData.member.1.Values and \
                 MetricData.member.1.StatisticValues are mutually exclusive and you have specified \
                 more than one.",
            ));
        }
    }
    if let Some(set) = datum.inside("StatisticValues") {
        let member = |name: &str| set.number(name)?.ok_or_else(|| missing(name));
        let count = member("SampleCount")?;
        if count <= 0.0 {
            return Err(invalid("The parameter SampleCount must be greater than 0."));
        }
        return Ok(Values::Set {
            count,
            sum: member("Sum")?,
            min: member("Minimum")?,
            max: member("Maximum")?,
        });
    }
    if let Some(value) = datum.number("Value")? {
        return Ok(Values::Each(vec![(value, 1.0)]));
    }
    let values = datum.numbers("Values");
    let counts = datum.numbers("Counts");
    if values.is_empty() || values.len() > VALUES_MAX {
        return Err(invalid(format!(
            "The collection Values must hold from 1 to {VALUES_MAX} numbers."
        )));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(combination(
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of \
             the same size.",
        ));
    }
    let sane = |number: &f64| number.is_finite();
    if !values.iter().all(sane) || !counts.iter().all(|c| c.is_finite() && *c > 0.0) {
        return Err(invalid(
            "The parameters Values and Counts must hold numbers that can be stored, and counts above 0.",
        ));
    }
    let counts = counts.into_iter().chain(std::iter::repeat(1.0));
    Ok(Values::Each(values.into_iter().zip(counts).collect()))
}
