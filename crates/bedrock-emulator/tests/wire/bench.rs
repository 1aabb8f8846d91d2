//! What every test of this binary starts from.

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::{HeaderValue, Message};
use bedrock_emulator::{
    Body, Config, Emulator, Reply, Request,
    emulator::{Auth, Latency},
};
use bytes::Bytes;
use serde_json::Value;
use time::{Date, Duration, Month, OffsetDateTime};

/// 2026-08-19 14:34:34 UTC, when most recordings were made.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_787_150_074)
}

/// An emulator that asks for no signature and answers at once.
pub(crate) fn open() -> Emulator {
    with(|_| {})
}

/// The same with changes.
pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Emulator {
    let mut config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        invocation_logging: true,
        // A day on which Claude 3 Haiku still lives and Claude 5.5 already does.
        today: Date::from_calendar_date(2026, Month::September, 1).ok(),
        ..Config::default()
    };
    change(&mut config);
    Emulator::new(config).unwrap()
}

/// The us-east-1 profile id of a tier's current model.
pub(crate) fn profile(emulator: &Emulator, alias: &str) -> String {
    let catalogue = emulator.catalogue();
    let model = catalogue.by_alias(alias).unwrap();
    catalogue.profile_id(model, "us-east-1").unwrap()
}

/// The base id whose name for people is `name`.
pub(crate) fn base(emulator: &Emulator, name: &str) -> String {
    let mut models = emulator.catalogue().models.iter();
    let model = models.find(|m| m.name == name);
    model
        .unwrap_or_else(|| panic!("no model called {name}"))
        .id
        .clone()
}

pub(crate) fn post(model: &str, action: &str, body: impl Into<Bytes>) -> Request {
    let model = model.replace(':', "%3A").replace('/', "%2F");
    Request {
        method: "POST".to_owned(),
        target: format!("/model/{model}/{action}"),
        headers: [("host", "127.0.0.1:4566")].into(),
        body: body.into(),
        connection: 1,
    }
}

pub(crate) fn call(emulator: &Emulator, model: &str, action: &str, body: &Value) -> Reply {
    emulator.handle(&post(model, action, body.to_string()), now())
}

pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.bytes().to_vec()).unwrap()
}

pub(crate) fn json(reply: &Reply) -> Value {
    serde_json::from_str(&text(reply)).unwrap_or_else(|e| panic!("{e} in {}", text(reply)))
}

pub(crate) fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let mut headers = reply.headers.iter();
    headers.find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
}

/// The messages of a stream; both checksums of each are verified by the decoder.
pub(crate) fn messages(reply: &Reply) -> Vec<Message> {
    let Body::Frames { frames, .. } = &reply.body else {
        panic!("not a stream: {}", text(reply));
    };
    let decode = |bytes: &Bytes| read_message_from(bytes.clone()).unwrap();
    frames.iter().map(|f| decode(&f.bytes)).collect()
}

/// The messages as `(event type, payload without p)`.
pub(crate) fn events(reply: &Reply) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    for message in messages(reply) {
        let mut payload: Value = serde_json::from_slice(message.payload()).unwrap();
        payload.as_object_mut().unwrap().remove("p");
        let kind = string_header(&message, 0);
        events.push((kind, payload));
    }
    events
}

/// The JSON inside the chunks of an `InvokeModelWithResponseStream` answer.
pub(crate) fn chunks(reply: &Reply) -> Vec<Value> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let events = events(reply).into_iter();
    let chunks = events.map(|(_, payload)| {
        let bytes = STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    });
    chunks.collect()
}

pub(crate) fn string_header(message: &Message, index: usize) -> String {
    match message.headers()[index].value() {
        HeaderValue::String(text) => text.as_str().to_owned(),
        other => panic!("not a string: {other:?}"),
    }
}
