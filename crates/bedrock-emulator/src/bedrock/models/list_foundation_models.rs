//! `ListFoundationModels`, with its four filters.

use serde_json::{Value, json};

use super::{details, seen};
use crate::{
    error::ApiError,
    place::Place,
    service::{Call, Permission, Plain, Route, Told},
    violations::Violations,
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "ListFoundationModels",
    route: Route::Rest("GET", "/foundation-models"),
    permission: Permission::anywhere("bedrock:ListFoundationModels"),
    answer,
};

/// Query parameter, the member it must be found in, and its legal values.
const FILTERS: [(&str, &str, &[&str]); 3] = [
    (
        "byCustomizationType",
        "customizationsSupported",
        &["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"],
    ),
    (
        "byOutputModality",
        "outputModalities",
        &["TEXT", "IMAGE", "EMBEDDING"],
    ),
    (
        "byInferenceType",
        "inferenceTypesSupported",
        &["ON_DEMAND", "PROVISIONED"],
    ),
];

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let mut wrong = Violations::default();
    let mut filters: Vec<(&str, String)> = Vec::new();
    for (name, member, legal) in FILTERS {
        if let Some(value) = call.query(name) {
            wrong.one_of(&Place::root(name), &value, legal);
            filters.push((member, value));
        }
    }
    wrong.into_result()?;
    let provider = call.query("byProvider");
    let call = &*call;
    let all = seen(call).flat_map(|model| {
        let variants = model
            .provisioned
            .iter()
            .map(|context| Some(context.as_str()));
        let ids = variants.chain([None]);
        ids.map(move |context| details(call, model, context))
    });
    let fits = |details: &Value| {
        let has = |member: &str, value: &str| {
            let values = details[member].as_array();
            values.is_some_and(|values| values.iter().any(|v| v == value))
        };
        let by = provider.as_deref().is_none_or(|provider| {
            let name = details["providerName"].as_str().unwrap_or_default();
            name.eq_ignore_ascii_case(provider)
        });
        by && filters.iter().all(|(member, value)| has(member, value))
    };
    let summaries: Vec<Value> = all.filter(fits).collect();
    Ok(Told::json(&json!({ "modelSummaries": summaries })))
}
