//! HTTP Archive 1.2, as browsers' developer tools and proxies read it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Record, answer, secrets};
use crate::wire::{Body, Due};

/// Those requests as one archive.
pub(crate) fn har(records: &[Arc<Record>]) -> Value {
    let entries: Vec<Value> = records.iter().map(|record| entry(record)).collect();
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "Bedrock Workshop", "version": env!("CARGO_PKG_VERSION") },
        "entries": entries,
    } })
}

fn entry(record: &Record) -> Value {
    let (wait, receive) = timings(&record.body);
    json!({
        "startedDateTime": record.arrived_at().format(&Rfc3339).unwrap_or_default(),
        "time": wait + receive,
        "request": request(record),
        "response": response(record),
        "cache": {},
        "timings": { "send": 0, "wait": wait, "receive": receive },
        "connection": record.request.connection.to_string(),
        "comment": record.operation.unwrap_or_default(),
    })
}

fn request(record: &Record) -> Value {
    let request = &record.request;
    let target = secrets::redacted_target(&request.target);
    let host = request.header("host").unwrap_or("127.0.0.1");
    let headers = request.headers.iter().map(secrets::redacted);
    let headers: Vec<Value> = headers.map(|(name, value)| pair(&name, &value)).collect();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('&').filter(|pair| !pair.is_empty());
    let query = query.map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let decoded = |text: &str| crate::route::decode(text).unwrap_or_else(|| text.to_owned());
        pair(&decoded(name), &decoded(value))
    });
    let mut out = json!({
        "method": request.method,
        "url": format!("http://{host}{target}"),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "queryString": query.collect::<Vec<_>>(),
        "headersSize": -1,
        "bodySize": request.body.len(),
    });
    if !request.body.is_empty() {
        // HAR 1.2 knows no encoding of posted data; what is not text is shown in base64.
        let shown = record.shown_bytes(&request.body);
        let text = String::from_utf8(shown.to_vec());
        let mut data = json!({
            "mimeType": request.header("content-type").unwrap_or("application/json"),
            "params": [],
        });
        if let Ok(text) = text {
            data["text"] = text.into();
        } else {
            data["text"] = STANDARD.encode(&shown).into();
            data["comment"] = "base64".into();
        }
        out["postData"] = data;
    }
    out
}

fn response(record: &Record) -> Value {
    let mut headers = Vec::new();
    if !record.content_type.is_empty() {
        headers.push(pair("Content-Type", &record.content_type));
        headers.push(pair("x-amzn-RequestId", &record.request_id));
    }
    headers.extend(record.headers.iter().map(|(name, value)| pair(name, value)));
    let mut out = json!({
        "status": record.status,
        "statusText": reason(record.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "content": content(record),
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": answer::length(&record.body),
    });
    if record.status == 0 {
        out["comment"] = record.message.clone().into();
    }
    out
}

fn content(record: &Record) -> Value {
    let bytes = record.body.bytes();
    let mut content = json!({ "size": bytes.len(), "mimeType": record.content_type });
    // XML answers are those of STS: they hold secret keys.
    if bytes.is_empty() || record.content_type.contains("xml") {
        return content;
    }
    let shown = record.shown_bytes(&bytes);
    if let Ok(text) = std::str::from_utf8(&shown) {
        content["text"] = text.into();
    } else {
        content["text"] = STANDARD.encode(&shown).into();
        content["encoding"] = "base64".into();
    }
    content
}

fn pair(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

/// Milliseconds until the first byte, and from there to the last.
fn timings(body: &Body) -> (u64, u64) {
    let ms = |due: &Due| match due {
        Due::After(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        Due::Gates(..) | Due::Never => 0,
    };
    match body {
        Body::Whole { due, .. } | Body::Disconnect { due } => (ms(due), 0),
        Body::Frames { frames, .. } => {
            let first = frames.first().map_or(0, |frame| ms(&frame.due));
            let last = frames.iter().map(|frame| ms(&frame.due)).max();
            (first, last.unwrap_or_default().saturating_sub(first))
        }
    }
}

/// The words after the status code.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        424 => "Failed Dependency",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
