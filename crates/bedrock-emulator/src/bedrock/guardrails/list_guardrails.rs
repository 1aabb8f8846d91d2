//! `ListGuardrails`: every guardrail's draft, or all versions of the one that the query names.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    error::ApiError,
    guardrail::{Version, timestamp},
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "ListGuardrails",
    route: Route::Rest("GET", "/guardrails"),
    permission: Permission::anywhere("bedrock:ListGuardrails"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let state = call.account.state();
    let versions: Vec<Arc<Version>> = if let Some(id) = call.query("guardrailIdentifier") {
        let guardrail = state.guardrails.get(&id)?;
        let draft = std::iter::once(&guardrail.draft);
        draft.chain(guardrail.numbered.values()).cloned().collect()
    } else {
        let all = state.guardrails.of_region(call.region);
        all.into_iter().map(|g| Arc::clone(&g.draft)).collect()
    };
    drop(state);
    let (page, next) = call.page(&OPERATION, &versions, 1_000)?;
    let guardrails: Vec<Value> = page.iter().map(|version| summary(version)).collect();
    let mut body = json!({ "guardrails": guardrails });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    Ok(Told::json(&body))
}

fn summary(version: &Version) -> Value {
    let mut summary = json!({
        "arn": version.arn,
        "createdAt": timestamp(version.created),
        "id": version.id,
        "name": version.definition.name,
        "status": "READY",
        "updatedAt": timestamp(version.updated),
        "version": version.number,
    });
    if let Some(description) = &version.description {
        summary["description"] = description.as_str().into();
    }
    summary
}
