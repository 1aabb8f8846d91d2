//! `CreateGuardrailVersion`: freezes the draft under the next number.

use serde::Deserialize;
use serde_json::json;

use super::arn;
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "CreateGuardrailVersion",
    route: Route::Rest("POST", "/guardrails/{guardrailIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:CreateGuardrailVersion",
        resource: arn,
    }),
    answer,
};

#[derive(Debug, Deserialize)]
struct Request {
    description: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let request: Request = call.json()?;
    let mut state = call.account.state();
    let guardrails = &mut state.guardrails;
    let version = guardrails.publish(&call.labels[0], request.description, call.now)?;
    let body = json!({ "guardrailId": version.id, "version": version.number });
    Ok(Told::status(202, &body))
}
