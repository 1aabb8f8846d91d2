//! What the emulator must survive: any bytes at every edge, and an answer in AWS's shape to each.
//!
//! libFuzzer drives these functions (`fuzz_targets`), and so does the test `hostile` of the emulator,
//! which runs the kept corpus and repeatable changes of it on every `cargo test`. A function panics
//! when an answer is not as a client of AWS could read it.

use std::sync::LazyLock;

use aws_smithy_eventstream::frame::read_message_from;
use bedrock_emulator::{
    Body, Config, Emulator, Reply, Request,
    emulator::{Auth, Latency},
    script::Document,
};
use bytes::Bytes;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// Methods, paths and queries: the first line is the method, the rest the target.
pub fn routing(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (method, target) = text.split_once('\n').unwrap_or(("POST", &text));
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let mut request = request(target, body.to_string());
    method.clone_into(&mut request.method);
    answered(&OPEN, &request);
}

/// Bodies of Converse and `ConverseStream`.
pub fn converse(data: &[u8]) {
    for action in ["converse", "converse-stream"] {
        let reply = answered(&OPEN, &request(&path(0, action), data.to_vec()));
        frames(&reply);
    }
}

/// Bodies of `InvokeModel`, for every family of models in turn.
pub fn invoke(data: &[u8]) {
    let (number, body) = data.split_first().unwrap_or((&0, &[]));
    for action in ["invoke", "invoke-with-response-stream"] {
        let target = path((*number).into(), action);
        let reply = answered(&OPEN, &request(&target, body.to_vec()));
        frames(&reply);
    }
    let counted = json!({"input": {"invokeModel": {"body": base64(body)}}});
    answered(
        &OPEN,
        &request(&path(0, "count-tokens"), counted.to_string()),
    );
}

/// Any text through a stream: its frames must decode, and say what the whole answer says.
pub fn event_stream(data: &[u8]) {
    let prompt = String::from_utf8_lossy(data);
    let body = json!({
        "messages": [{"role": "user", "content": [{"text": format!("Say \"{prompt}\".")}]}],
        "inferenceConfig": {"maxTokens": 60},
    });
    let whole = answered(&OPEN, &request(&path(0, "converse"), body.to_string()));
    let streamed = answered(
        &OPEN,
        &request(&path(0, "converse-stream"), body.to_string()),
    );
    assert_eq!(whole.status, streamed.status);
    let Some(deltas) = frames(&streamed) else {
        return;
    };
    let whole: Value = serde_json::from_slice(&whole.body.bytes()).expect("JSON");
    let content = whole["output"]["message"]["content"]
        .as_array()
        .expect("content");
    let texts = content.iter().filter_map(|block| block["text"].as_str());
    assert_eq!(deltas, texts.collect::<String>());
}

/// Signatures and tokens: each line is a header, `name: value`.
pub fn sigv4(data: &[u8]) {
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let mut request = request(&path(0, "converse"), body.to_string());
    for line in String::from_utf8_lossy(data).lines() {
        let (name, value) = line.split_once(':').unwrap_or(("authorization", line));
        request
            .headers
            .push((name.trim().to_lowercase(), value.trim().to_owned()));
    }
    let reply = answered(&STRICT, &request);
    assert!(reply.status >= 400, "nobody guesses a signature");
}

/// Script files: read or refused, and what was read answers.
pub fn script(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Document::from_toml(&text) {
        Ok(document) => {
            let emulator = emulator(Auth::Off);
            emulator.load(document);
            let body = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
            for action in ["converse", "converse-stream"] {
                emulator.handle(&request(&path(0, action), body.to_string()), now());
            }
        }
        Err(mistake) => assert!(!mistake.to_string().is_empty()),
    }
}

/// Answers a request and looks at the answer as a client of AWS does.
fn answered(emulator: &Emulator, request: &Request) -> Reply {
    let reply = emulator.handle(request, now());
    if reply.status < 400 {
        assert!(reply.status >= 200, "{}", reply.status);
        return reply;
    }
    let Body::Whole { bytes, .. } = &reply.body else {
        panic!("an error is a whole body");
    };
    let header = |wanted: &str| {
        let mut headers = reply.headers.iter();
        headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    assert!(header("x-amzn-requestid").is_some());
    let content_type = header("content-type").map(|(_, value)| value.as_str());
    if content_type.is_some_and(|kind| kind.contains("xml")) {
        assert!(bytes.starts_with(b"<"));
        return reply;
    }
    let body: Value = serde_json::from_slice(bytes).expect("an error's body is JSON");
    let message = body.get("message").or(body.get("Message"));
    let message = message.or_else(|| body.get("error")?.get("message"));
    let message = message.and_then(Value::as_str);
    assert!(message.is_some_and(|text| !text.is_empty()), "{body}");
    let own = body.get("error").is_some();
    assert!(own || header("x-amzn-errortype").is_some() || body.get("__type").is_some());
    reply
}

/// Decodes a stream, both checksums of each frame, and joins its text deltas. `None`: it is none.
fn frames(reply: &Reply) -> Option<String> {
    let Body::Frames { frames, .. } = &reply.body else {
        return None;
    };
    let mut text = String::new();
    for frame in frames {
        let message = read_message_from(frame.bytes.clone()).expect("a frame decodes");
        let payload: Value = serde_json::from_slice(message.payload()).expect("JSON");
        text.push_str(payload["delta"]["text"].as_str().unwrap_or_default());
    }
    Some(text)
}

static OPEN: LazyLock<Emulator> = LazyLock::new(|| emulator(Auth::Off));
static STRICT: LazyLock<Emulator> = LazyLock::new(|| emulator(Auth::Strict));

fn emulator(auth: Auth) -> Emulator {
    let config = Config {
        auth,
        latency: Latency::none(),
        journal_capacity: 16,
        ..Config::default()
    };
    Emulator::new(config).expect("the built-in configuration")
}

/// The path of an operation on some model of the catalogue.
fn path(number: usize, action: &str) -> String {
    let catalogue = OPEN.catalogue();
    let model = match number {
        0 => catalogue.by_alias("sonnet").expect("a current model"),
        n => &catalogue.models[n % catalogue.models.len()],
    };
    let id = catalogue.profile_id(model, "us-east-1");
    let counted = action == "count-tokens";
    let id = id.filter(|_| !counted).unwrap_or_else(|| model.id.clone());
    format!("/model/{id}/{action}")
}

fn request(target: &str, body: impl Into<Bytes>) -> Request {
    Request {
        method: "POST".to_owned(),
        target: target.to_owned(),
        headers: [("host", "127.0.0.1:4566")].into(),
        body: body.into(),
        connection: 1,
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

/// A day on which most models of the catalogue answer.
fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_787_150_074)
}
