//! The body of Converse and `ConverseStream`, from JSON to a [`Conversation`].
//!
//! Three kinds of errors live here, in this order and all before any model sees the request: JSON of
//! the wrong shape (`SerializationException` by the front door), members that break the service
//! model's limits (all of them in one message), and Bedrock's own words about documents in JSON and
//! unions.

mod blocks;
mod limits;
mod shapes;

use serde_json::Value;

use crate::{
    catalogue::Model,
    conversation::{self, Conversation, Role, Tool, Turn},
    error::ApiError,
    invoke_request::additional_fields,
    place::Place,
    rules::Surface,
};

pub(crate) use limits::{guardrail_identifier, guardrail_version};
pub(crate) use shapes::ConverseRequest;

use shapes::{
    InputSchema, JsonSchema, Structure, TextFormat, ToolChoice, ToolEntry, ToolSpec, Union as _,
};

impl ConverseRequest {
    /// Identifier, version and trace of `guardrailConfig`, and whether a stream goes ahead of it.
    pub(crate) fn guardrail(&self) -> Option<(&str, &str, Option<&str>, bool)> {
        let config = self.guardrail_config.as_ref()?;
        let id = config.guardrail_identifier.as_deref()?;
        let version = config.guardrail_version.as_deref()?;
        let ahead = config.stream_processing_mode.as_deref() == Some("async");
        Some((id, version, config.trace.as_deref(), ahead))
    }

    /// Reads the body. An empty body counts as `{}`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| ApiError::serialization(&error))
    }

    /// `additionalModelRequestFields`, as it was sent.
    pub(crate) fn additional_fields(&self) -> Option<&Value> {
        self.additional_model_request_fields.as_ref()
    }

    /// Checks the service model's limits and Bedrock's own rules about documents in JSON. What the
    /// caller said moves from the request to the conversation.
    pub(crate) fn conversation(&mut self, model: &Model) -> Result<Conversation, ApiError> {
        self.violations().into_result()?;
        let mut conversation = Conversation::default();
        let messages_at = Place::root("messages");
        for (t, message) in self.messages.take().into_iter().flatten().enumerate() {
            let role = match message.role.as_deref() {
                Some("assistant") => Role::Assistant,
                Some("system") => Role::System,
                _ => Role::User,
            };
            let at = messages_at.index(t);
            let at = at.member("content");
            let content = message.content.unwrap_or_default();
            let mut blocks = Vec::with_capacity(content.len());
            for (b, block) in content.into_iter().enumerate() {
                blocks.push(block.block(&at.index(b))?);
            }
            conversation.turns.push(Turn { role, blocks });
        }
        let system_at = Place::root("system");
        for (s, block) in self.system.take().into_iter().flatten().enumerate() {
            conversation.system.push(block.block(&system_at.index(s))?);
        }
        if let Some(inference) = &mut self.inference_config {
            conversation.max_tokens = inference
                .max_tokens
                .map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            conversation.temperature = inference.temperature;
            conversation.top_p = inference.top_p;
            conversation.stop_sequences = inference.stop_sequences.take().unwrap_or_default();
        }
        self.read_tools(&mut conversation)?;
        self.read_additional(model, &mut conversation)?;
        self.read_output(&mut conversation)?;
        Ok(conversation)
    }

    fn read_tools(&mut self, conversation: &mut Conversation) -> Result<(), ApiError> {
        let Some(config) = &mut self.tool_config else {
            return Ok(());
        };
        conversation.tool_config = true;
        let at = Place::root("toolConfig");
        let tools_at = at.member("tools");
        for (i, entry) in config.tools.take().into_iter().flatten().enumerate() {
            let at = tools_at.index(i);
            match entry {
                ToolEntry::ToolSpec(spec) => conversation.tools.push(tool(*spec, &at)?),
                ToolEntry::SystemTool(tool) => conversation.tools.push(Tool {
                    built_in: tool.name.clone(),
                    name: tool.name.unwrap_or_default(),
                    ..Tool::default()
                }),
                ToolEntry::CachePoint(point) => {
                    let after = conversation.tools.len();
                    conversation.tool_cache_points.push((after, point.ttl()));
                }
                ToolEntry::Unset => return Err(union_unset("Tool", &at, ToolEntry::KEYS)),
                ToolEntry::Several => return Err(union_several("Tool", &at, ToolEntry::KEYS)),
            }
        }
        conversation.choice = match config.tool_choice.take() {
            None | Some(ToolChoice::Auto(_)) => conversation::ToolChoice::Auto,
            Some(ToolChoice::Any(_)) => conversation::ToolChoice::Any,
            Some(ToolChoice::Tool(tool)) => {
                conversation::ToolChoice::Named(tool.name.unwrap_or_default())
            }
            Some(ToolChoice::Unset) => {
                let at = at.member("toolChoice");
                return Err(union_unset("ToolChoice", &at, ToolChoice::KEYS));
            }
            Some(ToolChoice::Several) => {
                let at = at.member("toolChoice");
                return Err(union_several("ToolChoice", &at, ToolChoice::KEYS));
            }
        };
        Ok(())
    }

    /// `additionalModelRequestFields` goes to the model as it is; Claude refuses what it does not
    /// know.
    fn read_additional(
        &self,
        model: &Model,
        conversation: &mut Conversation,
    ) -> Result<(), ApiError> {
        let Some(fields) = &self.additional_model_request_fields else {
            return Ok(());
        };
        if fields.is_object() && model.provider != "anthropic" {
            return Ok(());
        }
        match additional_fields(fields, conversation) {
            None => must_be_object(fields, &Place::root("additionalModelRequestFields")),
            Some(read) => read.map_err(|complaint| Surface::Converse.model(complaint.0)),
        }
    }

    fn read_output(&mut self, conversation: &mut Conversation) -> Result<(), ApiError> {
        let Some(config) = &mut self.output_config else {
            return Ok(());
        };
        if let Some(effort) = config.effort.take() {
            conversation.effort = Some(effort);
        }
        let Some(TextFormat {
            structure: Some(structure),
            ..
        }) = &config.text_format
        else {
            return Ok(());
        };
        let at = Place::root("outputConfig");
        let at = at.member("textFormat");
        let at = at.member("structure");
        let Structure::JsonSchema(JsonSchema { schema }) = structure else {
            return Err(union_unset("OutputFormatStructure", &at, Structure::KEYS));
        };
        let at = at.member("jsonSchema");
        let at = at.member("schema");
        let schema = schema.as_deref().unwrap_or_default();
        let parsed: Value = serde_json::from_str(schema).unwrap_or_default();
        must_be_object(&parsed, &at)?;
        conversation.format = Some(parsed);
        Ok(())
    }
}

fn tool(spec: ToolSpec, at: &Place<'_>) -> Result<Tool, ApiError> {
    let at = at.member("toolSpec");
    let at = at.member("inputSchema");
    let Some(InputSchema::Json(schema)) = spec.input_schema else {
        return Err(union_unset("ToolInputSchema", &at, InputSchema::KEYS));
    };
    let at = at.member("json");
    must_be_object(&schema, &at)?;
    // Seen live from 2025-07 to 2026-08.
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(ApiError::validation(format!(
            "The value at {} must be one of the following: object.",
            at.member("type")
        )));
    }
    Ok(Tool {
        name: spec.name.unwrap_or_default(),
        description: spec.description.unwrap_or_default(),
        schema,
        strict: spec.strict.unwrap_or_default(),
        built_in: None,
    })
}

/// Recorded for `inputSchema.json` and `toolResult.content.json`.
fn must_be_object(value: &Value, at: &Place<'_>) -> Result<(), ApiError> {
    if value.is_object() {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "The format of the value at {at} is invalid. \
         Provide a json object for the field and try again."
    )))
}

/// Not in the collected evidence; the sentence follows Bedrock's style.
fn union_unset(kind: &str, at: &Place<'_>, keys: &[&str]) -> ApiError {
    let keys = keys.join(", ");
    ApiError::validation(format!(
        "{kind} object at {at} must set one of the following keys: {keys}."
    ))
}

/// As [`union_unset`], chosen.
fn union_several(kind: &str, at: &Place<'_>, keys: &[&str]) -> ApiError {
    let keys = keys.join(", ");
    ApiError::validation(format!(
        "{kind} object at {at} must set only one of the following keys: {keys}."
    ))
}
