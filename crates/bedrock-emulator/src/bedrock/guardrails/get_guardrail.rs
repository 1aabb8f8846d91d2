//! `GetGuardrail`: the draft, or the version that the query names.

use super::arn;
use crate::{
    error::ApiError,
    guardrail::described,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "GetGuardrail",
    route: Route::Rest("GET", "/guardrails/{guardrailIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:GetGuardrail",
        resource: arn,
    }),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let number = call.query("guardrailVersion");
    let state = call.account.state();
    let version = state
        .guardrails
        .version(&call.labels[0], number.as_deref())?;
    drop(state);
    Ok(Told::json(&described(&version)))
}
