//! `ListAWSDefaultServiceQuotas`: the quotas that every account has at first.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{page::page, quota};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListAWSDefaultServiceQuotas",
    route: Route::Target("ServiceQuotasV20190624.ListAWSDefaultServiceQuotas"),
    permission: Permission::anywhere("servicequotas:ListAWSDefaultServiceQuotas"),
    answer,
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    service_code: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    quota::service(input.service_code.as_deref())?;
    let all = quota::all(call);
    let list = List::of_body(call, OPERATION.name);
    let (quotas, next) = page(all, input.max_results, input.next_token.as_deref(), list)?;
    let quotas: Vec<Value> = quotas.iter().map(|q| q.told_default(call)).collect();
    let mut told = json!({ "Quotas": quotas });
    if let Some(next) = next {
        told["NextToken"] = next.into();
    }
    Ok(Told::aws_json(&told))
}
