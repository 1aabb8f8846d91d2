//! `UpdateGuardrail`: replaces the draft; numbered versions stay as they are.

use serde_json::json;

use super::arn;
use crate::{
    error::ApiError,
    guardrail::{Request, timestamp},
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "UpdateGuardrail",
    route: Route::Rest("PUT", "/guardrails/{guardrailIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:UpdateGuardrail",
        resource: arn,
    }),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let definition = call.json::<Request>()?.check()?;
    let mut state = call.account.state();
    let guardrails = &mut state.guardrails;
    let draft = guardrails.update(&call.labels[0], definition, call.now)?;
    Ok(Told::status(
        202,
        &json!({
            "guardrailArn": draft.arn,
            "guardrailId": draft.id,
            "updatedAt": timestamp(draft.updated),
            "version": draft.number,
        }),
    ))
}
