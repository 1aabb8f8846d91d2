//! `DeleteMetricFilter`. What it has counted stays.

use serde::Deserialize;
use serde_json::json;

use super::no_filter;
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "DeleteMetricFilter",
    route: Route::Target("Logs_20140328.DeleteMetricFilter"),
    permission: super::permission("logs:DeleteMetricFilter"),
    answer,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
    filter_name: String,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let mut state = call.account.state();
    let group = state
        .log_groups
        .group_mut(call.region, &input.log_group_name)?;
    let at = group
        .filters
        .iter()
        .position(|f| f.name == input.filter_name);
    group.filters.remove(at.ok_or_else(no_filter)?);
    Ok(Told::aws_json(&json!({})))
}
