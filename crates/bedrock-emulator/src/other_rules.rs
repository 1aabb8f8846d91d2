//! What Bedrock refuses of a request to Nova or Titan, before the rules that all models share.

use serde_json::Value;

use crate::{
    catalogue::{Family, Modality, Model},
    conversation::{Block, Conversation},
    converse_request::ConverseRequest,
    error::ApiError,
    malformed::Malformed,
    rules::Surface,
};

/// What such a model cannot do. The sentence about tools was seen live.
pub(crate) fn check(
    conversation: &Conversation,
    model: &Model,
    streams: bool,
) -> Result<(), ApiError> {
    if model.quirks.no_tools && conversation.tool_config {
        let when = if streams { " in streaming mode" } else { "" };
        return Err(ApiError::validation(format!(
            "This model doesn't support tool use{when}."
        )));
    }
    conversation
        .blocks()
        .try_for_each(|(_, _, block)| modality(block, model))
}

fn modality(block: &Block, model: &Model) -> Result<(), ApiError> {
    let takes = |modality| model.modalities.input.contains(&modality);
    let refused = match block {
        // Documents are text and pictures: Nova Micro and Titan take none.
        Block::Document(_) if !takes(Modality::Image) => "document",
        _ => return Ok(()),
    };
    Err(ApiError::validation(format!(
        "This model doesn't support the {refused} content block that you provided. \
         Update the content block and try again."
    )))
}

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
