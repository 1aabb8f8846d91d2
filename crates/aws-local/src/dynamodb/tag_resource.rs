//! `TagResource`, and what the operations on tags share.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    constraints::Constraints,
    error::{not_found, validation},
    members,
    store::{Place, arn},
    table::Table,
};

/// Tags of one table.
const TAGS_MAX: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let mut constraints = Constraints::default();
    constraints.required("resourceArn", asked.resource_arn.is_some());
    constraints.required("tags", asked.tags.is_some());
    constraints.finish()?;
    service.store.of(visit, |place| {
        let table = tagged(place, visit, asked.resource_arn)?;
        table.tags = tags(asked.tags.unwrap_or_default(), table.tags.clone())?;
        Ok(json!({}))
    })
}

/// The tags with these added.
pub(super) fn tags(
    given: Vec<Tag>,
    mut known: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    for tag in given {
        if !(1..=128).contains(&tag.key.chars().count()) || tag.value.chars().count() > 256 {
            return Err(validation(
                "A tag's key has 1 to 128 characters and its value at most 256",
            ));
        }
        known.insert(tag.key, tag.value);
    }
    if known.len() > TAGS_MAX {
        return Err(validation(format!(
            "Too many tags: The maximum is {TAGS_MAX}"
        )));
    }
    Ok(known)
}

/// The table with that ARN.
pub(super) fn tagged<'a>(
    place: &'a mut Place,
    visit: &Visit,
    given: Option<String>,
) -> Result<&'a mut Table, ApiError> {
    let given = given.unwrap_or_default();
    let Some(name) = given.strip_prefix(&arn(visit, "")) else {
        return Err(validation(format!(
            "Invalid TableArn: Invalid ResourceArn provided as input {given}"
        )));
    };
    let missing = || {
        not_found(format!(
            "Requested resource not found: ResourcArn: {given} not found"
        ))
    };
    place.tables.get_mut(name).ok_or_else(missing)
}
