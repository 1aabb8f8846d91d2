//! `GetModelInvocationLoggingConfiguration`: where model invocations are logged to. An account that
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
    if !state.invocation_logging {
        return Ok(Told::json(&json!({})));
    }
    if let Some(config) = &state.logging_config {
        return Ok(Told::json(&json!({ "loggingConfig": config })));
    }
    Ok(Told::json(&json!({ "loggingConfig": {
        "textDataDeliveryEnabled": true,
        "imageDataDeliveryEnabled": true,
        "embeddingDataDeliveryEnabled": true,
    } })))
}
