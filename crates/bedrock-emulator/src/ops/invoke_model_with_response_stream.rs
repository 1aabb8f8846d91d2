//! `InvokeModelWithResponseStream` for Claude: Anthropic's own events, each in the base64 of one
//! chunk; the last one carries `amazon-bedrock-invocationMetrics` (recorded, 17 of 17).

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{
    Encoded, Events, Exchange, Input, Stream, Took,
    invoke_model::{
        CitedLocation, Completion, MessageBlock, completion_stop, message_id, to_json, write_usage,
    },
    nova::NovaEvents,
    titan_text::TitanEvents,
};
use crate::{
    answer_plan::{Beat, Head, Part},
    catalogue::Family,
    frames::{self, chunk},
    guardrail::{Guarding, Members},
    journal::Usage,
    json::Object,
    mantle,
    wire::header,
};

/// One of Anthropic's stream events; fields in the order of the wire.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    ContentBlockStart {
        index: usize,
        content_block: MessageBlock,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: StopDelta,
        usage: OutputUsage,
    },
    MessageStop {
        /// Bedrock's addition; Anthropic's own path knows none.
        #[serde(
            rename = "amazon-bedrock-invocationMetrics",
            skip_serializing_if = "Option::is_none"
        )]
        metrics: Option<Metrics>,
        #[serde(flatten)]
        guard: Option<Members>,
    },
}

impl Event {
    /// Its `type`, which a server-sent event repeats as its name.
    const fn name(&self) -> &'static str {
        match self {
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop { .. } => "message_stop",
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "citations_delta")]
    Citation { citation: CitedLocation },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
}

#[derive(Debug, Serialize)]
struct StopDelta {
    stop_reason: String,
    stop_sequence: Option<String>,
}

#[derive(Debug, Serialize)]
struct OutputUsage {
    output_tokens: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    input_token_count: u32,
    output_token_count: u32,
    invocation_latency: u64,
    first_byte_latency: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_token_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_token_count: Option<u32>,
}

/// The last chunk of a Text Completions stream.
#[derive(Debug, Serialize)]
struct CompletionEnd {
    #[serde(flatten)]
    completion: Completion,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Metrics,
    #[serde(flatten)]
    guard: Option<Members>,
}

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let mut stream;
    if exchange.model.family == Family::Nova {
        let mut events = NovaEvents::default();
        stream = Stream::tell(&mut events, &mut exchange);
    } else if exchange.model.family == Family::TitanText {
        let mut events = TitanEvents::default();
        stream = Stream::tell(&mut events, &mut exchange);
    } else if matches!(exchange.input, Input::Invoke(r) if r.is_completion()) {
        let mut events = CompletionEvents::default();
        stream = Stream::tell(&mut events, &mut exchange);
    } else {
        let mut events = MessageEvents::default();
        stream = Stream::tell(&mut events, &mut exchange);
    }
    let (end, exception) = stream.end(&exchange.answer.ending, frames::exception);
    let Took {
        latency_ms,
        first_token_ms,
    } = stream.took();
    Encoded {
        headers: vec![header("X-Amzn-Bedrock-Content-Type", "application/json")],
        content_type: "application/vnd.amazon.eventstream",
        body: stream.body(end),
        latency_ms,
        first_token_ms,
        exception,
    }
}

/// One event as one chunk.
pub(super) fn send(event: &impl Serialize, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
    out.push(chunk(&to_json(event), &mut exchange.rng));
}

/// Claude's Messages.
#[derive(Debug, Default)]
pub(super) struct MessageEvents {
    index: usize,
    server_sent: bool,
}

impl MessageEvents {
    /// For Anthropic's own path.
    pub(super) fn server_sent() -> Self {
        Self {
            server_sent: true,
            ..Self::default()
        }
    }

    fn send(&self, event: &Event, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        self.send_json(event.name(), &to_json(event), exchange, out);
    }

    fn send_json(&self, name: &str, json: &str, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        out.push(if self.server_sent {
            mantle::event(name, json)
        } else {
            chunk(json, &mut exchange.rng)
        });
    }
}

impl Events for MessageEvents {
    fn start(&mut self, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let start = message_start(exchange);
        self.send_json("message_start", &start, exchange, out);
    }

    fn beat(&mut self, beat: &Beat, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let index = self.index;
        let event = match beat {
            Beat::Open(head) => Event::ContentBlockStart {
                index,
                content_block: empty_block(head, exchange),
            },
            Beat::Delta(part) => Event::ContentBlockDelta {
                index,
                delta: delta(part),
            },
            Beat::Close => {
                self.index += 1;
                Event::ContentBlockStop { index }
            }
            Beat::Gate(_) | Beat::Pause(_) => return,
        };
        self.send(&event, exchange, out);
        if self.server_sent && index == 0 && matches!(beat, Beat::Open(_)) {
            out.push(mantle::ping());
        }
    }

    fn finish(&mut self, took: Took, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let answer = exchange.answer;
        let stop = Event::MessageDelta {
            delta: StopDelta {
                stop_reason: answer.stop.clone(),
                stop_sequence: answer.stop_sequence.clone(),
            },
            usage: OutputUsage {
                output_tokens: answer.usage.output,
            },
        };
        self.send(&stop, exchange, out);
        let metrics = (!self.server_sent).then(|| metrics(exchange, took));
        let guard = exchange.guard.map(Guarding::members);
        self.send(&Event::MessageStop { metrics, guard }, exchange, out);
    }
}

/// The first event already counts one output token (recorded: 1 to 4).
fn message_start(exchange: &mut Exchange<'_>) -> String {
    let usage = Usage {
        output: 1,
        ..exchange.answer.usage
    };
    let mut body = String::with_capacity(512);
    let mut event = Object::begin(&mut body);
    event.string("type", "message_start");
    let mut message = Object::begin(event.member("message"));
    message.string("id", &message_id(exchange));
    message.string("type", "message");
    message.string("role", "assistant");
    message.string("model", &exchange.model.provider_id);
    message.member("content").push_str("[]");
    message.string_or_null("stop_reason", None);
    message.string_or_null("stop_sequence", None);
    write_usage(exchange.model, usage, 0, message.member("usage"));
    message.end();
    event.end();
    body
}

fn empty_block(head: &Head, exchange: &mut Exchange<'_>) -> MessageBlock {
    match head {
        Head::Text => MessageBlock::Text {
            text: String::new(),
            citations: None,
        },
        Head::CitedText => MessageBlock::Text {
            text: String::new(),
            citations: Some(Vec::new()),
        },
        // The whole block is in its start.
        Head::RedactedReasoning(data) => MessageBlock::RedactedThinking { data: data.clone() },
        Head::Reasoning => MessageBlock::Thinking {
            thinking: String::new(),
            signature: String::new(),
        },
        Head::ToolUse { name, .. } => MessageBlock::ToolUse {
            id: exchange.rng.toolu_id(),
            name: name.clone(),
            input: Value::Object(serde_json::Map::new()),
        },
    }
}

fn delta(part: &Part) -> Delta {
    match part.clone() {
        Part::Text(text) => Delta::Text { text },
        Part::Citation(citation) => Delta::Citation {
            citation: citation.into(),
        },
        Part::Reasoning(thinking) => Delta::Thinking { thinking },
        Part::Signature(signature) => Delta::Signature { signature },
        Part::ToolInput(partial_json) => Delta::Input { partial_json },
    }
}

/// Claude 2's stream: the text in pieces, then an empty one with the stop.
#[derive(Debug, Default)]
pub(super) struct CompletionEvents {
    begun: bool,
}

impl Events for CompletionEvents {
    fn start(&mut self, _: &mut Exchange<'_>, _: &mut Vec<Bytes>) {}

    fn beat(&mut self, beat: &Beat, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        if let Beat::Delta(Part::Text(text)) = beat {
            // The text begins with a space.
            let lead = if self.begun { "" } else { " " };
            self.begun = true;
            let piece = Completion {
                r#type: "completion",
                text: format!("{lead}{text}"),
                stop_reason: None,
                stop: None,
            };
            send(&piece, exchange, out);
        }
    }

    fn finish(&mut self, took: Took, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let (stop_reason, stop) = completion_stop(exchange);
        let end = CompletionEnd {
            completion: Completion {
                r#type: "completion",
                text: String::new(),
                stop_reason: Some(stop_reason),
                stop,
            },
            metrics: metrics(exchange, took),
            guard: exchange.guard.map(Guarding::members),
        };
        send(&end, exchange, out);
    }
}

fn metrics(exchange: &Exchange<'_>, took: Took) -> Metrics {
    let usage = exchange.answer.usage;
    let cache = exchange.model.quirks.cache_headers;
    Metrics {
        input_token_count: usage.input,
        output_token_count: usage.output,
        invocation_latency: took.latency_ms,
        first_byte_latency: took.first_token_ms,
        cache_read_input_token_count: cache.then_some(usage.cache_read),
        cache_write_input_token_count: cache.then_some(usage.cache_write()),
    }
}
