//! `DeleteGuardrail`: one numbered version, or everything.

use serde_json::json;

use super::arn;
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "DeleteGuardrail",
    route: Route::Rest("DELETE", "/guardrails/{guardrailIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:DeleteGuardrail",
        resource: arn,
    }),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let number = call.query("guardrailVersion");
    let mut state = call.account.state();
    let guardrails = &mut state.guardrails;
    guardrails.delete(&call.labels[0], number.as_deref())?;
    Ok(Told::status(202, &json!({})))
}
