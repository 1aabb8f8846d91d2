//! The structures of a Converse body, as the service model declares them.
//!
//! Every member is optional here, and a union may hold none of its members or several: what is
//! missing, or too much, is told with everything else in [`super::limits`].

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use crate::{error::INVALID_BASE64, invoke_request::taken::Key};

/// The request's body; unknown members are ignored, as on AWS.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConverseRequest {
    pub(super) messages: Option<Vec<Message>>,
    pub(super) system: Option<Vec<ContentBlock>>,
    pub(super) inference_config: Option<InferenceConfig>,
    pub(super) tool_config: Option<ToolConfig>,
    pub(crate) guardrail_config: Option<GuardrailConfig>,
    pub(super) additional_model_request_fields: Option<Value>,
    pub(super) prompt_variables: Option<BTreeMap<String, TextBlock>>,
    pub(crate) additional_model_response_field_paths: Option<Vec<String>>,
    pub(crate) request_metadata: Option<BTreeMap<String, String>>,
    pub(crate) performance_config: Option<PerformanceConfig>,
    pub(crate) service_tier: Option<ServiceTier>,
    pub(super) output_config: Option<OutputConfig>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) role: Option<String>,
    pub(super) content: Option<Vec<ContentBlock>>,
}

/// What all unions tell.
pub(super) trait Union {
    /// The names of the members.
    const KEYS: &[&str];
}

/// A union: one of its members, none, or too many.
macro_rules! unions {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident($type:ty) = $key:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) enum $name {
            $($variant($type),)*
            /// No known member is set.
            Unset,
            /// More than one is.
            Several,
        }

        impl Union for $name {
            const KEYS: &[&str] = &[$($key,)*];
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> Visitor<'de> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a structure")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<$name, A::Error> {
                        let mut union = $name::Unset;
                        while let Some(key) = members.next_key::<Key<'de>>()? {
                            let found = match &*key.0 {
                                $($key => members.next_value::<Option<$type>>()?.map($name::$variant),)*
                                _ => {
                                    members.next_value::<IgnoredAny>()?;
                                    None
                                }
                            };
                            union = match (union, found) {
                                (union, None) => union,
                                ($name::Unset, Some(found)) => found,
                                (_, Some(_)) => $name::Several,
                            };
                        }
                        Ok(union)
                    }
                }
                from.deserialize_any(Reader)
            }
        }
    )*};
}

unions! {
    /// A content block of a message, of the system prompt or of a tool result: which members each
    /// of these knows is checked with the limits.
    ContentBlock {
        Text(String) = "text",
        Image(Box<Media>) = "image",
        Document(Box<Media>) = "document",
        Video(Box<Media>) = "video",
        Audio(Box<Media>) = "audio",
        ToolUse(Box<ToolUse>) = "toolUse",
        ToolResult(Box<ToolResult>) = "toolResult",
        GuardContent(Box<GuardContent>) = "guardContent",
        CachePoint(CachePointBlock) = "cachePoint",
        ReasoningContent(Box<ReasoningContent>) = "reasoningContent",
        CitationsContent(CitationsContent) = "citationsContent",
        SearchResult(Box<SearchResult>) = "searchResult",
        ToolAddition(ToolChange) = "toolAddition",
        ToolRemoval(ToolChange) = "toolRemoval",
        Json(Value) = "json",
    }

    /// Where an image, a document, a video or a sound comes from.
    Source {
        Bytes(Blob) = "bytes",
        S3Location(S3Location) = "s3Location",
        Text(String) = "text",
        Content(Vec<TextBlock>) = "content",
    }

    GuardContent {
        Text(GuardText) = "text",
        Image(Box<Media>) = "image",
    }

    ReasoningContent {
        ReasoningText(ReasoningText) = "reasoningText",
        RedactedContent(Blob) = "redactedContent",
    }

    ToolEntry {
        ToolSpec(Box<ToolSpec>) = "toolSpec",
        SystemTool(Named) = "systemTool",
        CachePoint(CachePointBlock) = "cachePoint",
    }

    InputSchema {
        Json(Value) = "json",
    }

    ToolChoice {
        Auto(Empty) = "auto",
        Any(Empty) = "any",
        Tool(Named) = "tool",
    }

    Structure {
        JsonSchema(JsonSchema) = "jsonSchema",
    }
}

/// A structure with a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) name: Option<String>,
}

/// A structure without members.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Empty {}

/// A structure with a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TextBlock {
    pub(super) text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CachePointBlock {
    pub(super) r#type: Option<String>,
    pub(super) ttl: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Media {
    pub(super) name: Option<String>,
    pub(super) format: Option<String>,
    pub(super) source: Option<Source>,
    pub(super) context: Option<String>,
    pub(super) citations: Option<Citations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct S3Location {
    pub(super) uri: Option<String>,
    pub(super) bucket_owner: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Citations {
    pub(super) enabled: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolUse {
    #[serde(rename = "toolUseId")]
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) input: Option<Value>,
    pub(super) r#type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolResult {
    #[serde(rename = "toolUseId")]
    pub(super) id: Option<String>,
    pub(super) content: Option<Vec<ContentBlock>>,
    pub(super) status: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GuardText {
    pub(super) text: Option<String>,
    pub(super) qualifiers: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReasoningText {
    pub(super) text: Option<String>,
    pub(super) signature: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CitationsContent {
    pub(super) content: Option<Vec<TextBlock>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SearchResult {
    pub(super) source: Option<String>,
    pub(super) title: Option<String>,
    pub(super) content: Option<Vec<TextBlock>>,
    pub(super) citations: Option<Citations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolChange {
    pub(super) tool: Option<ToolReference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolReference {
    pub(super) r#type: Option<String>,
    pub(super) name: Option<String>,
    pub(super) server_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InferenceConfig {
    pub(super) max_tokens: Option<i64>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) stop_sequences: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolConfig {
    pub(super) tools: Option<Vec<ToolEntry>>,
    pub(super) tool_choice: Option<ToolChoice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolSpec {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) input_schema: Option<InputSchema>,
    pub(super) strict: Option<bool>,
}

/// `guardrailConfig`: which guardrail looks at the conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GuardrailConfig {
    pub(crate) guardrail_identifier: Option<String>,
    pub(crate) guardrail_version: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) stream_processing_mode: Option<String>,
}

/// `performanceConfig`, echoed in the answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PerformanceConfig {
    pub(crate) latency: Option<String>,
}

/// `serviceTier`, echoed in the answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ServiceTier {
    pub(crate) r#type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OutputConfig {
    pub(super) text_format: Option<TextFormat>,
    pub(super) effort: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TextFormat {
    pub(super) r#type: Option<String>,
    pub(super) structure: Option<Structure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JsonSchema {
    pub(super) schema: Option<String>,
}

/// Bytes, base64 on the wire.
#[derive(Debug)]
pub(super) struct Blob(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
                let bytes = STANDARD.decode(text);
                bytes.map(Blob).map_err(|_| E::custom(INVALID_BASE64))
            }
        }
        from.deserialize_str(Reader)
    }
}
