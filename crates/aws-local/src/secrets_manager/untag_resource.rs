//! `UntagResource`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, SecretsManager, error::required, told};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let keys = required(request.tag_keys, "tagKeys")?;
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?.alive()?;
    secret.tags.retain(|key, _| !keys.contains(key));
    Ok(told(&json!({})))
}
