//! `DescribeLogGroups`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{limit, page};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "DescribeLogGroups",
    route: Route::Target("Logs_20140328.DescribeLogGroups"),
    permission: super::permission("logs:DescribeLogGroups"),
    answer,
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    limit: Option<u64>,
    next_token: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let list = List::of_body(call, OPERATION.name);
    let prefix = input.log_group_name_prefix.unwrap_or_default();
    let part = input.log_group_name_pattern.unwrap_or_default();
    let (limit, skip) = (
        limit(input.limit, 50)?,
        page(list, input.next_token.as_deref())?,
    );
    let state = call.account.state();
    let mut groups = state
        .log_groups
        .groups(call.region)
        .filter(|(name, _)| name.starts_with(&prefix) && name.contains(part.as_str()));
    let mut groups = groups.by_ref().skip(skip);
    let listed: Vec<Value> = groups
        .by_ref()
        .take(limit)
        .map(|(name, group)| {
            let arn = format!(
                "arn:aws:logs:{}:{}:log-group:{name}",
                call.region, call.account.id
            );
            let mut out = json!({
                "logGroupName": name,
                "creationTime": group.created,
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                "storedBytes": group.bytes(),
                "logGroupClass": "STANDARD",
                "logGroupArn": arn,
            });
            if let Some(days) = group.retention_days {
                out["retentionInDays"] = days.into();
            }
            out
        })
        .collect();
    let mut out = json!({ "logGroups": listed });
    if groups.next().is_some() {
        out["nextToken"] = list.token(skip + limit).into();
    }
    Ok(Told::aws_json(&out))
}
