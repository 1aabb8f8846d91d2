//! `GetAWSDefaultServiceQuota`: one quota as every account has it at first.

use serde::Deserialize;
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

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    service_code: Option<String>,
    quota_code: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    quota::service(input.service_code.as_deref())?;
    let quota = quota::find(call, input.quota_code)?;
    Ok(Told::aws_json(
        &json!({ "Quota": quota.told_default(call) }),
    ))
}
