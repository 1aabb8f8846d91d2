//! `ListInferenceProfiles`: by type, in pages.

use serde_json::{Value, json};

use super::{application, own_profiles, system};
use crate::{
    error::ApiError,
    place::Place,
    service::{Call, Permission, Plain, Route, Told},
    violations::Violations,
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "ListInferenceProfiles",
    route: Route::Rest("GET", "/inference-profiles"),
    permission: Permission::anywhere("bedrock:ListInferenceProfiles"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let kind = call.query("type");
    if let Some(kind) = &kind {
        let mut wrong = Violations::default();
        wrong.one_of(
            &Place::root("typeEquals"),
            kind,
            &["SYSTEM_DEFINED", "APPLICATION"],
        );
        wrong.into_result()?;
    }
    let all = match kind.as_deref() {
        Some("APPLICATION") => own_profiles(call)
            .iter()
            .map(|own| application(call, own))
            .collect(),
        // Without a type AWS lists its own alone (service model: the default).
        _ => system_profiles(call),
    };
    let (page, next) = call.page(&OPERATION, &all, 1_000)?;
    let mut body = json!({ "inferenceProfileSummaries": page });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    Ok(Told::json(&body))
}

fn system_profiles(call: &Call<'_>) -> Vec<Value> {
    let catalogue = call.catalogue();
    let models = catalogue.models.iter();
    let alive = models.filter(|model| catalogue.state(model, call.today).lives());
    let profiles = alive.flat_map(|model| {
        let prefixes = catalogue.prefixes(model, call.region);
        prefixes.map(move |prefix| system(call, model, prefix))
    });
    profiles.collect()
}
