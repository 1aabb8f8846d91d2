//! `ListTagsOfResource`: all of them in one page.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{DynamoDb, constraints::Constraints, members, tag_resource::tagged};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    resource_arn: Option<String>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let mut constraints = Constraints::default();
    constraints.required("resourceArn", asked.resource_arn.is_some());
    constraints.finish()?;
    service.store.of(visit, |place| {
        let tags = tagged(place, visit, asked.resource_arn)?.tags.iter();
        let tags: Vec<_> = tags
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect();
        Ok(json!({ "Tags": tags }))
    })
}
