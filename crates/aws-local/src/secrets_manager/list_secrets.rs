//! `ListSecrets`: filtered, sorted, in pages; never with values.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, SecretsManager,
    error::VALIDATION,
    filter::{self, Filter},
    page::Page,
    secret::Secret,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(default)]
    include_planned_deletion: bool,
    #[serde(default)]
    filters: Vec<Filter>,
    sort_order: Option<String>,
    sort_by: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    filter::check(&request.filters)?;
    let vault = service.vault();
    let fitting = vault.all(visit).filter(|secret| {
        (request.include_planned_deletion || secret.deletion.is_none())
            && filter::fits(&request.filters, secret, visit)
    });
    let mut secrets: Vec<&Secret> = fitting.collect();
    match request.sort_by.as_deref() {
        None | Some("created-date") => secrets.sort_by_key(|secret| secret.created),
        Some("last-changed-date") => secrets.sort_by_key(|secret| secret.changed),
        Some("last-accessed-date") => secrets.sort_by_key(|secret| secret.accessed),
        Some("name") => {}
        Some(other) => return Err(not_one_of(other, "sortBy")),
    }
    match request.sort_order.as_deref() {
        // The service model does not say which comes first; chosen: the oldest.
        None | Some("asc") => {}
        Some("desc") => secrets.reverse(),
        Some(other) => return Err(not_one_of(other, "sortOrder")),
    }
    let entries = secrets.into_iter();
    let entries: Vec<Value> = entries
        .map(|secret| secret.described("SecretVersionsToStages"))
        .collect();
    let (entries, next) = request.page.of(entries, 100, "secrets")?;
    let mut body = json!({ "SecretList": entries });
    if let Some(next) = next {
        body["NextToken"] = next.into();
    }
    Ok(told(&body))
}

fn not_one_of(value: &str, member: &str) -> bedrock_emulator::error::ApiError {
    VALIDATION.error(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must satisfy enum value set"
    ))
}
