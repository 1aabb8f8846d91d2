//! `CreateInferenceProfile`: an application profile, usable as a model id at once.

use serde::Deserialize;
use serde_json::json;

use super::{OwnProfile, arn, own_profiles};
use crate::{
    catalogue::{ApplicationProfile, Via},
    error::{ApiError, Code},
    place::Place,
    service::{Call, Permission, Plain, Route, Told},
    violations::Violations,
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "CreateInferenceProfile",
    route: Route::Rest("POST", "/inference-profiles"),
    permission: Some(Permission {
        action: "bedrock:CreateInferenceProfile",
        resource: |call| arn(call, "*"),
    }),
    answer,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    inference_profile_name: Option<String>,
    description: Option<String>,
    client_request_token: Option<String>,
    model_source: Option<Source>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    copy_from: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    const MOST: usize = 1_000;
    let body: Body = call.json()?;
    let (name, source) = checked(&body)?;
    let here = own_profiles(call);
    let again = here
        .iter()
        .find(|own| own.token.is_some() && own.token == body.client_request_token);
    if let Some(own) = again {
        return Ok(created(call, &own.profile.id));
    }
    if here.iter().any(|own| own.profile.name == name) {
        return Err(ApiError::bedrock(
            Code::Conflict,
            format!("An inference profile with the name {name} exists already."),
        ));
    }
    if here.len() >= MOST {
        return Err(ApiError::bedrock(
            Code::ServiceQuotaExceeded,
            format!("An account has at most {MOST} application inference profiles in a region."),
        ));
    }
    let profile = copied(call, name, &source)?;
    let id = profile.id.clone();
    call.account.state().profiles.push(OwnProfile {
        profile,
        description: body.description,
        created: call.now,
        token: body.client_request_token,
    });
    Ok(created(call, &id))
}

fn checked(body: &Body) -> Result<(String, String), ApiError> {
    let mut wrong = Violations::default();
    let name = body.inference_profile_name.clone();
    let at = Place::root("inferenceProfileName");
    wrong.required(&at, name.is_some());
    if let Some(name) = &name {
        wrong.name(&at, name, "([0-9a-zA-Z][ _-]?)+", " _-");
    }
    let at = Place::root("modelSource");
    wrong.required(&at, body.model_source.is_some());
    if let Some(description) = &body.description {
        wrong.length(&Place::root("description"), description, 1, 200);
    }
    let source = body.model_source.as_ref().and_then(|s| s.copy_from.clone());
    if body.model_source.is_some() {
        wrong.required(&at.member("copyFrom"), source.is_some());
    }
    wrong.into_result()?;
    Ok((name.unwrap_or_default(), source.unwrap_or_default()))
}

/// A copy of a system-defined profile or of a model in this region.
fn copied(call: &mut Call<'_>, name: String, source: &str) -> Result<ApplicationProfile, ApiError> {
    let id = call.rng.lower_id(12);
    let found = source.starts_with("arn:").then(|| {
        let catalogue = call.catalogue();
        let found = catalogue.find(source, call.region);
        found.filter(|found| catalogue.state(found.model, call.today).lives())
    });
    let found = found.flatten();
    let prefix = found.as_ref().map(|found| match &found.via {
        Via::Profile { prefix } => Some((*prefix).to_owned()),
        Via::OnDemand => Some(String::new()),
        _ => None,
    });
    match (found, prefix.flatten()) {
        (Some(found), Some(prefix)) => Ok(ApplicationProfile {
            id,
            name,
            model: found.model.id.clone(),
            prefix,
            region: Some(call.region.to_owned()),
        }),
        _ => Err(ApiError::validation(
            "The provided model identifier is invalid.",
        )),
    }
}

fn created(call: &Call<'_>, id: &str) -> Told {
    let arn = arn(call, id);
    Told::status(
        201,
        &json!({ "inferenceProfileArn": arn, "status": "ACTIVE" }),
    )
}
