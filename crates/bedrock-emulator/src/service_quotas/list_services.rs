//! `ListServices`: whose quotas can be asked for. Here that is Bedrock's alone.

use serde_json::json;

use super::quota::{SERVICE, SERVICE_NAME};
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListServices",
    route: Route::Target("ServiceQuotasV20190624.ListServices"),
    permission: Permission::anywhere("servicequotas:ListServices"),
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(_: &mut Call<'_>) -> Result<Told, ApiError> {
    Ok(Told::aws_json(&json!({
        "Services": [{ "ServiceCode": SERVICE, "ServiceName": SERVICE_NAME }],
    })))
}
