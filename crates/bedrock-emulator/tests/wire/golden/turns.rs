//! Messages, their roles, texts and cache points.

use super::*;

pub(super) fn about_turns(world: &World) -> Vec<Row> {
    let World {
        current,
        newest,
        old,
        ..
    } = world;
    let hi = json!([{"text": "Hi"}]);
    let first = "A conversation must start with a user message. \
                 Try again with a conversation that starts with a user message.";
    let two = [("user", hi.clone()), ("user", hi.clone())];
    let filled = [("user", hi.clone()), ("assistant", hi.clone())];
    let text = |text: &str| say_turns(&[("user", json!([{"text": text}]))]);
    let prefill = "This model does not support assistant message prefill. \
                   The conversation must end with a user message.";
    let blank = json!([{"text": "a"}, {"text": " "}]);
    let points = vec![json!({"cachePoint": {"type": "default"}}); 5];
    let long_lived = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    let short_lived = json!({"cachePoint": {"type": "default"}});
    let ordered = json!([{"text": "a"}, short_lived, {"text": "b"}, long_lived]);
    let cached = json!([{"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}]);
    vec![
        row(
            39,
            "roles-do-not-alternate",
            (then(), old, CONVERSE),
            &say_turns(&two),
            "A conversation must alternate between user and assistant roles. Make sure the \
             conversation alternates between user and assistant roles and try again.",
        ),
        row(
            40,
            "first-message-not-user",
            (then(), old, CONVERSE),
            &say_turns(&[("assistant", hi.clone())]),
            first,
        ),
        row(
            40,
            "no-messages",
            (open(), current, CONVERSE),
            &json!({"messages": []}),
            first,
        ),
        row(
            41,
            "prefill",
            (open(), newest, CONVERSE),
            &say_turns(&filled),
            format!("{PREFIX}{prefill}"),
        ),
        row(
            41,
            "prefill",
            (open(), newest, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
            ]})),
            prefill,
        ),
        row(
            None,
            "prefill-white-space",
            (open(), current, CONVERSE),
            &say_turns(&[
                ("user", hi.clone()),
                ("assistant", json!([{"text": "So "}])),
            ]),
            format!(
                "{PREFIX}messages: final assistant content cannot end with trailing whitespace"
            ),
        ),
        row(
            42,
            "blank-text",
            (then(), old, CONVERSE),
            &say_turns(&[("user", blank)]),
            "The text field in the ContentBlock object at messages.0.content.1 is blank. Add text \
             to the text field, and try again.",
        ),
        row(
            42,
            "empty-text",
            (open(), current, CONVERSE),
            &text(""),
            format!("{PREFIX}messages: text content blocks must be non-empty"),
        ),
        row(
            42,
            "white-space-only",
            (open(), current, CONVERSE),
            &text(" \n"),
            format!("{PREFIX}messages: text content blocks must contain non-whitespace text"),
        ),
        row(
            43,
            "empty-content",
            (open(), current, CONVERSE),
            &say_turns(&[("user", hi.clone()), ("assistant", json!([]))]),
            "The content field in the Message object at messages.1 is empty. Add a ContentBlock \
             object to the content field and try again.",
        ),
        row(
            52,
            "too-many-cache-points",
            (open(), current, CONVERSE),
            &say_with(json!({"system": points})),
            format!("{PREFIX}A maximum of 4 blocks with cache_control may be provided. Found 5."),
        ),
        row(
            None,
            "cache-ttl-order",
            (open(), current, CONVERSE),
            &say_with(json!({"system": ordered})),
            format!(
                "{PREFIX}system.3.cache_control.ttl: a ttl='1h' cache_control block must not \
             come after a ttl='5m' cache_control block. Note that blocks are processed in the \
             following order: `tools`, `system`, `messages`."
            ),
        ),
        row(
            None,
            "cached-empty-text",
            (open(), current, INVOKE),
            &messages_with(json!({"system": cached})),
            "system.0.text: cache_control cannot be set for empty text blocks",
        ),
        row(
            None,
            "messages-empty",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": []})),
            "messages: at least one message is required",
        ),
        row(
            None,
            "message-content-empty",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [{"role": "user", "content": []}]})),
            "messages.0: all messages must have non-empty content except for the optional final \
             assistant message",
        ),
        row(
            None,
            "system-role",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": "a"}, {"role": "system", "content": "b"},
            ]})),
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
             parameter, not \"system\" as an input message role.",
        ),
    ]
}
