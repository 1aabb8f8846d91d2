//! `ListTagsForResource`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, States, check::Checks, tag_resource::tagged, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_arn: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.resource_arn, "resourceArn", 256);
    checks.finish()?;
    let mut store = states.store();
    let tags = tagged(&mut store, visit, &arn)?.tags.iter();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    Ok(told(&json!({"tags": tags})))
}
