//! `RestoreSecret`: it is not to be deleted after all.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, SecretsManager, told};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?;
    secret.deletion = None;
    Ok(told(&secret.names()))
}
