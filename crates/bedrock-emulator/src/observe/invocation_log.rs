//! Records of model invocation logging (`schemaType: ModelInvocationLog`), in the shape of a real one.

use serde::Serialize;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use super::Door;
use crate::{
    journal::{self, Record},
    wire::{Body, Request},
};

/// One record of model invocation logging.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogRecord {
    /// The request it is about.
    pub request_id: String,
    /// The record as `CloudWatch` Logs would hold it.
    pub record: Value,
}

/// The record about that request; none when it never got as far as a model.
pub(crate) fn log_record(record: &Record) -> Option<LogRecord> {
    let door = record.door.as_deref()?;
    let at = record.arrived_at();
    let body = journal::body_json(&record.request.body);
    let mut out = json!({
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default(),
        "accountId": &*record.account,
        "identity": { "arn": record.principal.as_ref().map(|p| p.arn.as_str()) },
        "region": record.region,
        "requestId": record.request_id,
        "operation": record.operation,
        "modelId": door.logged_id,
    });
    let metadata = request_metadata(&record.request, body.as_ref());
    let latency = performance(&record.request, body.as_ref());
    out["input"] = input(record, door, body);
    if let Some(answer) = output(record) {
        out["output"] = answer;
    }
    if door.profile {
        // The emulator answers where it was asked: a profile's other regions are not simulated.
        out["inferenceRegion"] = record.region.as_str().into();
    }
    if let Some(code) = record.error {
        out["errorCode"] = code.name().into();
        out["status"] = code.status().to_string().into();
    }
    if let Some(latency) = latency {
        out["performanceConfig"] = json!({ "latency": latency });
    }
    if let Some(metadata) = metadata {
        out["requestMetadata"] = metadata;
    }
    Some(LogRecord {
        request_id: record.request_id.clone(),
        record: out,
    })
}

fn input(record: &Record, door: &Door, body: Option<Value>) -> Value {
    let mut input = json!({ "inputContentType": "application/json" });
    if record.bodies {
        input["inputBodyJson"] = body.into();
    }
    if let Some(measured) = &record.measured {
        let usage = measured.usage;
        input["inputTokenCount"] = usage.input.into();
        if door.caches {
            input["cacheReadInputTokenCount"] = usage.cache_read.into();
            input["cacheWriteInputTokenCount"] = usage.cache_write().into();
        }
    }
    input
}

/// The answer: of a streamed Converse what Converse would have answered, of a streamed invocation the
/// array of its chunks.
fn output(record: &Record) -> Option<Value> {
    let measured = record.measured.as_ref()?;
    if !record.bodies {
        return Some(json!({
            "outputContentType": "application/json",
            "outputTokenCount": measured.usage.output,
        }));
    }
    let body = match (&record.body, record.operation) {
        (Body::Frames { .. }, Some("ConverseStream")) => joined(&journal::frames(&record.body)),
        (Body::Frames { .. }, _) => {
            let chunks = journal::frames(&record.body).into_iter();
            let chunks = chunks.filter(|frame| frame.event == "chunk");
            Value::Array(chunks.map(|frame| frame.payload).collect())
        }
        (body, _) => journal::whole_json(body)?,
    };
    Some(json!({
        "outputContentType": "application/json",
        "outputBodyJson": body,
        "outputTokenCount": measured.usage.output,
    }))
}

/// The events of a Converse stream as one answer.
fn joined(frames: &[journal::FrameEntry]) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    let mut out = Map::new();
    for frame in frames {
        let payload = &frame.payload;
        let at = payload.get("contentBlockIndex").and_then(Value::as_u64);
        let at = at.and_then(|at| usize::try_from(at).ok());
        match (frame.event.as_str(), at) {
            ("contentBlockStart", Some(at)) => {
                let start = payload.get("start").cloned().unwrap_or_default();
                *block(&mut blocks, at) = start;
            }
            ("contentBlockDelta", Some(at)) => {
                append(
                    block(&mut blocks, at),
                    payload.get("delta").unwrap_or(&Value::Null),
                );
            }
            ("contentBlockStop", Some(at)) => close(block(&mut blocks, at)),
            ("messageStop" | "metadata", _) => {
                let members = payload.as_object().into_iter().flatten();
                let members = members.filter(|(name, _)| *name != "p");
                out.extend(members.map(|(name, value)| (name.clone(), value.clone())));
            }
            _ => {}
        }
    }
    let message = json!({ "role": "assistant", "content": blocks });
    out.insert("output".to_owned(), json!({ "message": message }));
    Value::Object(out)
}

/// The block of that index. Indices of a stream count up; a script's raw ones may be anything.
fn block(blocks: &mut Vec<Value>, at: usize) -> &mut Value {
    let at = at.min(blocks.len());
    if at == blocks.len() {
        blocks.push(json!({}));
    }
    &mut blocks[at]
}

fn append(block: &mut Value, delta: &Value) {
    for (name, more) in delta.as_object().into_iter().flatten() {
        match (name.as_str(), more) {
            ("reasoningContent", more) => {
                let thought = &mut block["reasoningContent"]["reasoningText"];
                for (name, more) in more.as_object().into_iter().flatten() {
                    push_text(&mut thought[name.as_str()], more);
                }
            }
            ("toolUse", more) => push_text(&mut block["toolUse"]["input"], &more["input"]),
            ("citation", more) => match &mut block["citationsContent"]["citations"] {
                Value::Array(all) => all.push(more.clone()),
                none => *none = json!([more]),
            },
            (_, more) => push_text(&mut block[name.as_str()], more),
        }
    }
}

fn push_text(into: &mut Value, more: &Value) {
    let more = more.as_str().unwrap_or_default();
    match into {
        Value::String(text) => text.push_str(more),
        other => *other = more.into(),
    }
}

/// A tool's input came as text and is JSON.
fn close(block: &mut Value) {
    let Some(input) = block.pointer_mut("/toolUse/input") else {
        return;
    };
    if let Some(text) = input.as_str() {
        let parsed = serde_json::from_str(if text.is_empty() { "{}" } else { text });
        *input = parsed.unwrap_or_else(|_| json!({}));
    }
}

/// From the Converse body, or from the header that `InvokeModel` takes.
fn request_metadata(request: &Request, body: Option<&Value>) -> Option<Value> {
    let in_body = body.and_then(|b| b.get("requestMetadata"));
    let header = request.header("x-amzn-bedrock-request-metadata");
    let in_header = header.and_then(|h| serde_json::from_str(h).ok());
    in_body.cloned().or(in_header)
}

/// `performanceConfig.latency`, from either place.
fn performance(request: &Request, body: Option<&Value>) -> Option<Value> {
    let in_body = body.and_then(|b| b.pointer("/performanceConfig/latency"));
    let header = request.header("x-amzn-bedrock-performanceconfig-latency");
    in_body.cloned().or_else(|| header.map(Value::from))
}
