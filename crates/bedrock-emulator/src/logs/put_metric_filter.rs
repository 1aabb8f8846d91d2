//! `PutMetricFilter`: counts lines from now on. One of the same name is replaced.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{
    full, invalid,
    metric_filter::{Given, MetricFilter},
    millis,
};
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "PutMetricFilter",
    route: Route::Target("Logs_20140328.PutMetricFilter"),
    permission: super::permission("logs:PutMetricFilter"),
    answer,
};

/// Filters that a group may have (service quota).
const FILTERS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    metric_transformations: Vec<Given>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let name = input.filter_name;
    if !(1..=512).contains(&name.len()) || name.contains([':', '*']) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'filterName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [^:*]*"
        )));
    }
    let filter = MetricFilter::new(
        name,
        input.filter_pattern,
        input.metric_transformations,
        millis(call),
    )?;
    let mut state = call.account.state();
    let group = state
        .log_groups
        .group_mut(call.region, &input.log_group_name)?;
    let filters = &mut group.filters;
    match filters.binary_search_by(|known| known.name.cmp(&filter.name)) {
        Ok(at) => filters[at] = Arc::new(filter),
        Err(_) if filters.len() >= FILTERS_MAX => return Err(full("metric filters")),
        Err(at) => filters.insert(at, Arc::new(filter)),
    }
    Ok(Told::aws_json(&json!({})))
}
