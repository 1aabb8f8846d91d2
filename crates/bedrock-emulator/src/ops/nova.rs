//! `InvokeModel` for Amazon Nova: a body like Converse's with names of its own.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Encoded, Events, Exchange, Took,
    invoke_model::{headers, to_json},
    invoke_model_with_response_stream::send,
    whole_body, whole_due,
};
use crate::{
    answer_plan::{Beat, Content, Head, Part},
    catalogue::Model,
    conversation::Conversation,
    converse_request::ConverseRequest,
    error::ApiError,
    malformed::Malformed,
};

/// Reads and checks a body.
pub(super) fn conversation(body: &Value, model: &Model) -> Result<Conversation, ApiError> {
    const MEMBERS: [&str; 5] = [
        "schemaVersion",
        "messages",
        "system",
        "inferenceConfig",
        "toolConfig",
    ];
    let mut wrong = Malformed::default();
    let map = wrong.object("#", body, &["messages"], &MEMBERS);
    let mut converse = Map::new();
    if let Some(map) = map {
        for key in ["messages", "system", "toolConfig"] {
            if let Some(value) = map.get(key) {
                converse.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(value) = map.get("schemaVersion") {
            wrong.word("#/schemaVersion", value, &["messages-v1"]);
        }
        if let Some(config) = map.get("inferenceConfig") {
            let config = inference_config(config, model, &mut wrong);
            converse.insert("inferenceConfig".to_owned(), config);
        }
    }
    wrong.into_result()?;
    let converse = Value::Object(converse).to_string();
    ConverseRequest::parse(converse.as_bytes())?.conversation(model)
}

/// Its members under Converse's names; `topK` has none there.
fn inference_config(config: &Value, model: &Model, wrong: &mut Malformed) -> Value {
    const AT: &str = "#/inferenceConfig";
    const MEMBERS: [&str; 8] = [
        "maxTokens",
        "max_new_tokens",
        "temperature",
        "topP",
        "top_p",
        "topK",
        "top_k",
        "stopSequences",
    ];
    let mut converse = Map::new();
    let Some(map) = wrong.object(AT, config, &[], &MEMBERS) else {
        return Value::Null;
    };
    for (key, value) in map {
        let at = format!("{AT}/{key}");
        let name = match key.as_str() {
            "maxTokens" | "max_new_tokens" => {
                // Here the bound is inclusive: the schema's.
                wrong.integer(&at, value, 1, model.max_output);
                "maxTokens"
            }
            "temperature" => {
                wrong.number(&at, value, 0, 1);
                "temperature"
            }
            "topP" | "top_p" => {
                wrong.number(&at, value, 0, 1);
                "topP"
            }
            "topK" | "top_k" => {
                wrong.integer(&at, value, 0, 128);
                continue;
            }
            "stopSequences" => {
                wrong.list(&at, value, 0, 4);
                "stopSequences"
            }
            _ => continue,
        };
        converse.insert(name.to_owned(), value.clone());
    }
    Value::Object(converse)
}

/// The answer; the order of fields is the order on the wire (recorded).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    output: Output,
    stop_reason: String,
    usage: NovaUsage,
}

#[derive(Debug, Serialize)]
struct Output {
    message: Message,
}

#[derive(Debug, Serialize)]
struct Message {
    content: Vec<NovaBlock>,
    role: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum NovaBlock {
    Text(String),
    ToolUse(ToolUse),
}

/// Ids are plain UUIDs here, unlike Converse's (recorded).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse {
    name: String,
    #[serde(rename = "toolUseId")]
    id: String,
    input: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NovaUsage {
    input_tokens: u32,
    output_tokens: u32,
    /// Left out by streams (recorded).
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_token_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_token_count: Option<u32>,
}

impl NovaUsage {
    fn new(exchange: &Exchange<'_>, stream: bool) -> Self {
        let usage = exchange.answer.usage;
        let caches = exchange.model.quirks.cache_headers;
        let total = usage.input + usage.output + usage.cache_read + usage.cache_write();
        Self {
            input_tokens: usage.input,
            output_tokens: usage.output,
            total_tokens: (!stream).then_some(total),
            cache_read_input_token_count: caches.then_some(usage.cache_read),
            cache_write_input_token_count: caches.then(|| usage.cache_write()),
        }
    }
}

/// `amazon-bedrock-invocationMetrics`, in the last chunk of a stream.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    input_token_count: u32,
    output_token_count: u32,
    invocation_latency: u64,
    first_byte_latency: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_token_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_token_count: Option<u32>,
}

impl Metrics {
    pub(super) fn new(exchange: &Exchange<'_>, took: Took) -> Self {
        let usage = exchange.answer.usage;
        let caches = exchange.model.quirks.cache_headers;
        Self {
            input_token_count: usage.input,
            output_token_count: usage.output,
            invocation_latency: took.latency_ms,
            first_byte_latency: took.first_token_ms,
            cache_read_input_token_count: caches.then_some(usage.cache_read),
            cache_write_input_token_count: caches.then(|| usage.cache_write()),
        }
    }
}

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(&exchange);
    let latency_ms = pace.elapsed_ms();
    let contents = exchange.answer.contents().into_iter();
    let content = contents.filter_map(|content| match content {
        Content::Text(text) => Some(NovaBlock::Text(text)),
        Content::ToolUse { name, input, .. } => Some(NovaBlock::ToolUse(ToolUse {
            name,
            id: exchange.rng.uuid(),
            input,
        })),
        _ => None,
    });
    let content = content.collect();
    let body = to_json(&Answer {
        output: Output {
            message: Message {
                content,
                role: "assistant",
            },
        },
        stop_reason: exchange.answer.stop.clone(),
        usage: NovaUsage::new(&exchange, false),
    });
    Encoded {
        headers: headers(&exchange, latency_ms),
        content_type: "application/json",
        body: whole_body(&exchange.answer.ending, due, body),
        latency_ms,
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

/// Nova's own events. Each delta of text is a block of its own, and a tool's input comes as a whole
/// and takes two numbers (recorded).
#[derive(Debug, Default)]
pub(super) struct NovaEvents {
    index: usize,
    /// The input of the open tool use, so far.
    tool_input: Option<String>,
}

impl NovaEvents {
    fn stop(&mut self, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let stop = json!({ "contentBlockStop": { "contentBlockIndex": self.index } });
        send(&stop, exchange, out);
    }

    fn delta(&mut self, delta: &impl Serialize, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let index = self.index;
        let event = Event {
            content_block_delta: Delta {
                delta,
                content_block_index: index,
            },
        };
        send(&event, exchange, out);
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<D> {
    content_block_delta: Delta<D>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delta<D> {
    delta: D,
    content_block_index: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    content_block_start: StartOf,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StartOf {
    start: StartedTool,
    content_block_index: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StartedTool {
    tool_use: ToolName,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolName {
    tool_use_id: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct End {
    metadata: Metadata,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Metrics,
}

#[derive(Debug, Serialize)]
struct Metadata {
    usage: NovaUsage,
    metrics: Map<String, Value>,
    trace: Map<String, Value>,
}

impl Events for NovaEvents {
    fn start(&mut self, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let start = json!({ "messageStart": { "role": "assistant" } });
        send(&start, exchange, out);
    }

    fn beat(&mut self, beat: &Beat, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        match beat {
            Beat::Open(Head::ToolUse { name, .. }) => {
                self.tool_input = Some(String::new());
                let start = Start {
                    content_block_start: StartOf {
                        start: StartedTool {
                            tool_use: ToolName {
                                tool_use_id: exchange.rng.uuid(),
                                name: name.clone(),
                            },
                        },
                        content_block_index: self.index,
                    },
                };
                send(&start, exchange, out);
            }
            Beat::Delta(Part::ToolInput(text)) => {
                if let Some(input) = &mut self.tool_input {
                    input.push_str(text);
                }
            }
            Beat::Delta(Part::Text(text)) => {
                self.delta(&json!({ "text": text }), exchange, out);
                self.stop(exchange, out);
                self.index += 1;
            }
            Beat::Close => {
                if let Some(input) = self.tool_input.take() {
                    self.delta(&json!({ "toolUse": { "input": input } }), exchange, out);
                    self.stop(exchange, out);
                    self.index += 2;
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, took: Took, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let stop = json!({ "messageStop": { "stopReason": exchange.answer.stop } });
        send(&stop, exchange, out);
        let end = End {
            metadata: Metadata {
                usage: NovaUsage::new(exchange, true),
                metrics: Map::new(),
                trace: Map::new(),
            },
            metrics: Metrics::new(exchange, took),
        };
        send(&end, exchange, out);
    }
}

/// Makes each tool's input one delta: Nova does not stream it, on Converse either (recorded, 12 of
/// 12).
pub(crate) fn whole_tool_inputs(beats: &mut Vec<Beat>) {
    let mut whole: Vec<Beat> = Vec::with_capacity(beats.len());
    for beat in beats.drain(..) {
        match (beat, whole.last_mut()) {
            (Beat::Delta(Part::ToolInput(more)), Some(Beat::Delta(Part::ToolInput(input)))) => {
                input.push_str(&more);
            }
            (beat, _) => whole.push(beat),
        }
    }
    *beats = whole;
}
