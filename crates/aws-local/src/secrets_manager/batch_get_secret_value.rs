//! `BatchGetSecretValue`: several secrets, each with its own success or failure.

use bedrock_emulator::{
    error::{ApiError, Code},
    neighbour::Visit,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, SecretsManager,
    error::INVALID_PARAMETER,
    filter::{self, Filter},
    page::Page,
    told,
};

/// The most secrets of an answer (service model).
const MOST: usize = 20;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    secret_id_list: Option<Vec<String>>,
    filters: Option<Vec<Filter>>,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn answer(service: &SecretsManager, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut vault = service.vault();
    let (ids, next) = match (request.secret_id_list, request.filters) {
        (Some(ids), None) if (1..=MOST).contains(&ids.len()) => (ids, None),
        (Some(_), None) => {
            return Err(
                INVALID_PARAMETER.error(format!("SecretIdList must have 1 to {MOST} members."))
            );
        }
        (None, Some(filters)) => {
            filter::check(&filters)?;
            let fitting = vault.all(visit).filter(|secret| {
                secret.deletion.is_none() && filter::fits(&filters, secret, visit)
            });
            let names = fitting.map(|secret| secret.name.clone()).collect();
            request.page.of(names, MOST, "values")?
        }
        _ => {
            return Err(INVALID_PARAMETER
                .error("Either 'SecretIdList' or 'Filters' must be provided, but not both."));
        }
    };
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for id in ids {
        let secret = vault.find(visit, Some(id.clone()));
        let read = secret.and_then(|secret| secret.alive()?.read(None, None, service.clock.now()));
        match read {
            Ok(value) => values.push(value),
            Err(error) => errors.push(failure(&id, &error)),
        }
    }
    let mut body = json!({ "SecretValues": values, "Errors": errors });
    if let Some(next) = next {
        body["NextToken"] = next.into();
    }
    Ok(told(&body))
}

fn failure(id: &str, error: &ApiError) -> Value {
    let code = match error.code() {
        Code::Own(own) => own.name,
        other => other.name(),
    };
    json!({ "SecretId": id, "ErrorCode": code, "Message": error.message() })
}

/// Each of them has to be allowed on its own.
pub(super) fn reads(service: &SecretsManager, visit: &Visit) -> Vec<(&'static str, String)> {
    let request: Request = visit.json().unwrap_or_default();
    let vault = service.vault();
    let ids = request.secret_id_list.into_iter().flatten();
    let mut arns: Vec<String> = ids.map(|id| vault.arn_of(visit, &id)).collect();
    if let Some(filters) = request.filters {
        let fitting = vault
            .all(visit)
            .filter(|secret| filter::fits(&filters, secret, visit));
        arns.extend(fitting.map(|secret| secret.arn.clone()));
    }
    arns.into_iter()
        .map(|arn| ("secretsmanager:GetSecretValue", arn))
        .collect()
}
