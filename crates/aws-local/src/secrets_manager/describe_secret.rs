//! `DescribeSecret`: everything but the value.

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
    Ok(told(&secret.described("VersionIdsToStages")))
}
