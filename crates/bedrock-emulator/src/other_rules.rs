//! What Nova and Titan refuse of the fields that Converse passes to them.

use serde_json::Value;

use crate::{
    catalogue::{Family, Model},
    converse_request::ConverseRequest,
    error::ApiError,
    malformed::Malformed,
    rules::Surface,
};

/// The model's own fields are checked against its schema (recorded for Nova 2, with the prefix of a
/// model's complaint).
pub(crate) fn fields(request: &ConverseRequest, model: &Model) -> Result<(), ApiError> {
    let Some(fields) = request.additional_fields().filter(|f| f.is_object()) else {
        return Ok(());
    };
    let refused = known(fields, model).into_result();
    refused.map_err(|error| Surface::Converse.model(error.message()))
}

fn known(fields: &Value, model: &Model) -> Malformed {
    const AT: &str = "#/inferenceConfig";
    let mut wrong = Malformed::default();
    let allowed: &[&str] = match model.family {
        Family::Nova => &["inferenceConfig", "reasoningConfig"],
        _ => &["textGenerationConfig"],
    };
    let map = wrong.object("#", fields, &[], allowed);
    if let Some(config) = map.and_then(|map| map.get("inferenceConfig"))
        && let Some(config) = wrong.object(AT, config, &[], &["topK", "top_k"])
    {
        for (key, value) in config {
            wrong.integer(&format!("{AT}/{key}"), value, 0, 128);
        }
    }
    wrong
}
