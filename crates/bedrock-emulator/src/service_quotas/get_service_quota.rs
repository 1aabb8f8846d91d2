//! `GetServiceQuota`: one quota as it is for the caller's account.

use serde_json::json;

use super::quota;
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetServiceQuota",
    route: Route::Target("ServiceQuotasV20190624.GetServiceQuota"),
    permission: Permission::anywhere("servicequotas:GetServiceQuota"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let quota = quota::asked(call)?;
    Ok(Told::aws_json(&json!({ "Quota": quota.told(call) })))
}
