//! Foundation models, as the control plane shows them.

pub(super) mod get_foundation_model;
pub(super) mod get_foundation_model_availability;
pub(super) mod list_foundation_models;

use serde_json::{Value, json};
use time::Date;

use crate::{
    catalogue::{LifecycleState, Model},
    service::Call,
};

/// The models that a caller sees: those that live today and can be had in the region.
fn seen<'c>(call: &'c Call<'_>) -> impl Iterator<Item = &'c Model> {
    let catalogue = call.catalogue();
    let models = catalogue.models.iter();
    models.filter(|model| {
        catalogue.state(model, call.today).lives() && catalogue.has_in_region(model, call.region)
    })
}

/// The inference types of the base id. `INFERENCE_PROFILE` is on the wire, though not in the service
/// model (seen live).
fn inference_types(call: &Call<'_>, model: &Model) -> Vec<&'static str> {
    let profiles = call.catalogue().prefixes(model, call.region).next();
    let on_demand = model.on_demand_in(call.region).then_some("ON_DEMAND");
    on_demand
        .into_iter()
        .chain(profiles.map(|_| "INFERENCE_PROFILE"))
        .collect()
}

/// A model, or with `context` its variant for provisioned throughput.
fn details(call: &Call<'_>, model: &Model, context: Option<&str>) -> Value {
    let id = match context {
        None => model.id.clone(),
        Some(context) => format!("{}:{context}", model.id),
    };
    let types = match context {
        None => inference_types(call, model),
        Some(_) => vec!["PROVISIONED"],
    };
    // Only provisioned variants can be customized (live lists).
    let customizations = model.customizations.iter().filter(|_| context.is_some());
    let input = model.modalities.input.iter().map(|m| m.name());
    let output = model.modalities.output.iter().map(|m| m.name());
    json!({
        "customizationsSupported": customizations.map(|c| c.name()).collect::<Vec<_>>(),
        "inferenceTypesSupported": types,
        "inputModalities": input.collect::<Vec<_>>(),
        "modelArn": format!("arn:aws:bedrock:{}::foundation-model/{id}", call.region),
        "modelId": id,
        "modelLifecycle": lifecycle(call, model),
        "modelName": model.name,
        "outputModalities": output.collect::<Vec<_>>(),
        "providerName": model.provider_name(),
        "responseStreamingSupported": model.streaming,
    })
}

fn lifecycle(call: &Call<'_>, model: &Model) -> Value {
    let state = call.catalogue().state(model, call.today);
    let legacy = state != LifecycleState::Active;
    let life = model.lifecycle;
    let mut value = json!({ "status": if legacy { "LEGACY" } else { "ACTIVE" } });
    let mut day = |name: &str, day: Option<Date>| {
        if let Some(day) = day {
            value[name] = format!("{day}T00:00:00Z").into();
        }
    };
    day("startOfLifeTime", life.start);
    if legacy {
        day("endOfLifeTime", life.eol);
        day("legacyTime", life.legacy);
        day("publicExtendedAccessTime", life.extended);
    }
    value
}
