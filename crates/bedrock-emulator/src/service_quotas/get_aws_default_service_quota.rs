//! `GetAWSDefaultServiceQuota`: one quota as every account has it at first.

use serde_json::json;

use super::quota;
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetAWSDefaultServiceQuota",
    route: Route::Target("ServiceQuotasV20190624.GetAWSDefaultServiceQuota"),
    permission: Permission::anywhere("servicequotas:GetAWSDefaultServiceQuota"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let quota = quota::asked(call)?;
    Ok(Told::aws_json(
        &json!({ "Quota": quota.told_default(call) }),
    ))
}
