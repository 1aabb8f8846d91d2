//! `GetSecretValue`: the current value, or that of a version or staging label.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, SecretsManager, error::bounded, told};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    if let Some(id) = &request.version_id {
        bounded(id, "versionId", 32..=64)?;
    }
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?.alive()?;
    let (id, stage) = (request.version_id, request.version_stage);
    let value = secret.read(id.as_deref(), stage.as_deref(), service.clock.now())?;
    Ok(told(&value))
}
