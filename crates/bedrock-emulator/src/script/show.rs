//! A rule as its file would say it: what the control API lists.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Fault, Piece, Raw, Rule, Said, Step};
use crate::error::ApiError;

/// As `read` reads it.
pub(super) fn rule(rule: &Rule) -> Value {
    let mut map = Map::new();
    map.extend(rule.name.as_deref().map(|n| ("name".to_owned(), n.into())));
    map.extend(rule.when.shown().map(|when| ("when".to_owned(), when)));
    let mut answers = rule.answers.iter();
    if let Some(first) = answers.next() {
        answer(first, &mut map);
    }
    let then: Vec<Value> = answers
        .map(|said| {
            let mut map = Map::new();
            answer(said, &mut map);
            Value::Object(map)
        })
        .collect();
    if !then.is_empty() {
        map.insert("then".to_owned(), then.into());
    }
    Value::Object(map)
}

fn answer(said: &Said, map: &mut Map<String, Value>) {
    let times = said.times.map_or("always".into(), Value::from);
    map.insert("times".to_owned(), times);
    match &said.step {
        Step::Fault(failure) => fault(failure, map),
        Step::Raw(answer) => drop(map.insert("raw".to_owned(), raw(answer))),
        Step::Say(pieces) => say(pieces, map),
    }
}

fn say(pieces: &[Piece], map: &mut Map<String, Value>) {
    let mut items = Vec::new();
    for piece in pieces {
        items.push(match piece {
            Piece::Text(text) => json!({ "text": text }),
            Piece::NewBlock => json!({ "new_block": true }),
            Piece::Reasoning(text) => json!({ "thinking": text }),
            Piece::ToolUse { name, input } => json!({ "tool": { "name": name, "input": input } }),
            Piece::Gate(name) => json!({ "gate": name }),
            Piece::Pause(time) => json!({ "wait_ms": u64::try_from(time.as_millis()).ok() }),
            Piece::Cut => json!({ "socket": "cut" }),
            Piece::Raw(bytes) => json!({ "raw": text_or_base64(bytes) }),
            Piece::Exception(failure) => {
                let mut item = Map::new();
                fault(failure, &mut item);
                Value::Object(item)
            }
            Piece::Stop(reason) => {
                map.insert("stop_reason".to_owned(), reason.as_str().into());
                continue;
            }
            Piece::Usage { input, output } => {
                let usage = json!({ "input": input, "output": output });
                map.insert("usage".to_owned(), usage);
                continue;
            }
        });
    }
    map.insert("say".to_owned(), items.into());
}

/// The keys of a failure.
pub(crate) fn fault(fault: &Fault, map: &mut Map<String, Value>) {
    let error = match fault {
        Fault::Hang => return drop(map.insert("socket".to_owned(), "hang".into())),
        Fault::Disconnect => return drop(map.insert("socket".to_owned(), "cut".into())),
        fault => fault.error(false),
    };
    let Some(error) = error else { return };
    map.insert("error".to_owned(), error.code().name().into());
    if error.message() != ApiError::usual(error.code()).message() {
        map.insert("message".to_owned(), error.message().into());
    }
    if let Some(ms) = error.retry_after_ms() {
        map.insert("retry_after_ms".to_owned(), ms.into());
    }
}

fn raw(raw: &Raw) -> Value {
    let mut shown = text_or_base64(&raw.body);
    shown["status"] = raw.status.into();
    shown["content_type"] = raw.content_type.as_str().into();
    shown
}

fn text_or_base64(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}
