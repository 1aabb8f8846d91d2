//! `ConverseStream`: the answer as events, in the order recorded in 63 streams.

use serde_json::{Value, json};

use super::{Encoded, Exchange, Stream, converse};
use crate::{
    answer_plan::{Beat, Ending, Head, Part},
    frames::event,
};

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let mut stream = Stream::new(&exchange);
    let start = event(
        "messageStart",
        json!({ "role": "assistant" }),
        &mut exchange.rng,
    );
    stream.send(start);
    let mut index = 0;
    for beat in &exchange.answer.beats {
        let frame = match beat {
            Beat::Open(head) => start_of(head, index, &mut exchange),
            Beat::Delta(part) => Some(event(
                "contentBlockDelta",
                json!({ "contentBlockIndex": index, "delta": delta(part) }),
                &mut exchange.rng,
            )),
            Beat::Close => {
                let payload = json!({ "contentBlockIndex": index });
                index += 1;
                Some(event("contentBlockStop", payload, &mut exchange.rng))
            }
            Beat::Gate(_) | Beat::Pause(_) => None,
        };
        if let Some(frame) = frame {
            stream.send(frame);
        }
        stream.pace.pass(beat);
    }
    finish(&mut exchange, &mut stream);
    let (end, exception) = stream.end(&exchange.answer.ending);
    let (latency_ms, first_token_ms) = (stream.pace.elapsed_ms(), stream.pace.first_ms());
    Encoded {
        headers: Vec::new(),
        content_type: "application/vnd.amazon.eventstream",
        body: stream.body(end),
        log_output: converse::response(&mut exchange, latency_ms),
        latency_ms,
        first_token_ms,
        exception,
    }
}

/// Only tool uses have a start event; text and reasoning begin with their first delta (recorded).
fn start_of(head: &Head, index: usize, exchange: &mut Exchange<'_>) -> Option<bytes::Bytes> {
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
        Part::Reasoning(text) => json!({ "reasoningContent": { "text": text } }),
        Part::Signature(signature) => json!({ "reasoningContent": { "signature": signature } }),
        Part::ToolInput(json) => json!({ "toolUse": { "input": json } }),
    }
}

fn finish(exchange: &mut Exchange<'_>, stream: &mut Stream) {
    if exchange.answer.ending != Ending::Complete {
        return;
    }
    let mut stop = json!({ "stopReason": exchange.answer.stop });
    let mut metadata = json!({
        "metrics": { "latencyMs": stream.pace.elapsed_ms() },
        "usage": converse::usage(exchange.model, exchange.answer.usage, true),
    });
    if let Value::Object(map) = &mut stop {
        converse::additional_fields(exchange, map);
    }
    if let Value::Object(map) = &mut metadata {
        converse::echoes(exchange, map);
    }
    let stop = event("messageStop", stop, &mut exchange.rng);
    stream.send(stop);
    let metadata = event("metadata", metadata, &mut exchange.rng);
    stream.send(metadata);
}
