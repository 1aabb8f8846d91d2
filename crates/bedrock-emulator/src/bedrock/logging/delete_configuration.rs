//! `DeleteModelInvocationLoggingConfiguration`: from here on nothing is logged.

use serde_json::json;

use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "DeleteModelInvocationLoggingConfiguration",
    route: Route::Rest("DELETE", "/logging/modelinvocations"),
    permission: Permission::anywhere("bedrock:DeleteModelInvocationLoggingConfiguration"),
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    call.account.state().logging.set(call.region, None);
    Ok(Told::json(&json!({})))
}
