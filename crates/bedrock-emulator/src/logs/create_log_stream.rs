//! `CreateLogStream`.

use serde::Deserialize;
use serde_json::json;

use super::{invalid, millis};
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "CreateLogStream",
    route: Route::Target("Logs_20140328.CreateLogStream"),
    permission: super::permission("logs:CreateLogStream"),
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
    let name = input.log_stream_name;
    if !(1..=512).contains(&name.len()) || name.contains([':', '*']) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [^:*]*"
        )));
    }
    let mut state = call.account.state();
    let groups = &mut state.log_groups;
    groups.create_stream(call.region, &input.log_group_name, &name, millis(call))?;
    Ok(Told::aws_json(&json!({})))
}
