//! `DescribeMetricFilters`: of one group, or of all.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{limit, page};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "DescribeMetricFilters",
    route: Route::Target("Logs_20140328.DescribeMetricFilters"),
    permission: super::permission("logs:DescribeMetricFilters"),
    answer,
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name: Option<String>,
    filter_name_prefix: String,
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    limit: Option<u64>,
    next_token: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let list = List::of_body(call, OPERATION.name);
    let (limit, skip) = (
        limit(input.limit, 50)?,
        page(list, input.next_token.as_deref())?,
    );
    let state = call.account.state();
    if let Some(name) = &input.log_group_name {
        state.log_groups.group(call.region, name)?;
    }
    let (namespace, name) = (
        input.metric_namespace.as_deref(),
        input.metric_name.as_deref(),
    );
    let groups = state.log_groups.groups(call.region);
    let groups =
        groups.filter(|(name, _)| input.log_group_name.as_deref().is_none_or(|n| n == *name));
    let filters = groups.flat_map(|(group, held)| held.filters.iter().map(move |f| (group, f)));
    let mut filters = filters
        .filter(|(_, filter)| {
            filter.name.starts_with(&input.filter_name_prefix) && filter.makes(namespace, name)
        })
        .skip(skip);
    let listed = filters.by_ref().take(limit);
    let listed: Vec<Value> = listed.map(|(group, filter)| filter.told(group)).collect();
    let mut out = json!({ "metricFilters": listed });
    if filters.next().is_some() {
        out["nextToken"] = list.token(skip + limit).into();
    }
    Ok(Told::aws_json(&out))
}
