//! `GetFoundationModelAvailability`: whether this account may use a model here. Accounts of the
//! emulator have signed everything.

use serde_json::json;

use crate::{
    error::{ApiError, Code},
    service::{Call, Permission, Plain, Route, Told},
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "GetFoundationModelAvailability",
    route: Route::Rest("GET", "/foundation-model-availability/{modelId}"),
    permission: Permission::anywhere("bedrock:GetFoundationModelAvailability"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let catalogue = call.catalogue();
    let id = call.labels.first().map_or("", String::as_str);
    let alive = catalogue.model(id);
    let alive = alive.filter(|model| catalogue.state(model, call.today).lives());
    let model = alive.ok_or_else(|| {
        ApiError::bedrock(
            Code::ResourceNotFound,
            "Could not resolve the foundation model from the provided model identifier.",
        )
    })?;
    let here = catalogue.has_in_region(model, call.region);
    Ok(Told::json(&json!({
        "agreementAvailability": { "status": "AVAILABLE" },
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "modelId": id,
        "regionAvailability": if here { "AVAILABLE" } else { "NOT_AVAILABLE" },
    })))
}
