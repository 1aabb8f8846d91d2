//! `PutSecretValue`: a new version, current unless other labels are given.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, SecretsManager,
    error::INVALID_REQUEST,
    secret::{Told, stages, token},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    version_stages: Option<Vec<String>>,
    #[serde(flatten)]
    told: Told,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let id = token(request.client_request_token)?;
    let content = request.told.content()?.ok_or_else(|| {
        INVALID_REQUEST.error("You must provide either SecretString or SecretBinary.")
    })?;
    let stages = stages(request.version_stages)?;
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?.alive()?;
    secret.add(&id, content, &stages, service.clock.now())?;
    let mut body = secret.names();
    body["VersionStages"] = json!(secret.version_mut(&id)?.stages);
    body["VersionId"] = id.into();
    Ok(told(&body))
}
