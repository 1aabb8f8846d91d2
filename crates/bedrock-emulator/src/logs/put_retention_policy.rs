//! `PutRetentionPolicy`: kept and told; this emulator deletes by bytes, not by age.

use serde::Deserialize;
use serde_json::json;

use super::invalid;
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "PutRetentionPolicy",
    route: Route::Target("Logs_20140328.PutRetentionPolicy"),
    permission: super::permission("logs:PutRetentionPolicy"),
    answer,
};

/// The values of the API reference.
const DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557,
    2_922, 3_288, 3_653,
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
    retention_in_days: u32,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let days = input.retention_in_days;
    if !DAYS.contains(&days) {
        return Err(invalid(format!(
            "retentionInDays: {days} is not one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, \
             400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
        )));
    }
    let mut state = call.account.state();
    let groups = &mut state.log_groups;
    let group = groups.group_mut(call.region, &input.log_group_name)?;
    group.retention_days = Some(days);
    Ok(Told::aws_json(&json!({})))
}
