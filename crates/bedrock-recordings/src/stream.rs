//! Event-stream bodies as lines of JSON, one message each, and back to the same bytes.

use std::time::Duration;

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::wire::{Due, Frame};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::layout::{compact, is_compact_json, members};

/// The shortest message: prelude and two checksums.
const MESSAGE_MIN: usize = 16;

/// Cuts a body into its messages; `None` if it is not a sequence of whole, sound messages.
pub(crate) fn messages(body: &Bytes) -> Option<Vec<Bytes>> {
    let mut rest = body.clone();
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let prelude = rest.get(..4)?.try_into().ok()?;
        let length = usize::try_from(u32::from_be_bytes(prelude)).ok()?;
        if length < MESSAGE_MIN || length > rest.len() {
            return None;
        }
        let message = rest.split_to(length);
        read_message_from(message.clone()).ok()?;
        messages.push(message);
    }
    Some(messages)
}

/// One line of `stream.jsonl`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Milliseconds after the request was sent.
    at_ms: u64,
    /// The `:event-type` of an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// The `:exception-type` of an exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exception: Option<String>,
    /// The padding beside a chunk's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<String>,
    /// A payload that is not JSON as Bedrock writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// A whole message that is unlike Bedrock's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// The payload of an event or exception.
    #[serde(default, skip_serializing)]
    payload: Option<Value>,
    /// The JSON inside the bytes of a chunk.
    #[serde(default, skip_serializing)]
    chunk: Option<Value>,
}

/// The lines of a stream.
pub(crate) fn to_lines(frames: &[Frame]) -> String {
    let mut lines = String::new();
    for frame in frames {
        let at_ms = match frame.due {
            Due::After(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            Due::Gates(..) | Due::Never => 0,
        };
        lines.push_str(&to_line(at_ms, &frame.bytes));
        lines.push('\n');
    }
    lines
}

/// The shortest spelling that gives back the bytes.
fn to_line(at_ms: u64, bytes: &Bytes) -> String {
    let spelled = spellings(at_ms, bytes).into_iter().find(|line| {
        let read = from_line(line);
        read.is_some_and(|frame| frame.bytes == *bytes)
    });
    spelled.unwrap_or_else(|| {
        let whole = Line {
            at_ms,
            base64: Some(STANDARD.encode(bytes)),
            ..Line::default()
        };
        to_json(&whole)
    })
}

fn spellings(at_ms: u64, bytes: &Bytes) -> Vec<String> {
    let Ok(message) = read_message_from(bytes.clone()) else {
        return Vec::new();
    };
    let Some(line) = head(at_ms, &message) else {
        return Vec::new();
    };
    let Ok(payload) = std::str::from_utf8(message.payload()) else {
        return Vec::new();
    };
    let mut spellings = Vec::new();
    if let Some((chunk, p)) = chunk(payload) {
        let padded = Line {
            p,
            event: line.event.clone(),
            ..Line {
                at_ms,
                ..Line::default()
            }
        };
        spellings.push(with_member(&to_json(&padded), "chunk", &chunk));
    }
    if is_compact_json(payload.as_bytes()) {
        spellings.push(with_member(&to_json(&line), "payload", payload));
    }
    let text = Line {
        text: Some(payload.to_owned()),
        ..line
    };
    spellings.push(to_json(&text));
    spellings
}

/// What the headers say, if they are Bedrock's.
fn head(at_ms: u64, message: &Message) -> Option<Line> {
    let header = |name: &str| {
        let found = message.headers().iter().find(|h| h.name().as_str() == name);
        let value = found?.value().as_string().ok()?;
        Some(value.as_str().to_owned())
    };
    Some(match header(":message-type")?.as_str() {
        "event" => Line {
            at_ms,
            event: Some(header(":event-type")?),
            ..Line::default()
        },
        "exception" => Line {
            at_ms,
            exception: Some(header(":exception-type")?),
            ..Line::default()
        },
        _ => return None,
    })
}

/// The JSON in `{"bytes":"…","p":"…"}`, and the padding.
fn chunk(payload: &str) -> Option<(String, Option<String>)> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    let bytes = STANDARD.decode(payload.get("bytes")?.as_str()?).ok()?;
    let padding = payload.get("p").map(|p| p.as_str().map(str::to_owned));
    let json = is_compact_json(&bytes).then(|| String::from_utf8(bytes).ok())??;
    Some((json, padding.flatten()))
}

/// The line with one more member, whose value is written as it is.
fn with_member(line: &str, name: &str, json: &str) -> String {
    let open = line.strip_suffix('}').unwrap_or(line);
    format!("{open},\"{name}\":{json}}}")
}

fn to_json(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

/// The frames of those lines; `Err` with the number of the first line that is none.
pub(crate) fn from_lines(lines: &str) -> Result<Vec<Frame>, usize> {
    let lines = lines.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| from_line(line).ok_or(number + 1))
        .collect()
}

fn from_line(text: &str) -> Option<Frame> {
    let line: Line = serde_json::from_str(text).ok()?;
    let due = Due::After(Duration::from_millis(line.at_ms));
    if let Some(whole) = &line.base64 {
        let bytes = STANDARD.decode(whole).ok()?.into();
        return Some(Frame { due, bytes });
    }
    let raw = |name: &str| {
        let mut members = members(text)?.into_iter();
        members.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let payload = if line.chunk.is_some() {
        let bytes = STANDARD.encode(compact(&raw("chunk")?));
        match &line.p {
            Some(p) => format!(
                "{{\"bytes\":\"{bytes}\",\"p\":{}}}",
                Value::from(p.as_str())
            ),
            None => format!("{{\"bytes\":\"{bytes}\"}}"),
        }
    } else if line.payload.is_some() {
        compact(&raw("payload")?)
    } else {
        line.text?
    };
    let (kind, name, message_type) = match (line.event, line.exception) {
        (Some(name), None) => (":event-type", name, "event"),
        (None, Some(name)) => (":exception-type", name, "exception"),
        _ => return None,
    };
    let headers = [
        (kind, name.as_str()),
        (":content-type", "application/json"),
        (":message-type", message_type),
    ];
    let headers = headers.map(|(name, value)| {
        let value = HeaderValue::String(value.to_owned().into());
        Header::new(name, value)
    });
    let mut bytes = Vec::new();
    let message = Message::new_from_parts(headers.into(), payload);
    write_message_to(&message, &mut bytes).ok()?;
    Some(Frame {
        due,
        bytes: bytes.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &[(&'static str, &str)], payload: &str) -> Bytes {
        let headers = headers.iter().map(|(name, value)| {
            Header::new(*name, HeaderValue::String((*value).to_owned().into()))
        });
        let message = Message::new_from_parts(headers.collect(), payload.to_owned());
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes.into()
    }

    fn event<'v>(kind: &'static str, name: &'v str, of: &'v str) -> [(&'static str, &'v str); 3] {
        [
            (kind, name),
            (":content-type", "application/json"),
            (":message-type", of),
        ]
    }

    #[test]
    fn every_message_gives_back_its_bytes() {
        let chunk = STANDARD.encode(r#"{"type":"message_stop","z":1,"a":2}"#);
        let rows = [
            (
                message(&event(":event-type", "messageStart", "event"), r#"{"p":"ab","role":"assistant"}"#),
                r#"{"at_ms":7,"event":"messageStart","payload":{"p":"ab","role":"assistant"}}"#.to_owned(),
            ),
            (
                message(&event(":event-type", "chunk", "event"), &format!(r#"{{"bytes":"{chunk}","p":"abc"}}"#)),
                r#"{"at_ms":7,"event":"chunk","p":"abc","chunk":{"type":"message_stop","z":1,"a":2}}"#.to_owned(),
            ),
            (
                message(&event(":exception-type", "throttlingException", "exception"), r#"{"message":"x"}"#),
                r#"{"at_ms":7,"exception":"throttlingException","payload":{"message":"x"}}"#.to_owned(),
            ),
            (
                message(&event(":event-type", "messageStart", "event"), "{ }"),
                r#"{"at_ms":7,"event":"messageStart","text":"{ }"}"#.to_owned(),
            ),
            (
                message(&[(":message-type", "error")], ""),
                format!(
                    r#"{{"at_ms":7,"base64":"{}"}}"#,
                    STANDARD.encode(message(&[(":message-type", "error")], ""))
                ),
            ),
        ];
        for (bytes, line) in rows {
            assert_eq!(to_line(7, &bytes), line);
            assert_eq!(from_line(&line).unwrap().bytes, bytes, "{line}");
        }
    }

    #[test]
    fn bodies_are_cut_into_messages_or_left_alone() {
        let one = message(&event(":event-type", "a", "event"), "{}");
        let two = message(&event(":event-type", "b", "event"), "{}");
        let both = Bytes::from([&one[..], &two[..]].concat());
        assert_eq!(messages(&both).unwrap(), [one.clone(), two]);
        let mut spoilt = one.to_vec();
        spoilt[20] ^= 1;
        for broken in [
            &spoilt[..],
            &one[..9],
            &[0; 20],
            b"{\"message\":\"no stream\"}",
        ] {
            assert_eq!(messages(&Bytes::copy_from_slice(broken)), None);
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        assert_eq!(
            from_lines("\n{\"at_ms\":1,\"base64\":\"AA==\"}\n\n{\"at\":1}\n"),
            Err(4)
        );
    }
}
