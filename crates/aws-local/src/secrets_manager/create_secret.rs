//! `CreateSecret`: once for a token, however often it is retried.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, SecretsManager,
    error::{INVALID_REQUEST, RESOURCE_EXISTS, VALIDATION, bounded, required},
    secret::{CURRENT, Content, Secret, Told, token},
    tag_resource::{self, Tag},
    told,
    vault::arn_head,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    name: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    r#type: Option<String>,
    tags: Vec<Tag>,
    #[serde(flatten)]
    told: Told,
}

pub(super) fn answer(service: &SecretsManager, mut visit: Visit) -> Answered {
    let request: Request = visit.json()?;
    let name = required(request.name, "name")?;
    check_name(&name)?;
    if let Some(description) = &request.description {
        bounded(description, "description", 0..=2_048)?;
    }
    let token = token(request.client_request_token)?;
    let content = request.told.content()?;
    let tags = tag_resource::checked(request.tags)?;
    let now = service.clock.now();
    let suffix = suffix(&mut visit);

    let mut vault = service.vault();
    if let Some(secret) = vault.named(&visit, &name) {
        return again(secret, &token, content.as_ref());
    }
    let mut secret = Secret {
        arn: format!("{}{name}-{suffix}", arn_head(&visit)),
        name,
        description: request.description,
        kms_key: request.kms_key_id.filter(|key| !key.is_empty()),
        kind: request.r#type,
        tags,
        created: now,
        changed: now,
        accessed: None,
        deletion: None,
        versions: Vec::new(),
    };
    let mut body = secret.names();
    if let Some(content) = content {
        body["VersionId"] = token.as_str().into();
        secret.add(&token, content, &[CURRENT.to_owned()], now)?;
    }
    vault.add(&visit, secret);
    Ok(told(&body))
}

/// The name is taken: perhaps by this very request, sent before.
fn again(secret: &mut Secret, token: &str, content: Option<&Content>) -> Answered {
    if secret.deletion.is_some() {
        return Err(INVALID_REQUEST.error(
            "You can't create this secret because a secret with this name is already scheduled for \
             deletion.",
        ));
    }
    let same = content.is_some_and(|content| secret.has(token, content));
    if !same {
        return Err(RESOURCE_EXISTS.error(format!(
            "The operation failed because the secret {} already exists.",
            secret.name
        )));
    }
    Ok(told(
        &json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": token }),
    ))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"-/_+=.@!".contains(&b);
    if !name.bytes().all(letters) {
        return Err(VALIDATION.error(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
             following: -/_+=.@!",
        ));
    }
    bounded(name, "name", 1..=512)
}

/// What ends a secret's ARN.
fn suffix(visit: &mut Visit) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| {
        let at = usize::try_from(visit.random() % LETTERS.len() as u64).unwrap_or_default();
        char::from(LETTERS[at])
    };
    (0..6).map(letter).collect()
}

/// What IAM is asked about: the ARN as far as it is known before.
pub(super) fn arn(_: &SecretsManager, visit: &Visit) -> String {
    let request: Request = visit.json().unwrap_or_default();
    let name = request.name.unwrap_or_else(|| "*".to_owned());
    format!("{}{name}", arn_head(visit))
}

/// Tags have to be allowed on their own (service model).
pub(super) fn tags(service: &SecretsManager, visit: &Visit) -> Vec<(&'static str, String)> {
    let request: Request = visit.json().unwrap_or_default();
    if request.tags.is_empty() {
        return Vec::new();
    }
    vec![("secretsmanager:TagResource", arn(service, visit))]
}
