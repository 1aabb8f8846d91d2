//! `TagResource`. Only state machines carry tags here.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, States, arn,
    check::Checks,
    error::{RESOURCE_NOT_FOUND, TOO_MANY_TAGS},
    machine::Machine,
    store::Store,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// A tag as it is sent.
#[derive(Deserialize)]
pub(super) struct Tag {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: String,
}

/// How many tags a resource carries (documented).
const TAGS_MAX: usize = 50;

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut store = states.store();
    let machine = tagged(&mut store, visit, request.resource_arn)?;
    machine.tags = merged(machine.tags.clone(), request.tags)?;
    Ok(told(&json!({})))
}

/// The machine whose ARN was sent as `resourceArn` (the text is recorded).
pub(super) fn tagged<'s>(
    store: &'s mut Store,
    visit: &Visit,
    resource_arn: Option<String>,
) -> Result<&'s mut Machine, ApiError> {
    let mut checks = Checks::default();
    let arn = checks.required(resource_arn, "resourceArn", 256);
    checks.finish()?;
    arn::check_machine(&arn)?;
    let machine = store.machine_mut(&visit.account, &arn);
    machine.map_err(|_| RESOURCE_NOT_FOUND.error(format!("Resource not found: '{arn}'")))
}

/// These tags, and those that are new or change.
pub(super) fn merged(
    mut tags: BTreeMap<String, String>,
    new: Vec<Tag>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut checks = Checks::default();
    for (at, tag) in new.iter().enumerate() {
        checks.optional(
            Some(&tag.key),
            &format!("tags.{}.member.key", at + 1),
            1,
            128,
        );
        checks.optional(
            Some(&tag.value),
            &format!("tags.{}.member.value", at + 1),
            0,
            256,
        );
    }
    checks.finish()?;
    tags.extend(new.into_iter().map(|tag| (tag.key, tag.value)));
    if tags.len() > TAGS_MAX {
        return Err(TOO_MANY_TAGS.error(format!(
            "Too many tags: a resource carries at most {TAGS_MAX}"
        )));
    }
    Ok(tags)
}
