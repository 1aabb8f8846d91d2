//! `ListMetrics`: which metrics have data, filtered by namespace, name and dimensions.

use super::{Input, Shape, invalid, unknown_token, wire};
use crate::{
    error::ApiError,
    observe::Found,
    page_token::List,
    service::{Call, Permission, Plain, Route},
};

/// As many metrics as one answer holds (API reference).
const PAGE: usize = 500;

/// What `RecentlyActive` may ask for, in minutes.
const RECENT: i64 = 3 * 60;

pub(super) const OPERATION: Plain = Plain {
    name: "ListMetrics",
    route: Route::CloudWatch("ListMetrics"),
    permission: Permission::anywhere("cloudwatch:ListMetrics"),
    answer: |call| wire::answer(call, "ListMetrics", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let (namespace, name) = (input.text("Namespace")?, input.text("MetricName")?);
    let since = match input.text("RecentlyActive")? {
        None => i64::MIN,
        Some("PT3H") => call.now.unix_timestamp().div_euclid(60) - RECENT,
        Some(other) => {
            return Err(invalid(format!(
                "The value {other} for parameter RecentlyActive is not supported; it must be PT3H."
            )));
        }
    };
    let mut wanted = Vec::new();
    for filter in input.list("Dimensions") {
        wanted.push((filter.required("Name")?, filter.text("Value")?));
    }
    let list = List::of_input(call, OPERATION.name, input.members().clone());
    let skip = input.text("NextToken")?;
    let skip = skip.map(|token| list.place(token).ok_or_else(unknown_token));
    let skip = skip.transpose()?.unwrap_or(0);
    let state = call.account.state();
    let found = state.meters.found(call.region);
    let has = |metric: &Found<'_>, (name, value): (&str, Option<&str>)| {
        let mut all = metric.dimensions.iter();
        all.any(|(n, v)| *n == name && value.is_none_or(|value| value == *v))
    };
    let mut listed: Vec<_> = found
        .iter()
        .filter(|metric| {
            namespace.is_none_or(|n| n == metric.namespace)
                && name.is_none_or(|n| n == metric.name)
                && metric.line.last().is_some_and(|last| last >= since)
                && wanted.iter().all(|filter| has(metric, *filter))
        })
        .map(|metric| (metric.namespace, metric.name, &metric.dimensions))
        .collect();
    listed.sort_unstable();
    // The same metric put with two units is one metric.
    listed.dedup();
    let page = listed.iter().skip(skip).take(PAGE);
    let metrics = page.map(|(namespace, name, dimensions)| {
        let dimensions = dimensions.iter().map(|(name, value)| {
            Shape::Members(vec![("Name", (*name).into()), ("Value", (*value).into())])
        });
        Shape::Members(vec![
            ("Namespace", (*namespace).into()),
            ("MetricName", (*name).into()),
            ("Dimensions", Shape::List(dimensions.collect())),
        ])
    });
    let mut members = vec![("Metrics", Shape::List(metrics.collect()))];
    if listed.len() > skip.saturating_add(PAGE) {
        members.push(("NextToken", Shape::Text(list.token(skip + PAGE))));
    }
    Ok(Shape::Members(members))
}
