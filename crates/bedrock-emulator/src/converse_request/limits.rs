//! The service model's limits: what must be there, how long it may be, which values it may have.

use super::shapes::{
    CachePointBlock, ContentBlock, ConverseRequest, GuardContent, GuardrailConfig, InferenceConfig,
    InputSchema, Media, OutputConfig, S3Location, SearchResult, Source, Structure, ToolChange,
    ToolChoice, ToolConfig, ToolEntry, ToolResult, ToolUse,
};
use crate::{place::Place, violations::Violations};

const ANY_LENGTH: usize = usize::MAX;
const IMAGES: &[&str] = &["png", "jpeg", "gif", "webp"];
const DOCUMENTS: &[&str] = &[
    "pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md",
];
const VIDEOS: &[&str] = &[
    "mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp",
];
const SOUNDS: &[&str] = &[
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg",
    "mpga", "pcm", "webm",
];
const NAME: (&str, &str) = ("[a-zA-Z0-9_-]+", "_-");
const TOOL_USE_ID: (&str, &str) = ("[a-zA-Z0-9_.:-]+", "_.:-");

impl ConverseRequest {
    /// Every limit of the service model that the request breaks.
    pub(super) fn violations(&self) -> Violations {
        let mut found = Violations::default();
        let messages_at = Place::root("messages");
        found.required(&messages_at, self.messages.is_some());
        for (t, message) in self.messages.iter().flatten().enumerate() {
            let at = messages_at.index(t);
            let (role_at, content_at) = (at.member("role"), at.member("content"));
            found.required(&role_at, message.role.is_some());
            found.required(&content_at, message.content.is_some());
            if let Some(role) = &message.role {
                found.one_of(&role_at, role, &["user", "assistant", "system"]);
            }
            for (b, block) in message.content.iter().flatten().enumerate() {
                block.violations(&content_at.index(b), &mut found);
            }
        }
        let system_at = Place::root("system");
        for (s, block) in self.system.iter().flatten().enumerate() {
            let at = system_at.index(s);
            if let ContentBlock::Text(text) = block {
                found.length(&at.member("text"), text, 1, ANY_LENGTH);
            }
            block.violations(&at, &mut found);
        }
        if let Some(inference) = &self.inference_config {
            inference.violations(&mut found);
        }
        if let Some(config) = &self.tool_config {
            config.violations(&mut found);
        }
        if let Some(config) = &self.guardrail_config {
            config.violations(&mut found);
        }
        self.settings(&mut found);
        if let Some(config) = &self.output_config {
            config.violations(&mut found);
        }
        found
    }

    /// Members that say how to answer, not what.
    fn settings(&self, found: &mut Violations) {
        if let Some(paths) = &self.additional_model_response_field_paths {
            let at = Place::root("additionalModelResponseFieldPaths");
            found.items(&at, paths.len(), 0, 10);
            for (i, path) in paths.iter().enumerate().take(10) {
                found.length(&at.index(i), path, 1, 256);
            }
        }
        if let Some(metadata) = &self.request_metadata {
            let at = Place::root("requestMetadata");
            found.items(&at, metadata.len(), 1, 16);
            for (key, value) in metadata.iter().take(16) {
                found.length(&at, key, 1, 256);
                found.pattern(
                    &at,
                    key,
                    "[a-zA-Z0-9\\s:_@$#=/+,-.]{1,256}",
                    metadata_character,
                );
                let value_at = at.member(key);
                found.length(&value_at, value, 0, 256);
                found.pattern(
                    &value_at,
                    value,
                    "[a-zA-Z0-9\\s:_@$#=/+,-.]{0,256}",
                    metadata_character,
                );
            }
        }
        // Variables belong to a prompt's ARN; with a model they mean nothing, and are ignored
        // (chosen).
        if let Some(variables) = &self.prompt_variables {
            let at = Place::root("promptVariables");
            for (name, value) in variables {
                let at = at.member(name);
                found.required(&at.member("text"), value.text.is_some());
            }
        }
        if let Some(latency) = self
            .performance_config
            .as_ref()
            .and_then(|c| c.latency.as_ref())
        {
            let at = Place::root("performanceConfig");
            found.one_of(&at.member("latency"), latency, &["standard", "optimized"]);
        }
        if let Some(tier) = &self.service_tier {
            let at = Place::root("serviceTier");
            let at = at.member("type");
            found.required(&at, tier.r#type.is_some());
            if let Some(tier) = &tier.r#type {
                found.one_of(&at, tier, &["priority", "default", "flex", "reserved"]);
            }
        }
    }
}

/// `,-.` in the pattern is a range that holds the comma, the hyphen and the full stop.
fn metadata_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c.is_whitespace() || ":_@$#=/+,-.".contains(c)
}

impl InferenceConfig {
    fn violations(&self, found: &mut Violations) {
        let at = Place::root("inferenceConfig");
        if let Some(n) = self.max_tokens {
            found.at_least(&at.member("maxTokens"), n, 1);
        }
        if let Some(x) = self.temperature {
            found.fraction(&at.member("temperature"), x);
        }
        if let Some(x) = self.top_p {
            found.fraction(&at.member("topP"), x);
        }
        let stops = self.stop_sequences.as_deref().unwrap_or_default();
        let at = at.member("stopSequences");
        found.items(&at, stops.len(), 0, 2_500);
        for (i, stop) in stops.iter().take(2_500).enumerate() {
            found.length(&at.index(i), stop, 1, ANY_LENGTH);
        }
    }
}

impl ToolConfig {
    fn violations(&self, found: &mut Violations) {
        let at = Place::root("toolConfig");
        let tools_at = at.member("tools");
        found.required(&tools_at, self.tools.is_some());
        if let Some(tools) = &self.tools {
            found.items(&tools_at, tools.len(), 1, ANY_LENGTH);
        }
        for (i, entry) in self.tools.iter().flatten().enumerate() {
            entry.violations(&tools_at.index(i), found);
        }
        if let Some(ToolChoice::Tool(tool)) = &self.tool_choice {
            let at = at.member("toolChoice");
            let at = at.member("tool");
            name(tool.name.as_deref(), &at.member("name"), NAME, found);
        }
    }
}

impl ToolEntry {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        match self {
            Self::ToolSpec(spec) => {
                let at = at.member("toolSpec");
                name(spec.name.as_deref(), &at.member("name"), NAME, found);
                found.required(&at.member("inputSchema"), spec.input_schema.is_some());
                if let Some(InputSchema::Unset) = &spec.input_schema {
                    let at = at.member("inputSchema");
                    found.required(&at.member("json"), false);
                }
                if let Some(description) = &spec.description {
                    found.length(&at.member("description"), description, 1, ANY_LENGTH);
                }
            }
            Self::SystemTool(tool) => {
                let at = at.member("systemTool");
                name(tool.name.as_deref(), &at.member("name"), NAME, found);
            }
            Self::CachePoint(point) => point.violations(&at.member("cachePoint"), found),
            Self::Unset | Self::Several => {}
        }
    }
}

impl GuardrailConfig {
    fn violations(&self, found: &mut Violations) {
        let at = Place::root("guardrailConfig");
        if let Some(id) = &self.guardrail_identifier {
            guardrail_identifier(&at.member("guardrailIdentifier"), id, found);
        }
        if let Some(version) = &self.guardrail_version {
            guardrail_version(&at.member("guardrailVersion"), version, found);
        }
        if let Some(trace) = &self.trace {
            let values = ["enabled", "disabled", "enabled_full"];
            found.one_of(&at.member("trace"), trace, &values);
        }
        if let Some(mode) = &self.stream_processing_mode {
            found.one_of(&at.member("streamProcessingMode"), mode, &["sync", "async"]);
        }
    }
}

/// A guardrail's id or ARN.
pub(crate) fn guardrail_identifier(at: &Place<'_>, id: &str, found: &mut Violations) {
    const PATTERN: &str =
        "(|([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+))";
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let arn = id.starts_with("arn:aws");
    found.length(at, id, 0, 2_048);
    found.pattern(at, id, PATTERN, |c| {
        plain(c) || (arn && (":-/".contains(c) || c.is_ascii_uppercase()))
    });
}

/// `DRAFT` or a number.
pub(crate) fn guardrail_version(at: &Place<'_>, version: &str, found: &mut Violations) {
    let digits = version.bytes().all(|b| b.is_ascii_digit());
    let number = digits && version.len() <= 8 && !version.starts_with('0');
    let legal = number || version == "DRAFT";
    found.pattern(at, version, "(|([1-9][0-9]{0,7})|(DRAFT))", |_| legal);
}

impl OutputConfig {
    fn violations(&self, found: &mut Violations) {
        let at = Place::root("outputConfig");
        if let Some(effort) = &self.effort {
            found.length(&at.member("effort"), effort, 0, 16);
        }
        let Some(format) = &self.text_format else {
            return;
        };
        let at = at.member("textFormat");
        let (type_at, structure_at) = (at.member("type"), at.member("structure"));
        found.required(&type_at, format.r#type.is_some());
        found.required(&structure_at, format.structure.is_some());
        if let Some(kind) = &format.r#type {
            found.one_of(&type_at, kind, &["json_schema"]);
        }
        if let Some(Structure::JsonSchema(schema)) = &format.structure {
            let at = structure_at.member("jsonSchema");
            found.required(&at.member("schema"), schema.schema.is_some());
        }
    }
}

impl ContentBlock {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        match self {
            Self::Image(image) => image.violations(&at.member("image"), IMAGES, true, found),
            Self::Document(document) => {
                let at = at.member("document");
                found.required(&at.member("name"), document.name.is_some());
                if let Some(name) = &document.name {
                    found.length(&at.member("name"), name, 1, 200);
                }
                document.violations(&at, DOCUMENTS, false, found);
            }
            Self::Video(video) => video.violations(&at.member("video"), VIDEOS, true, found),
            Self::Audio(sound) => sound.violations(&at.member("audio"), SOUNDS, true, found),
            Self::ToolUse(tool_use) => tool_use.violations(&at.member("toolUse"), found),
            Self::ToolResult(result) => result.violations(&at.member("toolResult"), found),
            Self::GuardContent(guard) => guard.violations(&at.member("guardContent"), found),
            Self::CachePoint(point) => point.violations(&at.member("cachePoint"), found),
            Self::SearchResult(result) => result.violations(&at.member("searchResult"), found),
            Self::ToolAddition(change) => change.violations(&at.member("toolAddition"), found),
            Self::ToolRemoval(change) => change.violations(&at.member("toolRemoval"), found),
            Self::Text(_)
            | Self::Json(_)
            | Self::ReasoningContent(_)
            | Self::CitationsContent(_)
            | Self::Unset
            | Self::Several => {}
        }
    }
}

impl Media {
    fn violations(
        &self,
        at: &Place<'_>,
        formats: &[&str],
        needs_format: bool,
        found: &mut Violations,
    ) {
        let format_at = at.member("format");
        found.required(&format_at, self.format.is_some() || !needs_format);
        if let Some(format) = &self.format {
            found.one_of(&format_at, format, formats);
        }
        let source_at = at.member("source");
        found.required(&source_at, self.source.is_some());
        match &self.source {
            Some(Source::Bytes(bytes)) if bytes.0.is_empty() => {
                found.length(&source_at.member("bytes"), "", 1, ANY_LENGTH);
            }
            Some(Source::S3Location(location)) => {
                location.violations(&source_at.member("s3Location"), found);
            }
            _ => {}
        }
        if let Some(citations) = &self.citations {
            let at = at.member("citations");
            found.required(&at.member("enabled"), citations.enabled.is_some());
        }
    }
}

impl S3Location {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        let uri_at = at.member("uri");
        found.required(&uri_at, self.uri.is_some());
        if let Some(uri) = &self.uri {
            let legal = is_s3_uri(uri);
            found.length(&uri_at, uri, 1, 1_024);
            let pattern = "s3://[a-z0-9][\\.\\-a-z0-9]{1,61}[a-z0-9](/.*)?";
            found.pattern(&uri_at, uri, pattern, |_| legal);
        }
        if let Some(owner) = &self.bucket_owner {
            let legal = owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit());
            found.pattern(&at.member("bucketOwner"), owner, "[0-9]{12}", |_| legal);
        }
    }
}

fn is_s3_uri(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("s3://") else {
        return false;
    };
    let bucket = rest.split('/').next().unwrap_or_default();
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    (3..=63).contains(&bucket.len())
        && edge(bucket.as_bytes().first())
        && edge(bucket.as_bytes().last())
        && bucket.bytes().all(inner)
}

impl ToolUse {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        name(
            self.id.as_deref(),
            &at.member("toolUseId"),
            TOOL_USE_ID,
            found,
        );
        name(self.name.as_deref(), &at.member("name"), NAME, found);
        found.required(&at.member("input"), self.input.is_some());
        if let Some(kind) = &self.r#type {
            // The answer's undocumented `tool_use` comes back in the next request (recorded).
            let values = ["server_tool_use", "tool_use"];
            if !values.contains(&kind.as_str()) {
                found.one_of(&at.member("type"), kind, &values[..1]);
            }
        }
    }
}

impl ToolResult {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        name(
            self.id.as_deref(),
            &at.member("toolUseId"),
            TOOL_USE_ID,
            found,
        );
        let content_at = at.member("content");
        found.required(&content_at, self.content.is_some());
        for (c, content) in self.content.iter().flatten().enumerate() {
            content.violations(&content_at.index(c), found);
        }
        if let Some(status) = &self.status {
            found.one_of(&at.member("status"), status, &["success", "error"]);
        }
    }
}

impl GuardContent {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        match self {
            Self::Text(text) => {
                let at = at.member("text");
                found.required(&at.member("text"), text.text.is_some());
                let at = at.member("qualifiers");
                let values = ["grounding_source", "query", "guard_content"];
                for (i, qualifier) in text.qualifiers.iter().flatten().enumerate() {
                    found.one_of(&at.index(i), qualifier, &values);
                }
            }
            Self::Image(image) => {
                image.violations(&at.member("image"), &["png", "jpeg"], true, found);
            }
            Self::Unset | Self::Several => {}
        }
    }
}

impl CachePointBlock {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        let type_at = at.member("type");
        found.required(&type_at, self.r#type.is_some());
        if let Some(kind) = &self.r#type {
            found.one_of(&type_at, kind, &["default"]);
        }
        if let Some(ttl) = &self.ttl {
            found.one_of(&at.member("ttl"), ttl, &["5m", "1h"]);
        }
    }
}

impl SearchResult {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        found.required(&at.member("source"), self.source.is_some());
        found.required(&at.member("title"), self.title.is_some());
        let content_at = at.member("content");
        found.required(&content_at, self.content.is_some());
        for (c, content) in self.content.iter().flatten().enumerate() {
            let at = content_at.index(c);
            found.required(&at.member("text"), content.text.is_some());
        }
        if let Some(citations) = &self.citations {
            let at = at.member("citations");
            found.required(&at.member("enabled"), citations.enabled.is_some());
        }
    }
}

impl ToolChange {
    fn violations(&self, at: &Place<'_>, found: &mut Violations) {
        let at = at.member("tool");
        found.required(&at, self.tool.is_some());
        let Some(tool) = &self.tool else { return };
        let members = [
            ("type", &tool.r#type, 64),
            ("name", &tool.name, 128),
            ("serverName", &tool.server_name, 128),
        ];
        for (name, text, most) in members {
            if let Some(text) = text {
                found.length(&at.member(name), text, 1, most);
            }
        }
    }
}

/// A name that must be there, of 1 to 64 characters of a kind.
fn name(
    text: Option<&str>,
    at: &Place<'_>,
    (pattern, extra): (&str, &str),
    found: &mut Violations,
) {
    found.required(at, text.is_some());
    if let Some(text) = text {
        found.name(at, text, pattern, extra);
    }
}
