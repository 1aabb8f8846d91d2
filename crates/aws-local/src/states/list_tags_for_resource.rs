//! `ListTagsForResource`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, States, tag_resource::tagged, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_arn: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut store = states.store();
    let machine = tagged(&mut store, visit, request.resource_arn)?;
    let tags = machine.tags.iter();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    Ok(told(&json!({"tags": tags})))
}
