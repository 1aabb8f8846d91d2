//! `DeleteLogGroup`.

use serde::Deserialize;
use serde_json::json;

use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "DeleteLogGroup",
    route: Route::Target("Logs_20140328.DeleteLogGroup"),
    permission: super::permission("logs:DeleteLogGroup"),
    answer,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let Input { log_group_name } = call.json()?;
    let mut state = call.account.state();
    state
        .log_groups
        .delete_group(call.region, &log_group_name)?;
    Ok(Told::aws_json(&json!({})))
}
