//! Event-stream messages as Bedrock frames them: three string headers in a fixed order, a JSON
//! payload, two checksums (recorded, 3,655 messages).

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    error::{ApiError, Code},
    json::Object,
    rng::Rng,
};

/// One event of a Converse stream. The payload's keys are sorted, the padding `p` among them.
pub(crate) fn event(kind: &'static str, mut payload: Value, rng: &mut Rng) -> Bytes {
    if let Value::Object(map) = &mut payload {
        map.insert("p".to_owned(), rng.padding().into());
    }
    message(
        (":event-type", kind),
        "event",
        crate::json::sorted(&payload),
    )
}

/// An event whose payload is written already, padding and all.
pub(crate) fn written(kind: &'static str, payload: String) -> Bytes {
    message((":event-type", kind), "event", payload)
}

/// The same for a piece of text, which nearly all events are: written as it stands on the wire.
pub(crate) fn text_delta(index: usize, text: &str, rng: &mut Rng) -> Bytes {
    /// What stands around the text, with the longest padding.
    const FRAME: usize = 128;
    let mut payload = String::with_capacity(text.len() + FRAME);
    let mut event = Object::begin(&mut payload);
    event.number("contentBlockIndex", index as u64);
    let mut delta = Object::begin(event.member("delta"));
    delta.string("text", text);
    delta.end();
    event.string("p", rng.padding());
    event.end();
    message((":event-type", "contentBlockDelta"), "event", payload)
}

/// One chunk of an `InvokeModelWithResponseStream` answer: `bytes` comes before `p`.
pub(crate) fn chunk(body: &str, rng: &mut Rng) -> Bytes {
    let payload = format!(
        "{{\"bytes\":\"{}\",\"p\":\"{}\"}}",
        STANDARD.encode(body),
        rng.padding()
    );
    message((":event-type", "chunk"), "event", payload)
}

/// An exception inside a stream. No recording of one exists: the headers follow a pasted dump of a
/// live one, and there is no padding in it.
pub(crate) fn exception(error: &ApiError) -> Bytes {
    let payload = json!({ "message": error.message() }).to_string();
    let kind = error.code().exception_type();
    message((":exception-type", kind), "exception", payload)
}

fn message(
    kind: (&'static str, &'static str),
    message_type: &'static str,
    payload: String,
) -> Bytes {
    /// Of a message's payload, as the format says.
    const LARGEST: usize = 24 * 1024 * 1024;
    /// Prelude, headers and checksums, and a little more.
    const FRAME: usize = 160;
    if payload.len() > LARGEST {
        // Texts are cut long before; only a script can ask for another member of that size.
        return exception(&ApiError::bedrock(
            Code::InternalServer,
            "Bedrock Workshop: a part of this scripted answer is larger than an event-stream \
             message may be (24 MB); make it smaller",
        ));
    }
    let headers = [
        kind,
        (":content-type", "application/json"),
        (":message-type", message_type),
    ];
    let headers = headers.map(|(name, value)| Header::new(name, HeaderValue::String(value.into())));
    let mut out = Vec::with_capacity(payload.len() + FRAME);
    let message = Message::new_from_parts(Vec::from(headers), payload);
    write_message_to(&message, &mut out)
        .expect("header names are under 255 bytes and the payload under the format's limit");
    out.into()
}
