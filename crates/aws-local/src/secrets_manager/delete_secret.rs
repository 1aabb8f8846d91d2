//! `DeleteSecret`: at the end of a window in which it can be restored, or at once.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;
use time::Duration;

use super::{
    Answered, SecretsManager,
    error::{INVALID_PARAMETER, required},
    secret::seconds,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let force = request.force_delete_without_recovery;
    if force && request.recovery_window_in_days.is_some() {
        return Err(INVALID_PARAMETER.error(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = request.recovery_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(INVALID_PARAMETER
            .error("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let now = service.clock.now();
    let mut vault = service.vault();
    if !force {
        let secret = vault.find(visit, request.secret_id)?.alive()?;
        let gone = now + Duration::days(days);
        secret.deletion = Some(gone);
        let mut body = secret.names();
        body["DeletionDate"] = seconds(gone);
        return Ok(told(&body));
    }
    let id = required(request.secret_id, "secretId")?;
    let mut body = match vault.find(visit, Some(id.clone())) {
        Ok(secret) => secret.names(),
        // No error about a secret that there is not (service model).
        Err(_) => json!({ "ARN": vault.arn_of(visit, &id), "Name": id }),
    };
    if let Some(name) = body["Name"].as_str() {
        vault.remove(visit, name);
    }
    body["DeletionDate"] = seconds(now);
    Ok(told(&body))
}
