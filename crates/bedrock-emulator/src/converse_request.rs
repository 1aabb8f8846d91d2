//! The body of Converse and `ConverseStream`, from JSON to a [`Conversation`].
//!
//! Two kinds of errors live here, both before any model sees the request: JSON of the wrong shape
//! (`SerializationException` by the front door) and members that break the service model's limits
//! (`ValidationException`, all of them in one message).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    conversation::{Block, CachePoint, Conversation, Role, Thinking, Tool, ToolChoice, Ttl, Turn},
    error::{ApiError, Code},
    media::{self, Document, Image},
    violations::Violations,
};

/// The request's body; unknown members are ignored, as on AWS.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConverseRequest {
    messages: Option<Vec<Message>>,
    system: Option<Vec<ContentBlock>>,
    inference_config: Option<InferenceConfig>,
    tool_config: Option<ToolConfig>,
    additional_model_request_fields: Option<Value>,
    pub(crate) additional_model_response_field_paths: Option<Vec<String>>,
    pub(crate) request_metadata: Option<BTreeMap<String, String>>,
    pub(crate) performance_config: Option<PerformanceConfig>,
    pub(crate) service_tier: Option<ServiceTier>,
    output_config: Option<OutputConfig>,
}

#[derive(Debug, Clone, Deserialize)]
struct Message {
    role: Option<String>,
    content: Option<Vec<ContentBlock>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContentBlock {
    text: Option<String>,
    image: Option<Media>,
    document: Option<Media>,
    video: Option<Media>,
    audio: Option<Media>,
    tool_use: Option<ToolUse>,
    tool_result: Option<ToolResult>,
    cache_point: Option<CachePointBlock>,
    guard_content: Option<Value>,
    reasoning_content: Option<ReasoningContent>,
    search_result: Option<Value>,
    citations_content: Option<Value>,
    json: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct CachePointBlock {
    ttl: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Media {
    name: Option<String>,
    format: Option<String>,
    source: Option<Source>,
    context: Option<String>,
    citations: Option<Citations>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Citations {
    enabled: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    bytes: Option<String>,
    text: Option<String>,
    content: Option<Value>,
    s3_location: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolUse {
    #[serde(rename = "toolUseId")]
    id: Option<String>,
    name: Option<String>,
    input: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolResult {
    tool_use_id: Option<String>,
    content: Option<Vec<ContentBlock>>,
    status: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReasoningContent {
    reasoning_text: Option<ReasoningText>,
    redacted_content: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ReasoningText {
    text: Option<String>,
    signature: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InferenceConfig {
    max_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop_sequences: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolConfig {
    tools: Option<Vec<ToolEntry>>,
    tool_choice: Option<Choice>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolEntry {
    tool_spec: Option<ToolSpec>,
    cache_point: Option<CachePointBlock>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolSpec {
    name: Option<String>,
    description: Option<String>,
    input_schema: Option<InputSchema>,
    strict: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct InputSchema {
    json: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Choice {
    any: Option<BTreeMap<String, Value>>,
    tool: Option<NamedTool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NamedTool {
    name: Option<String>,
}

/// `performanceConfig`, echoed in the answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PerformanceConfig {
    pub(crate) latency: Option<String>,
}

/// `serviceTier`, echoed in the answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ServiceTier {
    pub(crate) r#type: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OutputConfig {
    text_format: Option<TextFormat>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct TextFormat {
    structure: Option<Structure>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Structure {
    json_schema: Option<JsonSchema>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct JsonSchema {
    schema: Option<String>,
}

impl ConverseRequest {
    /// Reads the body. An empty body counts as `{}`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| serialization(&error))
    }

    /// Reads a body that is already JSON (inside `CountTokens`).
    pub(crate) fn from_value(value: &Value) -> Result<Self, ApiError> {
        Self::deserialize(value).map_err(|error| serialization(&error))
    }

    /// Checks the service model's limits and Bedrock's own rules about documents in JSON.
    pub(crate) fn conversation(&self) -> Result<Conversation, ApiError> {
        self.violations().into_result()?;
        let mut conversation = Conversation::default();
        for (t, message) in self.messages.iter().flatten().enumerate() {
            let role = match message.role.as_deref() {
                Some("assistant") => Role::Assistant,
                Some("system") => Role::System,
                _ => Role::User,
            };
            let mut blocks = Vec::new();
            for (b, block) in message.content.iter().flatten().enumerate() {
                blocks.push(block.block(&format!("messages.{t}.content.{b}"))?);
            }
            conversation.turns.push(Turn { role, blocks });
        }
        for (s, block) in self.system.iter().flatten().enumerate() {
            conversation
                .system
                .push(block.block(&format!("system.{s}"))?);
        }
        if let Some(inference) = &self.inference_config {
            conversation.max_tokens = inference
                .max_tokens
                .map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            conversation.temperature = inference.temperature;
            conversation.top_p = inference.top_p;
            conversation.stop_sequences = inference.stop_sequences.clone().unwrap_or_default();
        }
        self.read_tools(&mut conversation)?;
        self.read_additional(&mut conversation)?;
        self.read_format(&mut conversation)?;
        Ok(conversation)
    }

    fn read_tools(&self, conversation: &mut Conversation) -> Result<(), ApiError> {
        let Some(config) = &self.tool_config else {
            return Ok(());
        };
        conversation.tool_config = true;
        for (i, entry) in config.tools.iter().flatten().enumerate() {
            if let Some(point) = &entry.cache_point {
                let after = conversation.tools.len();
                conversation.tool_cache_points.push((after, point.ttl()));
            }
            let Some(spec) = &entry.tool_spec else {
                continue;
            };
            let schema = spec.input_schema.as_ref().and_then(|s| s.json.clone());
            let schema = schema.unwrap_or(Value::Null);
            must_be_object(
                &schema,
                &format!("toolConfig.tools.{i}.toolSpec.inputSchema.json"),
            )?;
            conversation.tools.push(Tool {
                name: spec.name.clone().unwrap_or_default(),
                description: spec.description.clone().unwrap_or_default(),
                schema,
                strict: spec.strict.unwrap_or_default(),
                built_in: None,
            });
        }
        conversation.choice = match &config.tool_choice {
            Some(Choice {
                tool: Some(tool), ..
            }) => ToolChoice::Named(tool.name.clone().unwrap_or_default()),
            Some(Choice { any: Some(_), .. }) => ToolChoice::Any,
            _ => ToolChoice::Auto,
        };
        Ok(())
    }

    /// `additionalModelRequestFields` goes to the model as it is; Claude refuses what it does not
    /// know.
    fn read_additional(&self, conversation: &mut Conversation) -> Result<(), ApiError> {
        let Some(fields) = &self.additional_model_request_fields else {
            return Ok(());
        };
        let Value::Object(map) = fields else {
            return must_be_object(fields, "additionalModelRequestFields");
        };
        for (key, value) in map {
            match key.as_str() {
                "thinking" | "reasoning_config" => conversation.thinking = thinking(value)?,
                "top_k" => conversation.top_k = true,
                "output_config" => {
                    let effort = value.get("effort").and_then(Value::as_str);
                    conversation.effort = effort.map(str::to_owned);
                }
                "anthropic_beta" | "metadata" | "tools" | "tool_choice" | "context_management"
                | "effort" => {}
                _ => {
                    return Err(ApiError::validation(format!(
                        "The model returned the following errors: {key}: Extra inputs are not permitted"
                    )));
                }
            }
        }
        Ok(())
    }

    fn read_format(&self, conversation: &mut Conversation) -> Result<(), ApiError> {
        let format = self
            .output_config
            .as_ref()
            .and_then(|c| c.text_format.as_ref());
        let structure = format.and_then(|f| f.structure.as_ref());
        let Some(schema) = structure.and_then(|s| s.json_schema.as_ref()?.schema.as_ref()) else {
            return Ok(());
        };
        let parsed: Value = serde_json::from_str(schema).map_err(|_| {
            ApiError::validation(
                "The format of the value at outputConfig.textFormat.structure.jsonSchema.schema \
                 is invalid. Provide a json object for the field and try again.",
            )
        })?;
        must_be_object(
            &parsed,
            "outputConfig.textFormat.structure.jsonSchema.schema",
        )?;
        conversation.format = Some(parsed);
        Ok(())
    }

    /// Every limit of the service model that the request breaks.
    fn violations(&self) -> Violations {
        let mut found = Violations::default();
        found.required("messages", self.messages.is_some());
        for (t, message) in self.messages.iter().flatten().enumerate() {
            let at = format!("messages.{}.member", t + 1);
            found.required(&format!("{at}.role"), message.role.is_some());
            found.required(&format!("{at}.content"), message.content.is_some());
            if let Some(role) = &message.role {
                found.one_of(
                    &format!("{at}.role"),
                    role,
                    &["user", "assistant", "system"],
                );
            }
            for (b, block) in message.content.iter().flatten().enumerate() {
                block.violations(&format!("{at}.content.{}.member", b + 1), &mut found);
            }
        }
        for (s, block) in self.system.iter().flatten().enumerate() {
            if let Some(text) = &block.text {
                found.min_length(&format!("system.{}.member.text", s + 1), text, 1);
            }
        }
        if let Some(inference) = &self.inference_config {
            inference.violations(&mut found);
        }
        if let Some(config) = &self.tool_config {
            config.violations(&mut found);
        }
        let paths = self.additional_model_response_field_paths.as_deref();
        if paths.is_some_and(|p| p.len() > 10) {
            found.max_items("additionalModelResponseFieldPaths", 10);
        }
        if let Some(latency) = self
            .performance_config
            .as_ref()
            .and_then(|c| c.latency.as_ref())
        {
            found.one_of(
                "performanceConfig.latency",
                latency,
                &["standard", "optimized"],
            );
        }
        if let Some(tier) = self.service_tier.as_ref().and_then(|t| t.r#type.as_ref()) {
            let tiers = ["priority", "default", "flex", "reserved"];
            found.one_of("serviceTier.type", tier, &tiers);
        }
        if self.request_metadata.as_ref().is_some_and(|m| m.len() > 16) {
            found.max_items("requestMetadata", 16);
        }
        found
    }
}

impl InferenceConfig {
    fn violations(&self, found: &mut Violations) {
        if let Some(n) = self.max_tokens {
            found.at_least("inferenceConfig.maxTokens", n, 1);
        }
        if let Some(x) = self.temperature {
            found.fraction("inferenceConfig.temperature", x);
        }
        if let Some(x) = self.top_p {
            found.fraction("inferenceConfig.topP", x);
        }
        let stops = self.stop_sequences.as_deref().unwrap_or_default();
        if stops.len() > 2_500 {
            found.max_items("inferenceConfig.stopSequences", 2_500);
        }
        for (i, stop) in stops.iter().take(2_500).enumerate() {
            let at = format!("inferenceConfig.stopSequences.{}.member", i + 1);
            found.min_length(&at, stop, 1);
        }
    }
}

impl ToolConfig {
    fn violations(&self, found: &mut Violations) {
        found.required("toolConfig.tools", self.tools.is_some());
        if self.tools.as_ref().is_some_and(Vec::is_empty) {
            found.min_items("toolConfig.tools", 1);
        }
        for (i, entry) in self.tools.iter().flatten().enumerate() {
            let Some(spec) = &entry.tool_spec else {
                continue;
            };
            let at = format!("toolConfig.tools.{}.member.toolSpec", i + 1);
            found.required(&format!("{at}.name"), spec.name.is_some());
            found.required(&format!("{at}.inputSchema"), spec.input_schema.is_some());
            if let Some(name) = &spec.name {
                found.name(&format!("{at}.name"), name, "[a-zA-Z0-9_-]+", "_-");
            }
            if let Some(description) = &spec.description {
                found.min_length(&format!("{at}.description"), description, 1);
            }
        }
        if let Some(Choice {
            tool: Some(tool), ..
        }) = &self.tool_choice
        {
            found.required("toolConfig.toolChoice.tool.name", tool.name.is_some());
        }
    }
}

impl ContentBlock {
    fn violations(&self, at: &str, found: &mut Violations) {
        let pattern = "[a-zA-Z0-9_.:-]+";
        if let Some(tool_use) = &self.tool_use {
            let at = format!("{at}.toolUse");
            found.required(&format!("{at}.toolUseId"), tool_use.id.is_some());
            found.required(&format!("{at}.name"), tool_use.name.is_some());
            found.required(&format!("{at}.input"), tool_use.input.is_some());
            if let Some(id) = &tool_use.id {
                found.name(&format!("{at}.toolUseId"), id, pattern, "_.:-");
            }
            if let Some(name) = &tool_use.name {
                found.name(&format!("{at}.name"), name, "[a-zA-Z0-9_-]+", "_-");
            }
        }
        if let Some(result) = &self.tool_result {
            let at = format!("{at}.toolResult");
            found.required(&format!("{at}.toolUseId"), result.tool_use_id.is_some());
            found.required(&format!("{at}.content"), result.content.is_some());
            if let Some(id) = &result.tool_use_id {
                found.name(&format!("{at}.toolUseId"), id, pattern, "_.:-");
            }
            if let Some(status) = &result.status {
                found.one_of(&format!("{at}.status"), status, &["success", "error"]);
            }
        }
    }

    fn block(&self, at: &str) -> Result<Block, ApiError> {
        if let Some(text) = &self.text {
            return Ok(Block::Text(text.clone()));
        }
        if let Some(image) = &self.image {
            return Ok(Block::Image(Image::new(image.read()?)));
        }
        if let Some(document) = &self.document {
            return Ok(Block::Document(document.document()?));
        }
        if let Some(tool_use) = &self.tool_use {
            let input = tool_use.input.clone().unwrap_or_default();
            must_be_object(&input, &format!("{at}.toolUse.input"))?;
            return Ok(Block::ToolUse {
                id: tool_use.id.clone().unwrap_or_default(),
                name: tool_use.name.clone().unwrap_or_default(),
                input,
            });
        }
        if let Some(result) = &self.tool_result {
            return result.block(at);
        }
        if let Some(reasoning) = &self.reasoning_content {
            return reasoning.block();
        }
        if let Some(point) = &self.cache_point {
            return Ok(Block::CachePoint(CachePoint {
                ttl: point.ttl(),
                attached: false,
            }));
        }
        if let Some(video) = &self.video {
            return Ok(Block::Video(video.read()?));
        }
        if let Some(audio) = &self.audio {
            return Ok(Block::Audio(audio.read()?));
        }
        if let Some(guard) = &self.guard_content {
            return Ok(guard_content(guard));
        }
        if let Some(found) = &self.search_result {
            return Ok(search_result(found));
        }
        // What the model said is `content`; the citations beside it are for the reader.
        if let Some(cited) = &self.citations_content {
            return Ok(Block::Text(
                cited.get("content").map(texts).unwrap_or_default(),
            ));
        }
        // Not in the collected evidence; the sentence follows Bedrock's style.
        Err(ApiError::validation(format!(
            "ContentBlock object at {at} must set one of the following keys: \
             text, image, toolUse, toolResult, document."
        )))
    }
}

impl CachePointBlock {
    fn ttl(&self) -> Ttl {
        let named = self.ttl.as_deref().and_then(Ttl::of_name);
        named.unwrap_or_default()
    }
}

impl ReasoningContent {
    fn block(&self) -> Result<Block, ApiError> {
        if let Some(redacted) = &self.redacted_content {
            // Converse carries Anthropic's base64 string in base64 once more (recorded).
            let data = STANDARD.decode(redacted).map_err(|_| invalid_base64())?;
            let data = String::from_utf8_lossy(&data).into_owned();
            return Ok(Block::RedactedReasoning(data));
        }
        let reasoning = self.reasoning_text.clone().unwrap_or_default();
        Ok(Block::Reasoning {
            text: reasoning.text.unwrap_or_default(),
            signature: reasoning.signature,
        })
    }
}

impl Media {
    fn read(&self) -> Result<media::Media, ApiError> {
        let format = self.format.clone().unwrap_or_default();
        let mut data = Vec::new();
        let source = match &self.source {
            Some(Source {
                s3_location: Some(location),
                ..
            }) => {
                let uri = location.get("uri").and_then(Value::as_str);
                media::Source::S3(uri.unwrap_or_default().to_owned())
            }
            Some(Source { text: Some(_), .. }) => media::Source::Text,
            Some(Source {
                content: Some(_), ..
            }) => media::Source::Content,
            Some(Source {
                bytes: Some(bytes), ..
            }) => {
                data = STANDARD.decode(bytes).map_err(|_| invalid_base64())?;
                media::Source::Bytes
            }
            _ => media::Source::None,
        };
        Ok(media::Media {
            format,
            source,
            data,
        })
    }

    fn document(&self) -> Result<Document, ApiError> {
        let name = self.name.clone().unwrap_or_default();
        let mut document = Document::new(name, self.read()?);
        match &self.source {
            Some(Source {
                text: Some(text), ..
            }) => document.text.clone_from(text),
            Some(Source {
                content: Some(content),
                ..
            }) => document.text = texts(content),
            _ => {}
        }
        document.context.clone_from(&self.context);
        let citations = self.citations.as_ref().and_then(|c| c.enabled);
        document.citations = citations.unwrap_or_default();
        Ok(document)
    }
}

impl ToolResult {
    fn block(&self, at: &str) -> Result<Block, ApiError> {
        let mut parts = Vec::new();
        for (c, content) in self.content.iter().flatten().enumerate() {
            let at = format!("{at}.toolResult.content.{c}");
            if let Some(json) = &content.json {
                must_be_object(json, &format!("{at}.json"))?;
                parts.push(Block::Json(json.clone()));
            } else {
                parts.push(content.block(&at)?);
            }
        }
        Ok(Block::ToolResult {
            id: self.tool_use_id.clone().unwrap_or_default(),
            failed: self.status.as_deref() == Some("error"),
            parts,
        })
    }
}

fn guard_content(guard: &Value) -> Block {
    let text = guard.get("text");
    let said = text.and_then(|t| t.get("text")).and_then(Value::as_str);
    let qualifiers = text
        .and_then(|t| t.get("qualifiers"))
        .and_then(Value::as_array);
    let qualifiers = qualifiers.into_iter().flatten();
    Block::Guard {
        text: said.unwrap_or_default().to_owned(),
        qualifiers: qualifiers
            .filter_map(|q| q.as_str().map(str::to_owned))
            .collect(),
    }
}

fn search_result(found: &Value) -> Block {
    let member = |key: &str| found.get(key).map(texts).unwrap_or_default();
    let citations = found.get("citations").and_then(|c| c.get("enabled"));
    Block::SearchResult {
        source: member("source"),
        title: member("title"),
        text: member("content"),
        citations: citations.and_then(Value::as_bool).unwrap_or_default(),
    }
}

fn invalid_base64() -> ApiError {
    ApiError::front_door(Code::Serialization, "Invalid base64 value")
}

/// Reads Claude's `thinking`, in the body of Messages or passed along by Converse.
pub(crate) fn thinking(value: &Value) -> Result<Thinking, ApiError> {
    match value.get("type").and_then(Value::as_str) {
        Some("enabled") => {
            let budget = value.get("budget_tokens").and_then(Value::as_u64);
            let budget = budget.and_then(|n| u32::try_from(n).ok());
            budget.map(Thinking::Budget).ok_or_else(|| {
                ApiError::validation("thinking.enabled.budget_tokens: Field required")
            })
        }
        Some("adaptive") => Ok(Thinking::Adaptive),
        Some("disabled") => Ok(Thinking::Off),
        _ => Err(ApiError::validation(
            "thinking: Input tag must be one of 'adaptive', 'disabled', 'enabled'",
        )),
    }
}

/// Recorded for `inputSchema.json` and `toolResult.content.json`.
fn must_be_object(value: &Value, at: &str) -> Result<(), ApiError> {
    if value.is_object() {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "The format of the value at {at} is invalid. \
         Provide a json object for the field and try again."
    )))
}

/// Every string under `value`, in order.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(texts).collect::<Vec<_>>().join("\n"),
        Value::Object(map) => map.values().map(texts).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// The front door names no place. The first two texts are seen on Bedrock and its family; which
/// text belongs to broken JSON is not verified.
fn serialization(error: &serde_json::Error) -> ApiError {
    let detail = error.to_string();
    let message = if error.is_syntax() || error.is_eof() {
        "Unable to parse the request body as JSON"
    } else if detail.contains("invalid type: map") {
        "Start of structure or map found where not expected"
    } else if detail.contains("invalid type: sequence") {
        "Start of list found where not expected"
    } else if detail.contains("expected a sequence") {
        "Expected list or null"
    } else {
        "Unexpected field type"
    };
    ApiError::front_door(Code::Serialization, message)
}
