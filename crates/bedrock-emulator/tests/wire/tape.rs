//! Answers from recordings, and bodies that were never read.

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Body, Due, Emulator, Request,
    emulator::{Auth, Latency},
    tape::{Miss, Recording, Tape},
    wire::{End, Frame},
};
use bytes::Bytes;
use serde_json::json;

use crate::bench::{call, header, now, open, post, profile, text, with};

fn recorded(name: &str, request: &Request, status: u16, body: Body) -> Recording {
    Recording {
        name: name.to_owned(),
        method: request.method.clone(),
        target: request.target.clone(),
        request: request.body.clone(),
        status,
        headers: vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("x-amzn-RequestId".to_owned(), format!("id-of-{name}")),
            ("X-Amzn-Something-New".to_owned(), "1".to_owned()),
        ],
        body,
    }
}

fn whole(text: &str, ms: u64) -> Body {
    Body::Whole {
        due: Due::After(Duration::from_millis(ms)),
        bytes: text.to_owned().into(),
    }
}

fn playing(recordings: Vec<Recording>, miss: Miss, latency: Latency) -> Emulator {
    with(|config| {
        config.tape = Some(Arc::new(Tape::new(recordings, miss)));
        config.latency = latency;
    })
}

const SOME: Latency = Latency::Fixed {
    first_token_ms: 1,
    per_token_ms: 1,
};

#[test]
fn a_recording_answers_with_its_own_bytes_headers_and_times() {
    let request = post("some.model-v1:0", "converse", r#"{"a":1}"#);
    let frames = Body::Frames {
        frames: vec![Frame {
            due: Due::After(Duration::from_millis(30)),
            bytes: Bytes::from_static(b"frame"),
        }],
        end: End::Cut,
    };
    let stream = post("some.model-v1:0", "converse-stream", r#"{"a":1}"#);
    let tape = || {
        vec![
            recorded("one", &request, 429, whole("not even JSON", 20)),
            recorded("two", &stream, 200, frames.clone()),
        ]
    };
    let emulator = playing(tape(), Miss::Refuse, SOME);
    let reply = emulator.handle(&request, now());
    assert_eq!(reply.status, 429);
    assert_eq!(reply.body, whole("not even JSON", 20));
    assert_eq!(header(&reply, "X-Amzn-Something-New"), Some("1"));
    assert_eq!(header(&reply, "x-amzn-RequestId"), Some("id-of-one"));
    assert_eq!(emulator.handle(&stream, now()).body, frames);
    let entry = &emulator.journal()[0];
    assert_eq!(entry.status, 429);
    assert_eq!(entry.request_id, "id-of-one");
    assert_eq!(entry.operation.as_deref(), Some("Converse"));
    assert_eq!(entry.note.as_deref(), Some("recording one"));

    // Without latency the recorded times go as well.
    let emulator = playing(tape(), Miss::Refuse, Latency::none());
    let reply = emulator.handle(&request, now());
    assert_eq!(reply.body, whole("not even JSON", 0));
}

#[test]
fn strict_refuses_what_was_not_recorded_and_fallback_answers_it() {
    let request = post("some.model-v1:0", "converse", r#"{"a":1}"#);
    let tape = || vec![recorded("0001", &request, 200, whole("{}", 0))];
    let strict = playing(tape(), Miss::Refuse, SOME);
    let model = profile(&strict, "haiku");
    let ask = json!({ "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }] });
    let reply = call(&strict, &model, "converse", &ask);
    assert_eq!(reply.status, 400);
    assert!(
        text(&reply).contains("the nearest is 0001: it was POST /model/some.model-v1:0/converse"),
        "{}",
        text(&reply)
    );
    let health = Request {
        method: "GET".to_owned(),
        target: "/_workshop/health".to_owned(),
        ..request.clone()
    };
    assert_eq!(strict.handle(&health, now()).status, 200, "ours is ours");

    let fallback = playing(tape(), Miss::Answer, SOME);
    assert_eq!(call(&fallback, &model, "converse", &ask).status, 200);
    assert_eq!(fallback.journal()[0].note, None);
}

#[test]
fn replaying_does_not_open_a_door_for_strangers() {
    let request = post("some.model-v1:0", "converse", "{}");
    let tape = Tape::new(
        [recorded("one", &request, 200, whole("{}", 0))],
        Miss::Refuse,
    );
    let emulator = with(|config| {
        config.auth = Auth::Strict;
        config.tape = Some(Arc::new(tape));
    });
    assert_eq!(emulator.handle(&request, now()).status, 403);
}

#[test]
fn a_body_that_was_too_large_to_read_is_in_the_journal() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let request = Request {
        headers: [("content-length", "25000001")].into(),
        ..post(&model, "converse", "")
    };
    let reply = emulator.refuse_too_large(Arc::new(request), 25_000_000, now());
    assert_eq!(reply.status, 413);
    assert_eq!(
        text(&reply),
        r#"{"message":"the request body is larger than 25000000 bytes"}"#
    );
    let entry = emulator.entry_of(&reply).unwrap();
    assert_eq!(entry.operation.as_deref(), Some("Converse"));
    assert_eq!(entry.status, 413);
    assert_eq!(
        entry.error.as_deref(),
        Some("RequestEntityTooLargeException")
    );
}
