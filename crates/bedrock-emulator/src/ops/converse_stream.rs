//! `ConverseStream`: the answer as events, in the order recorded in 63 streams.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Encoded, Events, Exchange, Stream, Took, converse};
use crate::{
    answer_plan::{Beat, Head, Part},
    frames::{self, event, text_delta},
    json::Object,
};

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let mut stream = Stream::tell(&mut ConverseEvents::default(), &mut exchange);
    let (end, exception) = stream.end(&exchange.answer.ending, frames::exception);
    let Took {
        latency_ms,
        first_token_ms,
    } = stream.took();
    Encoded {
        headers: Vec::new(),
        content_type: "application/vnd.amazon.eventstream",
        body: stream.body(end),
        latency_ms,
        first_token_ms,
        exception,
    }
}

/// Where a stream is: the index of the content block.
#[derive(Debug, Default)]
pub(super) struct ConverseEvents {
    index: usize,
}

impl Events for ConverseEvents {
    fn start(&mut self, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let payload = json!({ "role": "assistant" });
        out.push(event("messageStart", payload, &mut exchange.rng));
    }

    fn beat(&mut self, beat: &Beat, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let index = self.index;
        match beat {
            Beat::Open(Head::RedactedReasoning(data)) => {
                let delta = json!({ "redactedContent": converse::redacted(data) });
                let delta = json!({ "reasoningContent": delta });
                let payload = json!({ "contentBlockIndex": index, "delta": delta });
                out.push(event("contentBlockDelta", payload, &mut exchange.rng));
            }
            Beat::Open(head) => out.extend(start_of(head, index, exchange)),
            Beat::Delta(Part::Text(text)) => {
                out.push(text_delta(index, text, &mut exchange.rng));
            }
            Beat::Delta(part) => {
                let payload = json!({ "contentBlockIndex": index, "delta": delta(part) });
                out.push(event("contentBlockDelta", payload, &mut exchange.rng));
            }
            Beat::Close => {
                self.index += 1;
                let payload = json!({ "contentBlockIndex": index });
                out.push(event("contentBlockStop", payload, &mut exchange.rng));
            }
            Beat::Gate(_) | Beat::Pause(_) => {}
        }
    }

    fn finish(&mut self, took: Took, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let mut stop = json!({ "stopReason": exchange.answer.stop });
        if let Value::Object(map) = &mut stop {
            converse::additional_fields(exchange, map);
        }
        out.push(event("messageStop", stop, &mut exchange.rng));
        out.push(frames::written("metadata", metadata(took, exchange)));
    }
}

/// The last event; its members are sorted, the padding `p` among them.
fn metadata(took: Took, exchange: &mut Exchange<'_>) -> String {
    let mut echoes = Map::new();
    converse::echoes(exchange, &mut echoes);
    let mut payload = String::with_capacity(320);
    let mut metadata = Object::begin(&mut payload);
    converse::write_metrics(took.latency_ms, metadata.member("metrics"));
    metadata.string("p", exchange.rng.padding());
    // By the alphabet all of them come here.
    for (name, value) in echoes {
        metadata
            .member(&name)
            .push_str(&crate::json::sorted(&value));
    }
    let usage = exchange.answer.usage;
    converse::write_usage(exchange.model, usage, true, metadata.member("usage"));
    metadata.end();
    payload
}

/// Only tool uses have a start event; text and reasoning begin with their first delta (recorded).
fn start_of(head: &Head, index: usize, exchange: &mut Exchange<'_>) -> Option<Bytes> {
    let Head::ToolUse { name, .. } = head else {
        return None;
    };
    let id = exchange.rng.tool_use_id();
    let payload = json!({
        "contentBlockIndex": index,
        "start": { "toolUse": { "name": name, "toolUseId": id } },
    });
    Some(event("contentBlockStart", payload, &mut exchange.rng))
}

fn delta(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "text": text }),
        Part::Citation(citation) => json!({ "citation": converse::citation(citation) }),
        Part::Reasoning(text) => json!({ "reasoningContent": { "text": text } }),
        Part::Signature(signature) => json!({ "reasoningContent": { "signature": signature } }),
        Part::ToolInput(json) => json!({ "toolUse": { "input": json } }),
    }
}
