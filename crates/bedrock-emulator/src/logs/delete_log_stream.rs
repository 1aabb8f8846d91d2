//! `DeleteLogStream`.

use serde::Deserialize;
use serde_json::json;

use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "DeleteLogStream",
    route: Route::Target("Logs_20140328.DeleteLogStream"),
    permission: super::permission("logs:DeleteLogStream"),
    answer,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
    log_stream_name: String,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let mut state = call.account.state();
    let groups = &mut state.log_groups;
    groups.delete_stream(call.region, &input.log_group_name, &input.log_stream_name)?;
    Ok(Told::aws_json(&json!({})))
}
