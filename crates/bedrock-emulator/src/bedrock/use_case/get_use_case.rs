//! `GetUseCaseForModelAccess`: the form, as it was put.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    error::{ApiError, Code},
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "GetUseCaseForModelAccess",
    route: Route::Rest("GET", "/use-case-for-model-access"),
    permission: Permission::anywhere("bedrock:GetUseCaseForModelAccess"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let state = call.account.state();
    let Some(form) = &state.use_case else {
        // The code is the service model's; the text is chosen, after the one that models refuse with.
        return Err(ApiError::bedrock(
            Code::ResourceNotFound,
            "Model use case details have not been submitted for this account.",
        ));
    };
    Ok(Told::json(&json!({ "formData": STANDARD.encode(form) })))
}
