//! Requests that break nothing, to be changed in one place.

use serde_json::{Value, json};

/// A Converse body with one message.
pub(super) fn say(prompt: &str) -> Value {
    say_turns(&[("user", json!([{"text": prompt}]))])
}

/// A Converse body with these messages.
pub(super) fn say_turns(turns: &[(&str, Value)]) -> Value {
    let turns = turns
        .iter()
        .map(|(role, content)| json!({"role": role, "content": content}));
    json!({"messages": turns.collect::<Vec<_>>()})
}

/// A Converse body with more members.
pub(super) fn say_with(more: Value) -> Value {
    merge(say("Hi"), more)
}

/// A Messages body with one message.
pub(super) fn messages(prompt: &str) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": prompt}],
    })
}

/// A Messages body with other members.
pub(super) fn messages_with(more: Value) -> Value {
    merge(messages("Hi"), more)
}

/// A tool without parameters.
pub(super) fn tool_spec(name: &str) -> Value {
    json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}})
}

/// `body` with the members of `more`.
pub(super) fn merge(mut body: Value, mut more: Value) -> Value {
    for (key, value) in more.as_object_mut().unwrap() {
        body[key] = value.take();
    }
    body
}
