//! `UpdateSecretVersionStage`: moves a staging label; so a rotation ends, and so it is taken back.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{
    Answered, SecretsManager,
    error::{INVALID_PARAMETER, bounded, required},
    secret::CURRENT,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    version_stage: Option<String>,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let stage = required(request.version_stage, "versionStage")?;
    bounded(&stage, "versionStage", 1..=256)?;
    let (from, to) = (request.remove_from_version_id, request.move_to_version_id);
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?.alive()?;
    let holder = secret.holder(&stage).map(|version| version.id.clone());
    for id in from.iter().chain(&to) {
        secret.version_mut(id)?;
    }
    // Whoever moves a label says where it is, so that two do not move it at once.
    if let (Some(holder), Some(to)) = (&holder, &to)
        && holder != to
        && from.as_ref() != Some(holder)
    {
        return Err(INVALID_PARAMETER.error(format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently \
             attached to version {holder}, so you must explicitly reference that version in \
             RemoveFromVersionId."
        )));
    }
    if let Some(from) = &from
        && holder.as_ref() != Some(from)
    {
        return Err(INVALID_PARAMETER.error(format!(
            "The staging label {stage} isn't attached to version {from}."
        )));
    }
    match (from, to) {
        (_, Some(to)) => secret.attach(&stage, &to)?,
        (Some(_), None) if stage == CURRENT => {
            return Err(INVALID_PARAMETER.error(
                "You can only move staging label AWSCURRENT to a different secret version. It can't be \
                 completely removed.",
            ));
        }
        (Some(from), None) => secret.detach(&stage, &from)?,
        (None, None) => {
            return Err(INVALID_PARAMETER
                .error("You must provide RemoveFromVersionId, MoveToVersionId, or both."));
        }
    }
    secret.changed = service.clock.now();
    Ok(told(&secret.names()))
}
