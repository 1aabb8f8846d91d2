//! `ListServiceQuotas`: the quotas as they are for the caller's account.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    page::page,
    quota::{self, illegal},
};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListServiceQuotas",
    route: Route::Target("ServiceQuotasV20190624.ListServiceQuotas"),
    permission: Permission::anywhere("servicequotas:ListServiceQuotas"),
    answer,
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    service_code: Option<String>,
    quota_code: Option<String>,
    quota_applied_at_level: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    quota::service(input.service_code.as_deref())?;
    let mut quotas = match input.quota_applied_at_level.as_deref() {
        None | Some("ACCOUNT" | "ALL") => quota::all(call),
        // No quota here is one of a single resource.
        Some("RESOURCE") => Vec::new(),
        Some(other) => {
            return Err(illegal(format!(
                "1 validation error detected: Value '{other}' at 'quotaAppliedAtLevel' failed to \
                 satisfy constraint: Member must satisfy enum value set: [ALL, ACCOUNT, RESOURCE]"
            )));
        }
    };
    if let Some(code) = &input.quota_code {
        quotas.retain(|quota| quota.code == *code);
    }
    let list = List::of_body(call, OPERATION.name);
    let (quotas, next) = page(quotas, input.max_results, input.next_token.as_deref(), list)?;
    let quotas: Vec<Value> = quotas.iter().map(|quota| quota.told(call)).collect();
    let mut told = json!({ "Quotas": quotas });
    if let Some(next) = next {
        told["NextToken"] = next.into();
    }
    Ok(Told::aws_json(&told))
}
