//! Scripted answers, faults, gates and time.

use std::time::Duration;

use bedrock_emulator::{
    Body, Due, Gate,
    emulator::Latency,
    script::{Fault, Piece, Step},
    wire::End,
};
use serde_json::{Value, json};

use crate::bench::{
    call, events, header, json as body, messages, now, open, post, profile, string_header, text,
    with,
};

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
}

fn texts(pieces: &[&str]) -> Vec<Piece> {
    pieces
        .iter()
        .map(|t| Piece::Text((*t).to_owned()))
        .collect()
}

#[test]
fn steps_are_used_in_order_by_valid_invocations_only() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.script([Step::text("first"), Step::text("second")]);
    let said = |reply| body(&reply)["output"]["message"]["content"][0]["text"].clone();
    assert_eq!(call(&emulator, "nonsense", "converse", &ask()).status, 400);
    assert_eq!(call(&emulator, &model, "converse", &json!({})).status, 400);
    assert_eq!(emulator.script_left(), 2);
    assert_eq!(said(call(&emulator, &model, "converse", &ask())), "first");
    assert_eq!(said(call(&emulator, &model, "converse", &ask())), "second");
    assert_eq!(emulator.script_left(), 0);
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
}

#[test]
fn each_text_is_a_delta_and_blocks_close_where_asked() {
    let emulator = open();
    let mut pieces = texts(&["a ", "b"]);
    pieces.push(Piece::NewBlock);
    pieces.extend(texts(&["c"]));
    emulator.script([Step::Say(pieces.clone()), Step::Say(pieces)]);
    let model = profile(&emulator, "haiku");
    let whole = body(&call(&emulator, &model, "converse", &ask()));
    assert_eq!(
        whole["output"]["message"]["content"],
        json!([{"text": "a b"}, {"text": "c"}])
    );
    let events = events(&call(&emulator, &model, "converse-stream", &ask()));
    let deltas: Vec<_> = events
        .iter()
        .filter(|(kind, _)| kind == "contentBlockDelta")
        .map(|(_, e)| {
            (
                e["contentBlockIndex"].as_u64().unwrap(),
                e["delta"]["text"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(deltas, [(0, "a "), (0, "b"), (1, "c")]);
}

#[test]
fn faults_are_whole_answers_with_their_status() {
    let rows = [
        (
            Fault::Throttling {
                retry_after_ms: Some(700),
            },
            429,
            "ThrottlingException",
        ),
        (
            Fault::ServiceUnavailable,
            503,
            "ServiceUnavailableException",
        ),
        (Fault::InternalServer, 500, "InternalServerException"),
        (Fault::ModelTimeout, 408, "ModelTimeoutException"),
        (Fault::ModelError, 424, "ModelErrorException"),
        (Fault::ModelNotReady, 429, "ModelNotReadyException"),
        (Fault::AccessDenied, 403, "AccessDeniedException"),
        (
            Fault::Validation("no".to_owned()),
            400,
            "ValidationException",
        ),
        (
            Fault::ResourceNotFound("gone".to_owned()),
            404,
            "ResourceNotFoundException",
        ),
        (
            Fault::ServiceQuotaExceeded,
            400,
            "ServiceQuotaExceededException",
        ),
    ];
    let emulator = open();
    let model = profile(&emulator, "haiku");
    for (fault, status, code) in rows {
        for action in ["converse", "converse-stream"] {
            emulator.script([Step::Fault(fault.clone())]);
            let reply = call(&emulator, &model, action, &ask());
            assert_eq!(reply.status, status, "{code}");
            assert!(
                header(&reply, "x-amzn-ErrorType")
                    .unwrap()
                    .starts_with(code)
            );
            let entry = emulator.journal().pop().unwrap();
            assert_eq!((entry.status, entry.error.as_deref()), (status, Some(code)));
            if status == 429 && code.starts_with("Thr") {
                assert_eq!(header(&reply, "x-amz-retry-after"), Some("700"));
            }
        }
    }
}

#[test]
fn an_exception_inside_a_stream_is_a_frame_of_its_own() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let pieces = || {
        let mut pieces = texts(&["a"]);
        pieces.push(Piece::Exception(Fault::ModelError));
        Step::Say(pieces)
    };
    emulator.script([pieces(), pieces()]);
    let reply = call(&emulator, &model, "converse-stream", &ask());
    assert_eq!(reply.status, 200);
    let messages = messages(&reply);
    let last = messages.last().unwrap();
    let names: Vec<_> = last
        .headers()
        .iter()
        .map(|h| h.name().as_str().to_owned())
        .collect();
    assert_eq!(names, [":exception-type", ":content-type", ":message-type"]);
    assert_eq!(string_header(last, 0), "modelStreamErrorException");
    assert_eq!(string_header(last, 2), "exception");
    assert_eq!(
        emulator.journal().pop().unwrap().error.as_deref(),
        Some("ModelStreamErrorException")
    );
    assert_eq!(
        call(&emulator, &model, "converse", &ask()).status,
        424,
        "whole: the whole reply"
    );
}

#[test]
fn gates_pauses_and_cuts_shape_the_stream() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let mut pieces = texts(&["a"]);
    pieces.push(Piece::Gate("g".to_owned()));
    pieces.extend(texts(&["b"]));
    pieces.push(Piece::Pause(Duration::from_millis(40)));
    pieces.extend(texts(&["c"]));
    pieces.push(Piece::Cut);
    emulator.script([Step::Say(pieces.clone()), Step::Say(pieces)]);
    let reply = call(&emulator, &model, "converse-stream", &ask());
    let Body::Frames { frames, end } = &reply.body else {
        panic!("a stream is frames")
    };
    let dues: Vec<_> = frames.iter().map(|f| f.due.clone()).collect();
    let at = |ms| Due::After(Duration::from_millis(ms));
    let behind = |gates: &[(u64, &str)], ms| {
        let gates = gates.iter().map(|(after, name)| Gate {
            after: Duration::from_millis(*after),
            name: (*name).to_owned(),
        });
        Due::Gates(gates.collect(), Duration::from_millis(ms))
    };
    assert_eq!(dues, [at(0), at(0), behind(&[(0, "g")], 0), at(40)]);
    assert_eq!(*end, End::Cut);
    let whole = call(&emulator, &model, "converse", &ask());
    assert_eq!(
        whole.body,
        Body::Disconnect {
            due: behind(&[(0, "g")], 40)
        }
    );

    // Neighbouring gates all count, and a pause counts from the gate before it.
    let waits = vec![
        Piece::Pause(Duration::from_millis(7)),
        Piece::Gate("one".to_owned()),
        Piece::Gate("two".to_owned()),
        Piece::Pause(Duration::from_millis(9)),
        Piece::Text("late".to_owned()),
    ];
    emulator.script([Step::Say(waits)]);
    let reply = call(&emulator, &model, "converse-stream", &ask());
    let Body::Frames { frames, .. } = &reply.body else {
        panic!("a stream is frames")
    };
    assert_eq!(frames[1].due, behind(&[(7, "one"), (0, "two")], 9));
    assert_eq!(frames[2].due, at(9), "the next counts from the gate, too");
}

#[test]
fn an_exception_that_is_the_whole_reply_waits_for_what_stands_before_it() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let held = |fault| {
        Step::Say(vec![
            Piece::Text("Hello".to_owned()),
            Piece::Pause(Duration::from_millis(7)),
            Piece::Gate("go".to_owned()),
            Piece::Pause(Duration::from_millis(9)),
            Piece::Exception(fault),
        ])
    };
    let due = Due::Gates(
        vec![Gate {
            after: Duration::from_millis(7),
            name: "go".to_owned(),
        }],
        Duration::from_millis(9),
    );
    emulator.script([
        held(Fault::ModelError),
        held(Fault::Disconnect),
        Step::Say(vec![Piece::Exception(Fault::ModelError)]),
        held(Fault::ModelError),
    ]);
    let failed = call(&emulator, &model, "converse", &ask());
    assert_eq!(failed.status, 424);
    assert!(matches!(&failed.body, Body::Whole { due: d, .. } if *d == due));
    let cut = call(&emulator, &model, "converse", &ask());
    assert_eq!(cut.body, Body::Disconnect { due: due.clone() });
    let at_once = call(&emulator, &model, "converse", &ask());
    assert!(matches!(&at_once.body, Body::Whole { due: Due::After(t), .. } if t.is_zero()));
    let invoked = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hi"}],
    });
    let failed = call(&emulator, &model, "invoke", &invoked);
    assert_eq!(failed.status, 424);
    assert!(matches!(&failed.body, Body::Whole { due: d, .. } if *d == due));
}

#[test]
fn silence_raw_bytes_and_stop_reasons() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.script([
        Step::Fault(Fault::Hang),
        Step::Fault(Fault::Disconnect),
        Step::Say(vec![Piece::Raw(b"<html>".to_vec())]),
        Step::Say(vec![
            Piece::Text("x".to_owned()),
            Piece::Stop("guardrail_intervened".to_owned()),
        ]),
    ]);
    assert!(matches!(
        call(&emulator, &model, "converse", &ask()).body,
        Body::Whole {
            due: Due::Never,
            ..
        }
    ));
    assert!(matches!(
        call(&emulator, &model, "converse-stream", &ask()).body,
        Body::Disconnect { .. }
    ));
    assert_eq!(text(&call(&emulator, &model, "converse", &ask())), "<html>");
    assert_eq!(
        body(&call(&emulator, &model, "converse", &ask()))["stopReason"],
        "guardrail_intervened"
    );
    let statuses: Vec<_> = emulator.journal().iter().map(|e| e.status).collect();
    assert_eq!(statuses, [0, 0, 200, 200]);
}

#[test]
fn latency_paces_the_frames_and_delays_the_body() {
    let latency = Latency::Fixed {
        first_token_ms: 1_000,
        per_token_ms: 100,
    };
    let emulator = with(|c| c.latency = latency);
    let model = profile(&emulator, "haiku");
    emulator.script([
        Step::Say(texts(&["one ", "two ", "three"])),
        Step::text("one two three"),
    ]);
    let reply = call(&emulator, &model, "converse-stream", &ask());
    let Body::Frames { frames, .. } = &reply.body else {
        panic!("a stream is frames")
    };
    let times: Vec<_> = frames
        .iter()
        .map(|f| match f.due {
            Due::After(time) => time.as_millis(),
            _ => panic!("no gate here"),
        })
        .collect();
    assert!(
        times.is_sorted() && (900..=1_100).contains(&times[0]),
        "{times:?}"
    );
    assert!(times[3] > times[2] && times[2] > times[1], "{times:?}");
    let whole = call(&emulator, &model, "converse", &ask());
    let Body::Whole {
        due: Due::After(due),
        ..
    } = whole.body
    else {
        panic!("a whole body at a time")
    };
    assert!(due.as_millis() > 1_000, "{due:?}");
    assert_eq!(
        u128::from(body(&whole)["metrics"]["latencyMs"].as_u64().unwrap()),
        due.as_millis()
    );
}

#[test]
fn too_many_requests_are_throttled_and_keep_the_script() {
    let emulator = with(|c| c.requests_per_minute = Some(1));
    let model = profile(&emulator, "haiku");
    emulator.script([Step::text("a"), Step::text("b")]);
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
    let refused = call(&emulator, &model, "converse", &ask());
    assert_eq!(refused.status, 429);
    assert_eq!(
        text(&refused),
        "{\"message\":\"Too many requests, please wait before trying again.\"}"
    );
    assert_eq!(emulator.script_left(), 1);
    let request = post(&model, "converse", ask().to_string());
    let later = emulator.handle(&request, now() + time::Duration::seconds(61));
    assert_eq!(later.status, 200);
}
