//! `DeleteInferenceProfile`: an account's own; Bedrock's stay.

use serde_json::json;

use super::{asked, asked_arn, not_found};
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "DeleteInferenceProfile",
    route: Route::Rest("DELETE", "/inference-profiles/{inferenceProfileIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:DeleteInferenceProfile",
        resource: asked_arn,
    }),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let id = asked(call);
    let mut state = call.account.state();
    let its = |profile: &crate::catalogue::ApplicationProfile| {
        profile.id == id && profile.region.as_deref() == Some(call.region)
    };
    let before = state.profiles.len();
    state.profiles.retain(|own| !its(&own.profile));
    if state.profiles.len() == before {
        return Err(not_found(id));
    }
    Ok(Told::json(&json!({})))
}
