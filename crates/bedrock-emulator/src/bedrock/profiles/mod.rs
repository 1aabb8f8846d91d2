//! Inference profiles: Bedrock's own, and those that an account makes to tag costs.

pub(super) mod create_inference_profile;
pub(super) mod delete_inference_profile;
pub(super) mod get_inference_profile;
pub(super) mod list_inference_profiles;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    catalogue::{ApplicationProfile, Model},
    error::{ApiError, Code},
    service::Call,
};

/// An application profile that an account made.
#[derive(Debug, Clone)]
pub(crate) struct OwnProfile {
    pub(crate) profile: ApplicationProfile,
    description: Option<String>,
    created: OffsetDateTime,
    /// What made the request idempotent.
    token: Option<String>,
}

/// Nanoseconds and all, as recorded.
fn timestamp(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

/// The models behind a prefix; a global profile's first ARN has no region (recorded).
fn models(call: &Call<'_>, model: &str, prefix: &str) -> Value {
    let mut arns = call.catalogue().model_arns(model, prefix, call.region);
    if prefix == "global" {
        arns.reverse();
    }
    arns.into_iter()
        .map(|arn| json!({ "modelArn": arn }))
        .collect()
}

/// A profile of Bedrock's own.
fn system(call: &Call<'_>, model: &Model, prefix: &str) -> Value {
    let provider = match model.provider.as_str() {
        "amazon" => String::new(),
        _ => format!("{} ", model.provider_name()),
    };
    let name = format!("{provider}{}", model.name);
    let (geography, route) = if prefix == "global" {
        (
            "Global".to_owned(),
            "globally across all supported AWS Regions".to_owned(),
        )
    } else {
        (
            prefix.to_uppercase(),
            format!("in {}", regions(call, prefix)),
        )
    };
    let id = format!("{prefix}.{}", model.id);
    let start = model.lifecycle.start.map(|day| format!("{day}T00:00:00Z"));
    json!({
        "createdAt": start,
        "description": format!("Routes requests to {name} {route}."),
        "inferenceProfileArn":
            format!("arn:aws:bedrock:{}:{}:inference-profile/{id}", call.region, call.account.id),
        "inferenceProfileId": id,
        "inferenceProfileName": format!("{geography} {name}"),
        "models": models(call, &model.id, prefix),
        "status": "ACTIVE",
        "toolboxArn": null,
        "type": "SYSTEM_DEFINED",
        "updatedAt": start,
    })
}

/// `us-east-1, us-east-2 and us-west-2`.
fn regions(call: &Call<'_>, prefix: &str) -> String {
    let geography = call.catalogue().geography(prefix);
    let all = geography.map_or_else(Vec::new, |g| g.destinations_from(call.region));
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => all.concat(),
    }
}

/// A profile of the account's.
fn application(call: &Call<'_>, own: &OwnProfile) -> Value {
    let profile = &own.profile;
    let mut value = json!({
        "createdAt": timestamp(own.created),
        "inferenceProfileArn": arn(call, &profile.id),
        "inferenceProfileId": profile.id,
        "inferenceProfileName": profile.name,
        "models": models(call, &profile.model, &profile.prefix),
        "status": "ACTIVE",
        "toolboxArn": null,
        "type": "APPLICATION",
        "updatedAt": timestamp(own.created),
    });
    if let Some(description) = &own.description {
        value["description"] = description.as_str().into();
    }
    value
}

fn arn(call: &Call<'_>, id: &str) -> String {
    format!(
        "arn:aws:bedrock:{}:{}:application-inference-profile/{id}",
        call.region, call.account.id
    )
}

/// The account's profiles of the region, those of the catalogue among them.
fn own_profiles(call: &Call<'_>) -> Vec<OwnProfile> {
    let given = call.catalogue().application_profiles.iter();
    let given = given.map(|profile| OwnProfile {
        profile: profile.clone(),
        description: None,
        created: OffsetDateTime::UNIX_EPOCH,
        token: None,
    });
    let state = call.account.state();
    let made = state.profiles.iter().cloned();
    let here = |own: &OwnProfile| {
        own.profile
            .region
            .as_deref()
            .is_none_or(|r| r == call.region)
    };
    given.chain(made).filter(here).collect()
}

/// The id at the end of what the path names.
fn asked<'c>(call: &'c Call<'_>) -> &'c str {
    let asked = call.labels.first().map_or("", String::as_str);
    asked.rsplit_once('/').map_or(asked, |(_, id)| id)
}

/// The ARN of what the path names, for IAM.
fn asked_arn(call: &Call<'_>) -> String {
    let id = asked(call);
    if id.contains('.') {
        return format!(
            "arn:aws:bedrock:{}:{}:inference-profile/{id}",
            call.region, call.account.id
        );
    }
    arn(call, id)
}

/// The sentence is chosen.
fn not_found(id: &str) -> ApiError {
    ApiError::bedrock(
        Code::ResourceNotFound,
        format!("The inference profile {id} could not be found."),
    )
}
