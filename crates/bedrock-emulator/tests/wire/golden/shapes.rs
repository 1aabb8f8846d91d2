//! Bodies of the wrong shape.

use super::*;

pub(super) fn about_json(world: &World) -> Vec<Row> {
    let current = world.current.as_str();
    let at = |actions| (open(), current, actions);
    let mut broken = row(
        29,
        "",
        at(CONVERSE),
        &json!({"messages": [{"role": {}, "content": []}]}),
        "Start of structure or map found where not expected",
    )
    .answered(400, "SerializationException")
    .long(64);
    broken.side = Side::FrontDoor;
    let schema = |json: Value| {
        let tools = json!([{"toolSpec": {"name": "a", "inputSchema": {"json": json}}}]);
        say_with(json!({"toolConfig": {"tools": tools}}))
    };
    let result = json!([{"toolResult": {"toolUseId": "t", "content": [{"json": [1]}]}}]);
    let old = || (then(), world.ancient.as_str(), INVOKE);
    let s3 = json!({"s3Location": {"uri": "s3://bucket/a.pdf"}});
    let document = json!({"document": {"format": "pdf", "name": "a", "source": s3}});
    vec![
        broken,
        row(
            30,
            "",
            at(CONVERSE),
            &schema(json!("{}")),
            "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid. \
             Provide a json object for the field and try again.",
        ),
        row(
            30,
            "",
            at(CONVERSE),
            &say_turns(&[("user", result)]),
            "The format of the value at messages.0.content.0.toolResult.content.0.json is invalid. \
             Provide a json object for the field and try again.",
        ),
        row(
            None,
            "",
            at(CONVERSE),
            &schema(json!({"oneOf": []})),
            "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the \
             following: object.",
        ),
        row(
            31,
            "",
            old(),
            &json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9, "max_tokens": 9}),
            "Malformed input request: #: extraneous key [max_tokens] is not permitted, please \
             reformat your input and try again.",
        ),
        row(
            32,
            "nova-tool-result-from-s3",
            (open(), &nova(&world.emulator), CONVERSE),
            &nova_tool_result(),
            format!(
                "{PREFIX}Malformed input request: #/messages/2/content/0: extraneous key \
             [toolResult] is not permitted, please reformat your input and try again."
            ),
        ),
        row(
            None,
            "",
            (then(), &world.three.0, INVOKE),
            &json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9}),
            format!(
                "\"{}\" is not supported on this API. Please use the Messages API instead.",
                world.three.1
            ),
        ),
        // The request of the seed's article, in the days of its model.
        row(
            33,
            "",
            old(),
            &json!({"prompt": "Hi", "max_tokens": 9}),
            "Malformed input request: #: required key [max_tokens_to_sample] not found#: \
             extraneous key [max_tokens] is not permitted, please reformat your input and try \
             again.",
        ),
        row(
            34,
            "document-from-s3",
            at(CONVERSE),
            &say_turns(&[("user", json!([{"text": "Read this."}, document]))]),
            format!("{PREFIX}messages.0.content.1.document.source.type: Field required"),
        ),
        row(
            34,
            "",
            at(INVOKE),
            &messages_with(json!({"stream": true})),
            "stream: Extra inputs are not permitted",
        ),
        row(
            34,
            "",
            at(CONVERSE),
            &say_with(json!({"additionalModelRequestFields": {"foo": 1}})),
            format!("{PREFIX}foo: Extra inputs are not permitted"),
        ),
        row(
            35,
            "",
            at(INVOKE),
            &messages_without("max_tokens"),
            "max_tokens: Field required",
        ),
        row(
            57,
            "",
            (
                open(),
                &base(&world.emulator, "Claude Sonnet 4.5"),
                &["count-tokens"],
            ),
            &count(&messages_with(json!({
                "tools": [{"type": "web_search_20250305", "name": "web_search"}],
            }))),
            "tools.0: Input tag 'web_search_20250305' found using 'type' does not match any of \
             the expected tags: 'bash_20250124', 'custom', 'text_editor_20250124', \
             'text_editor_20250429', 'text_editor_20250728'",
        ),
    ]
}

/// Nova 2 Lite, which reads media in tool results.
fn nova(emulator: &Emulator) -> String {
    format!("us.{}", base(emulator, "Nova 2 Lite"))
}

fn nova_tool_result() -> Value {
    let source = json!({"s3Location": {"uri": "s3://bucket/a.pdf"}});
    let content = json!([{"document": {"format": "pdf", "name": "a", "source": source}}]);
    let body = say_turns(&[
        ("user", json!([{"text": "Fetch it."}])),
        (
            "assistant",
            json!([{"toolUse": {"toolUseId": "t", "name": "a", "input": {}}}]),
        ),
        (
            "user",
            json!([{"toolResult": {"toolUseId": "t", "content": content}}]),
        ),
    ]);
    merge(body, json!({"toolConfig": {"tools": [tool_spec("a")]}}))
}

fn messages_without(member: &str) -> Value {
    let mut body = messages("Hi");
    body.as_object_mut().unwrap().remove(member);
    body
}
