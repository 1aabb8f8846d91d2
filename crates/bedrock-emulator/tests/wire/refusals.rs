//! What Converse refuses, row for row after the collected answers of real Bedrock.

use serde_json::{Value, json};

use crate::bench::{base, call, header, json as body, now, open, post, profile, text, with};

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
}

fn changed(mut change: Value) -> Value {
    let mut body = ask();
    for (key, value) in change.as_object_mut().unwrap() {
        body[key] = value.take();
    }
    body
}

fn tool(name: &str) -> Value {
    json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}})
}

fn turns(blocks: &[(&str, Value)]) -> Value {
    let turns = blocks
        .iter()
        .map(|(role, content)| json!({"role": role, "content": content}));
    json!(turns.collect::<Vec<_>>())
}

#[test]
fn content_that_bedrock_or_claude_refuses() {
    let emulator = open();
    let current = profile(&emulator, "sonnet");
    let newest = format!("us.{}", base(&emulator, "Claude Opus 5"));
    let latest = format!("us.{}", base(&emulator, "Claude Sonnet 5.5"));
    let uncached = base(&emulator, "Claude 3 Haiku");
    let tool_use = json!([{"toolUse": {"toolUseId": "t1", "name": "a", "input": {}}}]);
    let result = json!([{"toolResult": {"toolUseId": "t1", "content": [{"text": "x"}]}}]);
    let user = json!([{"text": "Hi"}]);
    let tools = json!({"tools": [tool("a")]});
    let model = "The model returned the following errors: ";
    let many_stops: Vec<String> = (0..2_501).map(|i| format!("s{i}")).collect();
    let rows: Vec<(&str, Value, String)> = vec![
        (&current, json!({}), "1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must not be null".into()),
        (&current, changed(json!({"messages": [{"role": "bot", "content": []}]})), "1 validation error detected: Value 'bot' at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant, system]".into()),
        (&current, changed(json!({"messages": [{}]})), "2 validation errors detected: Value at 'messages.1.member.role' failed to satisfy constraint: Member must not be null; Value at 'messages.1.member.content'".into()),
        (&current, changed(json!({"inferenceConfig": {"maxTokens": 0}})), "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1".into()),
        (&current, changed(json!({"inferenceConfig": {"temperature": 1.1}})), "1 validation error detected: Value '1.1' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1".into()),
        (&current, changed(json!({"inferenceConfig": {"topP": -1}})), "1 validation error detected: Value '-1' at 'inferenceConfig.topP'".into()),
        (&current, changed(json!({"inferenceConfig": {"stopSequences": many_stops}})), "1 validation error detected: Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must have length less than or equal to 2500".into()),
        (&current, changed(json!({"inferenceConfig": {"stopSequences": [""]}})), "1 validation error detected: Value '' at 'inferenceConfig.stopSequences.1.member'".into()),
        (&current, changed(json!({"inferenceConfig": {"maxTokens": 64001}})), "The maximum tokens you requested exceeds the model limit of 64000. Try again with a maximum tokens value that is lower than 64000.".into()),
        (&current, changed(json!({"system": [{"text": ""}]})), "1 validation error detected: Value '' at 'system.1.member.text'".into()),
        (&current, changed(json!({"inferenceConfig": {"temperature": 0.1, "topP": 0.1}})), format!("{model}`temperature` and `top_p` cannot both be specified for this model. Please use only one.")),
        (&newest, changed(json!({"inferenceConfig": {"temperature": 0.1}})), format!("{model}`temperature` is deprecated for this model.")),
        (&newest, changed(json!({"additionalModelRequestFields": {"top_k": 5}})), format!("{model}`top_k` is deprecated for this model.")),
        (&current, changed(json!({"additionalModelRequestFields": {"foo": 5}})), format!("{model}foo: Extra inputs are not permitted")),
        (&current, changed(json!({"messages": []})), "A conversation must start with a user message.".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([]))])})), "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the content field and try again.".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([{}]))])})), "ContentBlock object at messages.0.content.0 must set one of the following keys".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([{"text": ""}]))])})), format!("{model}messages: text content blocks must be non-empty")),
        (&current, changed(json!({"messages": turns(&[("user", json!([{"text": " \n"}]))])})), format!("{model}messages: text content blocks must contain non-whitespace text")),
        (&uncached, changed(json!({"messages": turns(&[("user", json!([{"text": "a"}, {"text": " "}]))])})), "The text field in the ContentBlock object at messages.0.content.1 is blank. Add text to the text field, and try again.".into()),
        (&uncached, changed(json!({"messages": turns(&[("assistant", user.clone())])})), "A conversation must start with a user message. Try again with a conversation that starts with a user message.".into()),
        (&uncached, changed(json!({"messages": turns(&[("user", user.clone()), ("user", user.clone())])})), "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.".into()),
        (&uncached, changed(json!({"system": [{"text": "a"}, {"cachePoint": {"type": "default"}}]})), "You invoked an unsupported model or your request did not allow prompt caching".into()),
        (&current, changed(json!({"system": vec![json!({"cachePoint": {"type": "default"}}); 5]})), format!("{model}A maximum of 4 blocks with cache_control may be provided. Found 5.")),
        (&newest, changed(json!({"messages": turns(&[("user", user.clone()), ("assistant", user.clone())])})), format!("{model}This model does not support assistant message prefill. The conversation must end with a user message.")),
        (&current, changed(json!({"messages": turns(&[("user", user.clone()), ("assistant", tool_use.clone()), ("user", result.clone())])})), "The toolConfig field must be defined when using toolUse and toolResult content blocks.".into()),
        (&current, changed(json!({"toolConfig": tools, "messages": turns(&[("user", user.clone()), ("assistant", tool_use.clone()), ("user", user.clone())])})), "Expected toolResult blocks at messages.2.content for the following Ids: t1".into()),
        (&current, changed(json!({"toolConfig": tools, "messages": turns(&[("user", user.clone()), ("assistant", tool_use.clone())])})), format!("{model}messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1.")),
        (&current, changed(json!({"toolConfig": tools, "messages": turns(&[("user", result.clone())])})), format!("{model}messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t1.")),
        (&current, changed(json!({"toolConfig": {"tools": []}})), "1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1".into()),
        (&current, changed(json!({"toolConfig": {"tools": [tool("a b")]}})), "1 validation error detected: Value 'a b' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+".into()),
        (&current, changed(json!({"toolConfig": {"tools": [tool("a"), tool("a")]}})), format!("{model}tools: Tool names must be unique.")),
        (&current, changed(json!({"toolConfig": {"tools": [tool("a")], "toolChoice": {"tool": {"name": "b"}}}})), format!("{model}Tool 'b' not found in provided tools")),
        (&latest, changed(json!({"toolConfig": {"tools": [tool("a")], "toolChoice": {"any": {}}}})), format!("{model}Thinking may not be enabled when tool_choice forces tool use.")),
        (&current, changed(json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": "{}"}}}]}})), "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid. Provide a json object for the field and try again.".into()),
        (&current, changed(json!({"toolConfig": tools, "messages": turns(&[("user", json!([{"toolResult": {"toolUseId": "t1", "content": [{"json": [1]}]}}]))])})), "The format of the value at messages.0.content.0.toolResult.content.0.json is invalid.".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([{"video": {"format": "mp4", "source": {"bytes": "aGk="}}}]))])})), "This model doesn't support the video content block that you provided. Update the content block and try again.".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/key"}}}}]))])})), "This model doesn't support the s3Uri field. Remove s3Uri and try again.".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([{"document": {"format": "txt", "name": "a", "source": {"text": "x"}}}]))])})), "A text block must be included when using documents.".into()),
        (&current, changed(json!({"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 100}}})), "The model returned the following errors: thinking.enabled.budget_tokens: Input should be greater than or equal to 1024".into()),
        (&current, changed(json!({"messages": turns(&[("user", json!([{"text": "word ".repeat(250_000)}]))])})), format!("{model}prompt is too long: ")),
    ];
    let old = with(|c| c.today = time::Date::from_ordinal_date(2025, 40).ok());
    for (id, request, message) in rows {
        let emulator = if id == uncached { &old } else { &emulator };
        let reply = call(emulator, id, "converse", &request);
        let said = body(&reply)["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let short: String = request.to_string().chars().take(300).collect();
        assert!(said.starts_with(&message), "{short}\n  {said}\n  {message}");
        let wanted = if message.starts_with("You invoked") {
            403
        } else {
            400
        };
        assert_eq!(reply.status, wanted, "{short}");
        let streamed = call(emulator, id, "converse-stream", &request);
        assert_eq!(
            streamed.status, wanted,
            "an error before the stream is a plain answer"
        );
    }
}

#[test]
fn what_newer_claude_accepts() {
    let emulator = open();
    let current = profile(&emulator, "sonnet");
    let user = json!([{"text": "Hi"}]);
    let rows = [
        turns(&[("assistant", user.clone()), ("user", user.clone())]),
        turns(&[("user", user.clone()), ("user", user.clone())]),
        turns(&[("user", user.clone()), ("assistant", user.clone())]),
        turns(&[("user", json!([{"text": "\n"}, {"text": "Hi"}]))]),
        turns(&[(
            "user",
            json!([{"text": "Hi"}, {"cachePoint": {"type": "default"}}]),
        )]),
        turns(&[(
            "user",
            json!([{"text": "Hi"}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}]),
        )]),
        // A PNG that is called a JPEG (recorded).
        turns(&[(
            "user",
            json!([{"text": "Hi"}, {"image": {"format": "jpeg", "source": {"bytes": "iVBORw0KGgo="}}}]),
        )]),
    ];
    for messages in rows {
        let reply = call(
            &emulator,
            &current,
            "converse",
            &json!({"messages": messages}),
        );
        assert_eq!(reply.status, 200, "{messages}: {}", text(&reply));
    }
}

/// A document from S3 in a tool result, which Claude does not see and does not mind (recorded).
#[test]
fn a_document_in_a_tool_result_may_be_out_of_reach() {
    let emulator = open();
    let s3 = json!({"s3Location": {"uri": "s3://bucket/dummy.pdf"}});
    let document = json!({"document": {"name": "Document 1", "format": "pdf", "source": s3}});
    let used = json!([{"toolUse": {"toolUseId": "t1", "name": "a", "input": {}}}]);
    let result = json!([{"toolResult": {"toolUseId": "t1", "content": [document]}}]);
    let request = json!({
        "toolConfig": {"tools": [tool("a")]},
        "messages": turns(&[("user", json!([{"text": "Hi"}])), ("assistant", used), ("user", result)]),
    });
    let reply = call(
        &emulator,
        &profile(&emulator, "sonnet"),
        "converse",
        &request,
    );
    assert_eq!(reply.status, 200, "{}", text(&reply));
}

#[test]
fn json_of_the_wrong_shape_is_the_front_doors() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let rows = [
        (
            "{\"messages\":[{\"role\":{},\"content\":[]}]}",
            "Start of structure or map found where not expected",
        ),
        (
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
            "Expected list or null",
        ),
        (
            "{\"messages\":[{\"role\":[],\"content\":[]}]}",
            "Start of list found where not expected",
        ),
        (
            "{\"messages\":[{\"role\":1,\"content\":[]}]}",
            "Unexpected field type",
        ),
        ("{\"messages\":", "Unable to parse the request body as JSON"),
        ("not json", "Unable to parse the request body as JSON"),
    ];
    for (request, message) in rows {
        let reply = emulator.handle(&post(&model, "converse", request), now());
        assert_eq!(reply.status, 400, "{request}");
        assert_eq!(
            text(&reply),
            format!("{{\"Message\":\"{message}\"}}"),
            "{request}"
        );
        assert_eq!(
            header(&reply, "x-amzn-ErrorType"),
            Some(
                "SerializationException:http://internal.amazon.com/coral/com.amazon.coral.service/"
            )
        );
    }
    let deep = "[".repeat(100_000);
    let reply = emulator.handle(&post(&model, "converse", deep), now());
    assert_eq!(
        reply.status, 400,
        "nesting without end is refused, not followed"
    );
}

#[test]
fn an_error_has_the_recorded_headers() {
    let emulator = open();
    let reply = emulator.handle(&post("nonsense", "converse", ask().to_string()), now());
    let names: Vec<_> = reply.headers.iter().map(|(n, _)| &**n).collect();
    assert_eq!(
        names,
        ["Content-Type", "x-amzn-RequestId", "x-amzn-ErrorType"]
    );
    assert_eq!(
        text(&reply),
        "{\"message\":\"The provided model identifier is invalid.\"}"
    );
    let unknown = emulator.handle(&post("nonsense", "chat", "{}"), now());
    assert_eq!(unknown.status, 404);
    assert!(text(&unknown).contains("POST /model/nonsense/chat"));
}
