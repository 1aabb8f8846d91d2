//! `TagResource`: new tags, and new values of old ones.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, SecretsManager,
    error::{INVALID_PARAMETER, bounded, required},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: Option<String>,
    tags: Option<Vec<Tag>>,
}

/// A tag as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: Option<String>,
    value: Option<String>,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let tags = checked(required(request.tags, "tags")?)?;
    let mut vault = service.vault();
    let secret = vault.find(visit, request.secret_id)?.alive()?;
    let mut all = secret.tags.clone();
    all.extend(tags);
    check_number(all.len())?;
    secret.tags = all;
    Ok(told(&json!({})))
}

/// Tags that can be.
pub(super) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = tags.into_iter().map(|Tag { key, value }| {
        let key = required(key, "tags.1.member.key")?;
        let value = value.unwrap_or_default();
        bounded(&key, "tags.1.member.key", 1..=128)?;
        bounded(&value, "tags.1.member.value", 0..=256)?;
        if key.starts_with("aws:") {
            return Err(INVALID_PARAMETER.error("Tag keys can't begin with aws:."));
        }
        Ok((key, value))
    });
    let pairs: BTreeMap<_, _> = pairs.collect::<Result<_, _>>()?;
    check_number(pairs.len())?;
    Ok(pairs)
}

fn check_number(tags: usize) -> Result<(), ApiError> {
    if tags <= 50 {
        return Ok(());
    }
    Err(INVALID_PARAMETER.error("A secret can have 50 tags at most."))
}
