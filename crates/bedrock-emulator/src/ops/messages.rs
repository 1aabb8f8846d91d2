//! `POST /anthropic/v1/messages`: Claude's Messages as `InvokeModel` writes them, without Bedrock's
//! headers; `"stream": true` makes the same events server-sent ones.

use super::{
    Encoded, Exchange, Stream, Took, invoke_model::message,
    invoke_model_with_response_stream::MessageEvents, whole_body, whole_due,
};
use crate::mantle;

/// The whole message.
pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(&exchange);
    let body = message(&mut exchange);
    Encoded {
        headers: Vec::new(),
        content_type: "application/json",
        body: whole_body(&exchange.answer.ending, due, body),
        latency_ms: pace.elapsed_ms(),
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

/// The message event by event.
pub(super) fn encode_stream(mut exchange: Exchange<'_>) -> Encoded {
    let mut events = MessageEvents::server_sent();
    let mut stream = Stream::tell(&mut events, &mut exchange);
    let (end, exception) = stream.end(&exchange.answer.ending, mantle::error_event);
    let Took {
        latency_ms,
        first_token_ms,
    } = stream.took();
    Encoded {
        headers: Vec::new(),
        content_type: mantle::EVENTS,
        body: stream.body(end),
        latency_ms,
        first_token_ms,
        exception,
    }
}
