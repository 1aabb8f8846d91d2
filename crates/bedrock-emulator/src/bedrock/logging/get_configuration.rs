//! `GetModelInvocationLoggingConfiguration`: where model invocations are logged to. A region that
//! logs nothing answers an empty object (service model: the member is optional).

use serde_json::json;

use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "GetModelInvocationLoggingConfiguration",
    route: Route::Rest("GET", "/logging/modelinvocations"),
    permission: Permission::anywhere("bedrock:GetModelInvocationLoggingConfiguration"),
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let state = call.account.state();
    let config = state.logging.of(call.region);
    Ok(Told::json(&match config {
        Some(config) => json!({ "loggingConfig": config.told() }),
        None => json!({}),
    }))
}
