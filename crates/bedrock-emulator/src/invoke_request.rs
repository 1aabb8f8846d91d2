//! The body of `InvokeModel` for Claude: the Messages API, and for Claude 2 and Instant the older
//! Text Completions API.
//!
//! Bedrock hands the body to the model as it is, so complaints read like Anthropic's own
//! (`max_tokens: Field required`), or like a JSON schema's for the old models.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    catalogue::Model,
    conversation::{Block, CachePoint, Conversation, Role, Tool, ToolChoice, Ttl, Turn, texts},
    converse_request::thinking,
    error::ApiError,
    media::{Document, Image, Media, Source},
};

/// The members of a Messages body on Bedrock (recorded requests and Anthropic's documentation).
const MEMBERS: [&str; 17] = [
    "anthropic_beta",
    "anthropic_version",
    "cache_control",
    "context_management",
    "max_tokens",
    "messages",
    "metadata",
    "output_config",
    "output_format",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

/// A body not yet looked at.
#[derive(Debug)]
pub(crate) struct InvokeRequest {
    body: Option<Value>,
}

impl InvokeRequest {
    pub(crate) fn new(body: &[u8]) -> Self {
        Self {
            body: serde_json::from_slice(body).ok(),
        }
    }

    /// Whether this is a Text Completions body.
    pub(crate) fn is_completion(&self) -> bool {
        let has = |key: &str| self.body.as_ref().is_some_and(|b| b.get(key).is_some());
        has("prompt") && !has("messages")
    }

    pub(crate) fn conversation(&self, model: &Model) -> Result<Conversation, ApiError> {
        let Some(Value::Object(body)) = &self.body else {
            return Err(ApiError::validation(
                "Malformed input request, please reformat your input and try again.",
            ));
        };
        if !self.is_completion() {
            return messages(body, model);
        }
        if model.quirks.text_completions {
            completion(body)
        } else {
            // The quotation marks are part of the message.
            Err(ApiError::validation(format!(
                "\"{}\" is not supported on this API. Please use the Messages API instead.",
                model.provider_id
            )))
        }
    }
}

fn messages(body: &Map<String, Value>, model: &Model) -> Result<Conversation, ApiError> {
    version(body, model)?;
    for required in ["max_tokens", "messages"] {
        if body.get(required).is_none_or(Value::is_null) {
            return Err(field_required(required));
        }
    }
    if let Some(extra) = body.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        return Err(extra_input(extra));
    }
    let mut conversation = Conversation {
        max_tokens: Some(whole_number(body, "max_tokens", 1)?),
        temperature: number(body, "temperature")?,
        top_p: number(body, "top_p")?,
        top_k: body.contains_key("top_k"),
        tool_config: true,
        ..Conversation::default()
    };
    for (i, stop) in list(body.get("stop_sequences"), "stop_sequences")?
        .iter()
        .enumerate()
    {
        let stop = string(stop, &format!("stop_sequences.{i}"))?;
        if stop.trim().is_empty() {
            return Err(ApiError::validation(
                "stop_sequences: each stop sequence must contain non-whitespace",
            ));
        }
        conversation.stop_sequences.push(stop);
    }
    if let Some(system) = body.get("system") {
        conversation.system = blocks(system, "system")?;
    }
    for (t, message) in list(body.get("messages"), "messages")?.iter().enumerate() {
        conversation
            .turns
            .push(turn(message, &format!("messages.{t}"))?);
    }
    if let Some(value) = body.get("thinking") {
        conversation.thinking = thinking(value)?;
    }
    for (i, tool) in list(body.get("tools"), "tools")?.iter().enumerate() {
        conversation
            .tools
            .push(read_tool(tool, &format!("tools.{i}"))?);
        if let Some(ttl) = cache_control(tool) {
            let after = conversation.tools.len();
            conversation.tool_cache_points.push((after, ttl));
        }
    }
    if let Some(choice) = body.get("tool_choice") {
        conversation.choice = tool_choice(choice)?;
    }
    conversation.format = output_format(body);
    conversation.cache_all = body.get("cache_control").filter(|c| !c.is_null()).map(ttl);
    let effort = body.get("output_config").and_then(|c| c.get("effort"));
    conversation.effort = effort.and_then(Value::as_str).map(str::to_owned);
    Ok(conversation)
}

/// `anthropic_version` decides the body's meaning on Bedrock; the SDKs of late 2026 send a newer
/// one that models up to Opus 4.6 do not know. That refusal's text is not verified.
fn version(body: &Map<String, Value>, model: &Model) -> Result<(), ApiError> {
    const OLD: &str = "bedrock-2023-05-31";
    const NEW: &str = "2026-10-21";
    match body.get("anthropic_version") {
        None | Some(Value::Null) => Err(field_required("anthropic_version")),
        Some(Value::String(v)) if v == OLD || (v == NEW && model.quirks.no_sampling) => Ok(()),
        Some(_) => Err(ApiError::validation(format!(
            "anthropic_version: Input should be '{OLD}'"
        ))),
    }
}

fn turn(message: &Value, at: &str) -> Result<Turn, ApiError> {
    let Value::Object(message) = message else {
        return Err(wrong(at, "an object"));
    };
    let role = match message.get("role") {
        None => return Err(field_required(&format!("{at}.role"))),
        Some(role) => match role.as_str() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => {
                return Err(ApiError::validation(format!(
                    "{at}.role: Input should be 'user' or 'assistant'"
                )));
            }
        },
    };
    if let Some(extra) = message
        .keys()
        .find(|k| !["role", "content"].contains(&k.as_str()))
    {
        return Err(extra_input(&format!("{at}.{extra}")));
    }
    let content = message.get("content");
    let content = content.ok_or_else(|| field_required(&format!("{at}.content")))?;
    Ok(Turn {
        role,
        blocks: blocks(content, &format!("{at}.content"))?,
    })
}

/// Content as a string or as a list of blocks; a block's `cache_control` becomes a cache point.
fn blocks(content: &Value, at: &str) -> Result<Vec<Block>, ApiError> {
    if let Value::String(text) = content {
        return Ok(vec![Block::Text(text.clone())]);
    }
    let mut blocks = Vec::new();
    for (b, value) in list(Some(content), at)?.iter().enumerate() {
        blocks.push(block(value, &format!("{at}.{b}"))?);
        // A point inside a tool result ends the same prefix as one behind it.
        let inner = value.get("content").and_then(Value::as_array);
        let inner = inner
            .into_iter()
            .flatten()
            .filter_map(cache_control)
            .next_back();
        if let Some(ttl) = cache_control(value).or(inner) {
            blocks.push(Block::CachePoint(CachePoint {
                ttl,
                attached: true,
            }));
        }
    }
    Ok(blocks)
}

fn block(value: &Value, at: &str) -> Result<Block, ApiError> {
    let kind = value.get("type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| field_required(&format!("{at}.type")))?;
    let text = |key: &str| {
        let found = value.get(key);
        let found = found.ok_or_else(|| field_required(&format!("{at}.{kind}.{key}")))?;
        string(found, &format!("{at}.{kind}.{key}"))
    };
    Ok(match kind {
        "text" => Block::Text(text("text")?),
        "thinking" => Block::Reasoning {
            text: text("thinking")?,
            signature: Some(text("signature")?),
        },
        "redacted_thinking" => Block::RedactedReasoning(text("data")?),
        "tool_use" => Block::ToolUse {
            id: text("id")?,
            name: text("name")?,
            input: value.get("input").cloned().unwrap_or_default(),
        },
        "tool_result" => {
            let content = value
                .get("content")
                .map(|c| blocks(c, &format!("{at}.content")));
            let parts = content.transpose()?.unwrap_or_default();
            Block::ToolResult {
                id: text("tool_use_id")?,
                failed: value.get("is_error") == Some(&Value::Bool(true)),
                parts: parts
                    .into_iter()
                    .filter(|part| !matches!(part, Block::CachePoint(_)))
                    .collect(),
            }
        }
        "image" => Block::Image(Image::new(media(value))),
        "document" => Block::Document(document(value, at)?),
        "search_result" => Block::SearchResult {
            source: text("source")?,
            title: text("title")?,
            text: match value.get("content") {
                Some(content) => texts(&blocks(content, &format!("{at}.content"))?),
                None => String::new(),
            },
            citations: citations(value),
        },
        other => {
            return Err(ApiError::validation(format!(
                "{at}: Input tag '{other}' found using 'type' does not match any of the expected \
                 tags: 'document', 'image', 'redacted_thinking', 'search_result', 'text', \
                 'thinking', 'tool_result', 'tool_use'"
            )));
        }
    })
}

/// The bytes of an image or a document.
fn media(block: &Value) -> Media {
    let source = block.get("source");
    let member = |key: &str| {
        let found = source.and_then(|s| s.get(key)).and_then(Value::as_str);
        found.unwrap_or_default()
    };
    let format = match member("media_type") {
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        other => other.rsplit('/').next().unwrap_or_default(),
    };
    let mut data = Vec::new();
    let source = match member("type") {
        "base64" => {
            data = STANDARD.decode(member("data")).unwrap_or_default();
            Source::Bytes
        }
        "text" => Source::Text,
        "content" => Source::Content,
        "url" => Source::Url(member("url").to_owned()),
        _ => Source::None,
    };
    Media {
        format: format.to_owned(),
        source,
        data,
    }
}

fn document(block: &Value, at: &str) -> Result<Document, ApiError> {
    let member = |key: &str| block.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut document = Document::new(member("title").unwrap_or_default(), media(block));
    let source = block.get("source");
    match document.media.source {
        Source::Text => {
            let data = source.and_then(|s| s.get("data")).and_then(Value::as_str);
            data.unwrap_or_default().clone_into(&mut document.text);
        }
        Source::Content => {
            let content = source.and_then(|s| s.get("content"));
            let content = content.ok_or_else(|| field_required(&format!("{at}.source.content")))?;
            document.text = texts(&blocks(content, &format!("{at}.source.content"))?);
        }
        _ => {}
    }
    document.context = member("context");
    document.citations = citations(block);
    Ok(document)
}

fn citations(block: &Value) -> bool {
    let enabled = block.get("citations").and_then(|c| c.get("enabled"));
    enabled.and_then(Value::as_bool).unwrap_or_default()
}

/// The cache point that `cache_control` puts behind a block or a tool.
fn cache_control(value: &Value) -> Option<Ttl> {
    let control = value.get("cache_control").filter(|c| !c.is_null())?;
    Some(ttl(control))
}

fn ttl(control: &Value) -> Ttl {
    let named = control.get("ttl").and_then(Value::as_str);
    named.and_then(Ttl::of_name).unwrap_or_default()
}

fn read_tool(tool: &Value, at: &str) -> Result<Tool, ApiError> {
    const BUILT_IN: [&str; 4] = [
        "bash_20250124",
        "text_editor_20250124",
        "text_editor_20250429",
        "text_editor_20250728",
    ];
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or("custom");
    if kind != "custom" && !BUILT_IN.contains(&kind) {
        return Err(ApiError::validation(format!(
            "{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags: \
             'bash_20250124', 'custom', 'text_editor_20250124', 'text_editor_20250429', \
             'text_editor_20250728'"
        )));
    }
    let name = tool.get("name");
    let name = name.ok_or_else(|| field_required(&format!("{at}.custom.name")))?;
    let name = string(name, &format!("{at}.custom.name"))?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(legal) {
        return Err(ApiError::validation(format!(
            "{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        )));
    }
    let schema = tool.get("input_schema").cloned();
    if kind == "custom" && !schema.as_ref().is_some_and(Value::is_object) {
        return Err(field_required(&format!("{at}.custom.input_schema")));
    }
    Ok(Tool {
        name,
        description: tool
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        schema: schema.unwrap_or_else(|| Value::Object(Map::new())),
        strict: tool.get("strict") == Some(&Value::Bool(true)),
        built_in: (kind != "custom").then(|| kind.to_owned()),
    })
}

fn tool_choice(choice: &Value) -> Result<ToolChoice, ApiError> {
    Ok(match choice.get("type").and_then(Value::as_str) {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Any,
        Some("none") => ToolChoice::None,
        Some("tool") => {
            let name = choice.get("name");
            let name = name.ok_or_else(|| field_required("tool_choice.tool.name"))?;
            ToolChoice::Named(string(name, "tool_choice.tool.name")?)
        }
        Some(other) => {
            return Err(ApiError::validation(format!(
                "tool_choice: Input tag '{other}' found using 'type' does not match any of the \
                 expected tags: 'any', 'auto', 'none', 'tool'"
            )));
        }
        None => return Err(field_required("tool_choice.type")),
    })
}

/// The schema of a structured output: `output_config.format.schema`, earlier `output_format.schema`.
fn output_format(body: &Map<String, Value>) -> Option<Value> {
    let new = body.get("output_config").and_then(|c| c.get("format"));
    let format = new.or_else(|| body.get("output_format"))?;
    format.get("schema").filter(|s| s.is_object()).cloned()
}

/// Claude 2's body, checked against a JSON schema.
fn completion(body: &Map<String, Value>) -> Result<Conversation, ApiError> {
    const MEMBERS: [&str; 7] = [
        "anthropic_version",
        "max_tokens_to_sample",
        "prompt",
        "stop_sequences",
        "temperature",
        "top_k",
        "top_p",
    ];
    let mut problems = Vec::new();
    if !body.contains_key("max_tokens_to_sample") {
        problems.push("#: required key [max_tokens_to_sample] not found".to_owned());
    }
    let extra = body.keys().filter(|key| !MEMBERS.contains(&key.as_str()));
    problems.extend(extra.map(|key| format!("#: extraneous key [{key}] is not permitted")));
    if !problems.is_empty() {
        return Err(ApiError::validation(format!(
            "Malformed input request: {}, please reformat your input and try again.",
            problems.concat()
        )));
    }
    let max = body["max_tokens_to_sample"]
        .as_u64()
        .and_then(|n| u32::try_from(n).ok());
    let Some(max @ 1..=1_000_000) = max else {
        return Err(ApiError::validation(
            "max_tokens_to_sample: range: 1..1,000,000",
        ));
    };
    let prompt = string(&body["prompt"], "prompt")?;
    Ok(Conversation {
        turns: vec![Turn {
            role: Role::User,
            blocks: vec![Block::Text(human_turn(&prompt)?)],
        }],
        max_tokens: Some(max),
        stop_sequences: list(body.get("stop_sequences"), "stop_sequences")?
            .iter()
            .filter_map(|s| s.as_str().map(str::to_owned))
            .collect(),
        tool_config: true,
        ..Conversation::default()
    })
}

/// What the human said. A prompt without the line breaks was accepted (recorded 2024-06), one
/// without the names was not.
fn human_turn(prompt: &str) -> Result<String, ApiError> {
    let Some((_, said)) = prompt.split_once("Human:") else {
        return Err(ApiError::validation(
            "Invalid prompt: prompt must start with \"\n\nHuman:\" turn after an optional system prompt",
        ));
    };
    let Some(said) = said.trim_end().strip_suffix("Assistant:") else {
        return Err(ApiError::validation(
            "Invalid prompt: prompt must end with \"\n\nAssistant:\" turn",
        ));
    };
    Ok(said.trim().to_owned())
}

fn whole_number(body: &Map<String, Value>, key: &str, min: u32) -> Result<u32, ApiError> {
    let value = &body[key];
    let Some(number) = value.as_i64() else {
        return Err(ApiError::validation(format!(
            "{key}: Input should be a valid integer"
        )));
    };
    match u32::try_from(number) {
        Ok(n) if n >= min => Ok(n),
        Err(_) if number > 0 => Ok(u32::MAX),
        _ => Err(ApiError::validation(format!(
            "{key}: Input should be greater than or equal to {min}"
        ))),
    }
}

/// A number from 0 to 1, if it is there.
fn number(body: &Map<String, Value>, key: &str) -> Result<Option<f64>, ApiError> {
    let Some(value) = body.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    match value.as_f64() {
        Some(n) if (0.0..=1.0).contains(&n) => Ok(Some(n)),
        Some(_) => Err(ApiError::validation(format!("{key}: range: 0..1"))),
        None => Err(wrong(key, "a valid number")),
    }
}

fn list<'v>(value: Option<&'v Value>, at: &str) -> Result<&'v [Value], ApiError> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(wrong(at, "a valid list")),
    }
}

fn string(value: &Value, at: &str) -> Result<String, ApiError> {
    let text = value.as_str().ok_or_else(|| wrong(at, "a valid string"))?;
    Ok(text.to_owned())
}

fn field_required(at: &str) -> ApiError {
    ApiError::validation(format!("{at}: Field required"))
}

fn extra_input(at: &str) -> ApiError {
    ApiError::validation(format!("{at}: Extra inputs are not permitted"))
}

fn wrong(at: &str, wanted: &str) -> ApiError {
    ApiError::validation(format!("{at}: Input should be {wanted}"))
}
