//! `UpdateSecret`: description, key, and a new current value.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{
    Answered, SecretsManager,
    error::bounded,
    secret::{CURRENT, Told, token},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    r#type: Option<String>,
    #[serde(flatten)]
    told: Told,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    if let Some(description) = &request.description {
        bounded(description, "description", 0..=2_048)?;
    }
    let content = request.told.content()?;
    let now = service.clock.now();
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?.alive()?;
    let mut body = secret.names();
    if let Some(content) = content {
        let id = token(request.client_request_token)?;
        secret.add(&id, content, &[CURRENT.to_owned()], now)?;
        body["VersionId"] = id.into();
    }
    if let Some(description) = request.description {
        secret.description = Some(description).filter(|text| !text.is_empty());
    }
    if let Some(key) = request.kms_key_id {
        secret.kms_key = Some(key).filter(|key| !key.is_empty());
    }
    if request.r#type.is_some() {
        secret.kind = request.r#type;
    }
    secret.changed = now;
    Ok(told(&body))
}
