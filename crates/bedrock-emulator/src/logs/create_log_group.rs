//! `CreateLogGroup`.

use serde::Deserialize;
use serde_json::json;

use super::{invalid, millis};
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "CreateLogGroup",
    route: Route::Target("Logs_20140328.CreateLogGroup"),
    permission: super::permission("logs:CreateLogGroup"),
    answer,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let Input { log_group_name } = call.json()?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    if !(1..=512).contains(&log_group_name.len()) || !log_group_name.chars().all(legal) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{log_group_name}' at 'logGroupName' failed to \
             satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        )));
    }
    let mut state = call.account.state();
    let groups = &mut state.log_groups;
    groups.create_group(call.region, &log_group_name, millis(call))?;
    Ok(Told::aws_json(&json!({})))
}
