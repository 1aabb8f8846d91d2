//! `PutUseCaseForModelAccess`: keeps the form, in place of an earlier one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use crate::{
    error::{ApiError, Code, INVALID_BASE64},
    place::Place,
    service::{Call, Permission, Plain, Route, Told},
    violations::Violations,
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "PutUseCaseForModelAccess",
    route: Route::Rest("POST", "/use-case-for-model-access"),
    permission: Permission::anywhere("bedrock:PutUseCaseForModelAccess"),
    answer,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    form_data: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let body: Body = call.json()?;
    let form = body.form_data.map(|text| STANDARD.decode(text)).transpose();
    let form = form.map_err(|_| ApiError::front_door(Code::Serialization, INVALID_BASE64))?;
    let at = Place::root("formData");
    let mut wrong = Violations::default();
    wrong.required(&at, form.is_some());
    if let Some(form) = &form {
        wrong.bytes(&at, form.len(), 10, 16_384);
    }
    wrong.into_result()?;
    call.account.state().use_case = form;
    Ok(Told::status(201, &json!({})))
}
