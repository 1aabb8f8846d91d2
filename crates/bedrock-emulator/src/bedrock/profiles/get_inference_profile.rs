//! `GetInferenceProfile`: one profile, by id or ARN.

use super::{application, asked, asked_arn, not_found, own_profiles, system};
use crate::{
    catalogue::Via,
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "GetInferenceProfile",
    route: Route::Rest("GET", "/inference-profiles/{inferenceProfileIdentifier}"),
    permission: Some(Permission {
        action: "bedrock:GetInferenceProfile",
        resource: asked_arn,
    }),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let (call, id) = (&*call, asked(call));
    if let Some(own) = own_profiles(call).iter().find(|own| own.profile.id == id) {
        return Ok(Told::json(&application(call, own)));
    }
    let catalogue = call.catalogue();
    let found = catalogue.find(id, call.region);
    let found = found.filter(|found| catalogue.state(found.model, call.today).lives());
    match found {
        Some(found) => match found.via {
            Via::Profile { prefix } => Ok(Told::json(&system(call, found.model, prefix))),
            _ => Err(not_found(id)),
        },
        None => Err(not_found(id)),
    }
}
