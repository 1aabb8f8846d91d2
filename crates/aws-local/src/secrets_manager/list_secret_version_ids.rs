//! `ListSecretVersionIds`: versions without a label only when asked for.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, SecretsManager,
    page::Page,
    secret::{Secret, Version, day, seconds},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    #[serde(default)]
    include_deprecated: bool,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?;
    let shown = secret
        .versions
        .iter()
        .filter(|version| request.include_deprecated || !version.stages.is_empty());
    let versions = shown.map(|version| entry(secret, version)).collect();
    let (versions, next) = request.page.of(versions, 100, &secret.arn)?;
    let mut body = secret.names();
    body["Versions"] = versions.into();
    if let Some(next) = next {
        body["NextToken"] = next.into();
    }
    Ok(told(&body))
}

fn entry(secret: &Secret, version: &Version) -> Value {
    let key = secret.kms_key.as_deref().unwrap_or("DefaultEncryptionKey");
    let mut entry = json!({
        "VersionId": version.id,
        "CreatedDate": seconds(version.created),
        "KmsKeyIds": [key],
    });
    if !version.stages.is_empty() {
        entry["VersionStages"] = json!(version.stages);
    }
    if let Some(accessed) = version.accessed {
        entry["LastAccessedDate"] = day(accessed);
    }
    entry
}
