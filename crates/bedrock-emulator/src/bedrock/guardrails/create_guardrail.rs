//! `CreateGuardrail`: 202, and ready at once, where AWS takes some seconds.

use serde_json::json;

use super::arn_of;
use crate::{
    error::ApiError,
    guardrail::{Request, timestamp},
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "CreateGuardrail",
    route: Route::Rest("POST", "/guardrails"),
    permission: Permission::anywhere("bedrock:CreateGuardrail"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let definition = call.json::<Request>()?.check()?;
    let id = call.rng.lower_id(12);
    let arn = arn_of(call, &id);
    let mut state = call.account.state();
    let draft = state
        .guardrails
        .create(id, arn, call.region, definition, call.now)?;
    Ok(Told::status(
        202,
        &json!({
            "createdAt": timestamp(draft.created),
            "guardrailArn": draft.arn,
            "guardrailId": draft.id,
            "version": draft.number,
        }),
    ))
}
