//! `UntagResource`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, States, tag_resource::tagged, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_arn: Option<String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut store = states.store();
    let machine = tagged(&mut store, visit, request.resource_arn)?;
    machine
        .tags
        .retain(|key, _| !request.tag_keys.contains(key));
    Ok(told(&json!({})))
}
