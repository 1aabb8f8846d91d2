//! What was answered, decoded from the bytes that went out.

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::{HeaderValue, Message};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;

use super::FrameEntry;
use crate::{
    route::form_values,
    wire::{Body, Due, End, Request},
};

/// The request's body, if it is JSON; of a query service's form an object of its parameters.
pub(super) fn request_json(request: &Request) -> Option<Value> {
    body_json(&request.body).or_else(|| form(request))
}

/// The parameters of a form, each by its whole name (`Tags.member.1.Key`).
fn form(request: &Request) -> Option<Value> {
    let kind = request.header("content-type")?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let text = std::str::from_utf8(&request.body).ok()?;
    let parameters = form_values(text).map(|(name, value)| Some((name?, value?.into())));
    Some(Value::Object(parameters.collect::<Option<_>>()?))
}

/// Those bytes, if they are JSON.
pub(crate) fn body_json(bytes: &Bytes) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// A whole body, if it is JSON.
pub(crate) fn whole_json(body: &Body) -> Option<Value> {
    match body {
        Body::Whole { bytes, .. } => body_json(bytes),
        Body::Frames { .. } | Body::Disconnect { .. } => None,
    }
}

/// Length of a body on the wire.
pub(super) fn length(body: &Body) -> usize {
    match body {
        Body::Whole { bytes, .. } => bytes.len(),
        Body::Frames { frames, .. } => frames.iter().map(|frame| frame.bytes.len()).sum(),
        Body::Disconnect { .. } => 0,
    }
}

/// Whether the connection goes before the body is whole.
pub(super) fn is_cut(body: &Body) -> bool {
    match body {
        Body::Whole { .. } => false,
        Body::Frames { end, .. } => *end != End::Clean,
        Body::Disconnect { .. } => true,
    }
}

/// The messages of a stream.
pub(crate) fn frames(body: &Body) -> Vec<FrameEntry> {
    let Body::Frames { frames, .. } = body else {
        return Vec::new();
    };
    let entries = frames.iter().map(|frame| {
        let (offset, gates) = match &frame.due {
            Due::After(time) => (Some(time), &[][..]),
            Due::Gates(gates, time) => (Some(time), gates.as_slice()),
            Due::Never => (None, &[][..]),
        };
        let (event, payload) = message(&frame.bytes);
        FrameEntry {
            offset_ms: offset.and_then(|time| u64::try_from(time.as_millis()).ok()),
            gates: gates.iter().map(|gate| gate.name.clone()).collect(),
            bytes: frame.bytes.len(),
            event,
            payload,
        }
    });
    entries.collect()
}

/// Kind and payload of one event-stream message, or of one server-sent event. What a script put in
/// its place has neither.
pub fn message(bytes: &Bytes) -> (String, Value) {
    if let Some(event) = server_sent(bytes) {
        return event;
    }
    let Ok(message) = read_message_from(bytes.clone()) else {
        return (String::new(), Value::Null);
    };
    let kind = kind(&message);
    let payload: Value = serde_json::from_slice(message.payload()).unwrap_or_default();
    let inner = payload.get("bytes").and_then(Value::as_str);
    let inner = inner.filter(|_| kind == "chunk");
    let decoded = inner
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|json| serde_json::from_slice(&json).ok());
    (kind, decoded.unwrap_or(payload))
}

fn server_sent(bytes: &Bytes) -> Option<(String, Value)> {
    let text = std::str::from_utf8(bytes).ok()?.strip_prefix("event: ")?;
    let (kind, data) = text.split_once("\ndata: ")?;
    let payload = serde_json::from_str(data.trim_end()).unwrap_or_default();
    Some((kind.to_owned(), payload))
}

fn kind(message: &Message) -> String {
    let mut headers = message.headers().iter();
    let found = headers.find_map(|header| match (header.name().as_str(), header.value()) {
        (":event-type" | ":exception-type", HeaderValue::String(text)) => {
            Some(text.as_str().to_owned())
        }
        _ => None,
    });
    found.unwrap_or_default()
}

/// All text blocks of an answer joined, whoever's form it has.
pub(super) fn text(body: &Body) -> String {
    match whole_json(body) {
        Some(answer) => whole_text(&answer),
        None => frames(body)
            .iter()
            .map(|frame| delta_text(&frame.payload))
            .collect(),
    }
}

/// Where the families keep their text: Converse and Nova, Claude's Messages, Claude's Text
/// Completions, Titan.
fn whole_text(answer: &Value) -> String {
    let blocks = answer
        .pointer("/output/message/content")
        .or_else(|| answer.get("content"));
    if let Some(blocks) = blocks.and_then(Value::as_array) {
        let texts = blocks
            .iter()
            .filter_map(|block| block.get("text")?.as_str());
        return texts.collect();
    }
    let single = answer
        .get("completion")
        .or_else(|| answer.pointer("/results/0/outputText"));
    single
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The same for one event of a stream.
fn delta_text(event: &Value) -> &str {
    const PLACES: [&str; 4] = [
        "/delta/text",
        "/contentBlockDelta/delta/text",
        "/completion",
        "/outputText",
    ];
    let mut places = PLACES.iter().filter_map(|place| event.pointer(place));
    places.next().and_then(Value::as_str).unwrap_or_default()
}
