//! `UpdateTimeToLive`: which attribute says when an item may go. Nothing is deleted by it here.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{DynamoDb, constraints::Constraints, error::validation, members, store::table_name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    table_name: Option<String>,
    time_to_live_specification: Option<Specification>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    enabled: bool,
    attribute_name: String,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let name = table_name(asked.table_name, visit)?;
    let mut constraints = Constraints::default();
    let given = asked.time_to_live_specification;
    constraints.required("timeToLiveSpecification", given.is_some());
    if let Some(given) = &given
        && !(1..=255).contains(&given.attribute_name.len())
    {
        constraints.fail(
            "timeToLiveSpecification.attributeName",
            Some(&given.attribute_name),
            "have length between 1 and 255",
        );
    }
    constraints.finish()?;
    let Some(Specification {
        enabled,
        attribute_name,
    }) = given
    else {
        return Ok(json!({}));
    };
    service.store.of(visit, |place| {
        let known = &mut place.described(&name)?.time_to_live;
        match (&known, enabled) {
            (Some(_), true) => return Err(validation("TimeToLive is already enabled")),
            (None, false) => return Err(validation("TimeToLive is already disabled")),
            (Some(other), false) if *other != attribute_name => {
                return Err(validation(format!(
                    "TimeToLive is active on a different AttributeName: current AttributeName is {other}"
                )));
            }
            _ => *known = enabled.then(|| attribute_name.clone()),
        }
        let specification = json!({ "Enabled": enabled, "AttributeName": attribute_name });
        Ok(json!({ "TimeToLiveSpecification": specification }))
    })
}
