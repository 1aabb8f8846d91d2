//! `GetFoundationModel`: one model, by id or ARN. An inference profile's id names none (seen live).

use serde_json::json;

use super::{details, seen};
use crate::{
    error::{ApiError, Code},
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "GetFoundationModel",
    route: Route::Rest("GET", "/foundation-models/{modelIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:GetFoundationModel",
        resource: |call| {
            format!(
                "arn:aws:bedrock:{}::foundation-model/{}",
                call.region,
                id(call)
            )
        },
    }),
    answer,
};

fn id<'c>(call: &'c Call<'_>) -> &'c str {
    let asked = call.labels.first().map_or("", String::as_str);
    asked
        .rsplit_once("foundation-model/")
        .map_or(asked, |(_, id)| id)
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let (call, id) = (&*call, id(call));
    let found = seen(call).find_map(|model| {
        let rest = id.strip_prefix(model.id.as_str())?;
        let context = rest.strip_prefix(':');
        let known = context.is_some_and(|c| model.provisioned.iter().any(|p| p == c));
        (rest.is_empty() || known).then(|| details(call, model, context))
    });
    let found = found.ok_or_else(|| {
        ApiError::bedrock(
            Code::ResourceNotFound,
            "Could not resolve the foundation model from the provided model identifier.",
        )
    })?;
    Ok(Told::json(&json!({ "modelDetails": found })))
}
