//! Media, tools and thinking.

use super::*;

pub(super) fn about_blocks(world: &World) -> Vec<Row> {
    let World { current, .. } = world;
    let s3 = json!({"s3Location": {"uri": "s3://bucket/key"}});
    let video = json!([{"text": "a"}, {"video": {"format": "mp4", "source": s3}}]);
    let image = json!([{"image": {"format": "png", "source": s3}}]);
    let document = json!([{"document": {"format": "txt", "name": "a", "source": {"text": "x"}}}]);
    let gif = |media_type: &str, data: &[u8]| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let source =
            json!({"type": "base64", "media_type": media_type, "data": STANDARD.encode(data)});
        messages_with(json!({"messages": [
            {"role": "user", "content": [{"type": "image", "source": source}]},
        ]}))
    };
    let url = json!([{"type": "image", "source": {"type": "url", "url": "a"}}]);
    let at = "messages.0.content.0.image.source.base64";
    vec![
        row(
            44,
            "document-without-text",
            (open(), current, CONVERSE),
            &say_turns(&[("user", document)]),
            "A text block must be included when using documents.",
        ),
        row(
            50,
            "unsupported-block",
            (open(), current, CONVERSE),
            &say_turns(&[("user", video)]),
            "This model doesn't support the video content block that you provided. Update the \
             content block and try again.",
        ),
        row(
            51,
            "image-from-s3",
            (open(), current, CONVERSE),
            &say_turns(&[("user", image)]),
            "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
        ),
        row(
            None,
            "source-is-url",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [{"role": "user", "content": url}]})),
            "messages.0.content.0.image.source: Input tag 'url' found using 'type' does not match \
             any of the expected tags: 'base64'",
        ),
        row(
            None,
            "image-of-another-format",
            (open(), current, INVOKE),
            &gif("image/png", b"GIF89a"),
            format!("{at}.data: Image does not match the provided media type image/png"),
        ),
        row(
            None,
            "image-too-heavy",
            (open(), current, INVOKE),
            &gif("image/gif", &vec![b'G'; 4_000_000]),
            format!("{at}: image exceeds 5 MB maximum: 5333336 bytes > 5242880 bytes"),
        ),
        row(
            None,
            "image-too-large",
            (open(), current, INVOKE),
            &gif("image/gif", b"GIF89a\x41\x1F\x01\0\0\0\0"),
            format!(
                "{at}.data: At least one of the image dimensions exceed max allowed size: \
             8000 pixels"
            ),
        ),
    ]
}

pub(super) fn about_tools(world: &World) -> Vec<Row> {
    let World {
        current,
        unforced,
        ancient,
        ..
    } = world;
    let tools = json!({"toolConfig": {"tools": [tool_spec("a")]}});
    let hi = json!([{"text": "Hi"}]);
    let used = |id: &str| json!([{"toolUse": {"toolUseId": id, "name": "a", "input": {}}}]);
    let result = |id: &str| json!([{"toolResult": {"toolUseId": id, "content": [{"text": "x"}]}}]);
    let talk = |turns: &[(&str, Value)]| merge(say_turns(turns), tools.clone());
    let beside = json!([
        {"toolResult": {"toolUseId": "t", "content": []}}, {"text": "Hi"},
    ]);
    let choice = |choice: Value| {
        say_with(json!({"toolConfig": {"tools": [tool_spec("a")], "toolChoice": choice}}))
    };
    let left = "`tool_use` ids were found without `tool_result` blocks immediately after: t. Each \
                `tool_use` block must have a corresponding `tool_result` block in the next message.";
    let orphan = "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t. \
                  Each `tool_result` block must have a corresponding `tool_use` block in the \
                  previous message.";
    vec![
        row(
            45,
            "tool-results-missing",
            (open(), current, CONVERSE),
            &talk(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", hi.clone()),
            ]),
            "Expected toolResult blocks at messages.2.content for the following Ids: t",
        ),
        row(
            46,
            "tool-use-without-result",
            (open(), current, CONVERSE),
            &talk(&[("user", hi.clone()), ("assistant", used("t"))]),
            format!("{PREFIX}messages.1: {left}"),
        ),
        row(
            46,
            "tool-use-without-result",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {}}]},
                {"role": "user", "content": "b"},
            ]})),
            format!("messages.1: {left}"),
        ),
        row(
            47,
            "tool-result-without-use",
            (open(), current, CONVERSE),
            &talk(&[("user", result("t"))]),
            format!("{PREFIX}{orphan}"),
        ),
        row(
            47,
            "tool-result-without-use",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
            ]})),
            orphan,
        ),
        row(
            None,
            "tool-use-ids-repeat",
            (open(), current, CONVERSE),
            &talk(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", result("t")),
                ("assistant", used("t")),
                ("user", result("t")),
            ]),
            format!("{PREFIX}messages.3.content.0: `tool_use` ids must be unique"),
        ),
        row(
            48,
            "tool-blocks-without-tool-config",
            (open(), current, CONVERSE),
            &say_turns(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", result("t")),
            ]),
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ),
        row(
            49,
            "tool-result-beside-text",
            (
                peculiar("Claude Sonnet 4.5", |model| {
                    model.quirks.no_mixed_turns = true;
                }),
                current,
                CONVERSE,
            ),
            &talk(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", beside),
            ]),
            "messages.2.content: Conversation blocks and tool result blocks cannot be provided in \
             the same turn.",
        ),
        row(
            54,
            "no-tools-in-streams",
            (then(), ancient, &["converse-stream"]),
            &say_with(tools.clone()),
            "This model doesn't support tool use in streaming mode.",
        ),
        row(
            None,
            "no-system",
            (
                then(),
                &base(&world.emulator, "Titan Text G1 - Express"),
                CONVERSE,
            ),
            &say_with(json!({"system": [{"text": "a"}]})),
            "This model doesn't support system messages. Try again without a system message or \
             use a model that supports system messages.",
        ),
        row(
            None,
            "no-tools",
            (then(), ancient, &["converse"]),
            &say_with(tools.clone()),
            "This model doesn't support tool use.",
        ),
        row(
            None,
            "tool-names-repeat",
            (open(), current, CONVERSE),
            &say_with(json!({"toolConfig": {"tools": [tool_spec("a"), tool_spec("a")]}})),
            format!("{PREFIX}tools: Tool names must be unique."),
        ),
        row(
            None,
            "tool-choice-without-tools",
            (open(), current, INVOKE),
            &messages_with(json!({"tool_choice": {"type": "any"}})),
            "tool_choice: tool_choice may only be specified while providing tools",
        ),
        row(
            None,
            "unknown-tool-chosen",
            (open(), current, CONVERSE),
            &choice(json!({"tool": {"name": "b"}})),
            format!("{PREFIX}Tool 'b' not found in provided tools"),
        ),
        row(
            None,
            "thinking-beside-forced-tool",
            (open(), unforced, CONVERSE),
            &choice(json!({"any": {}})),
            format!("{PREFIX}Thinking may not be enabled when tool_choice forces tool use."),
        ),
    ]
}

pub(super) fn about_thinking(world: &World) -> Vec<Row> {
    let World {
        current,
        newest,
        old,
        ..
    } = world;
    let budget = |tokens: u32| json!({"thinking": {"type": "enabled", "budget_tokens": tokens}});
    let adaptive = json!({"thinking": {"type": "adaptive"}});
    let through = |fields: Value| say_with(json!({"additionalModelRequestFields": fields}));
    let small = "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    let over = "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
                documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size";
    let important = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking";
    let by_budget = "\"thinking.type.enabled\" is not supported for this model. Use \
                     \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.";
    let thinking = |more: Value| {
        let base = merge(messages_with(json!({"max_tokens": 4_096})), budget(1_024));
        merge(base, more)
    };
    let unthought = json!({"messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
    ]});
    vec![
        row(
            56,
            "thinking-budget-too-small",
            (open(), current, CONVERSE),
            &through(budget(100)),
            format!("{PREFIX}{small}"),
        ),
        row(
            56,
            "thinking-budget-too-small",
            (open(), current, INVOKE),
            &messages_with(budget(100)),
            small,
        ),
        row(
            56,
            "thinking-budget-over-max-tokens",
            (open(), current, INVOKE),
            &messages_with(budget(1_024)),
            over,
        ),
        row(
            None,
            "no-thinking",
            (then(), old, CONVERSE),
            &through(budget(1_024)),
            format!("{PREFIX}thinking: Extra inputs are not permitted"),
        ),
        row(
            None,
            "thinking-not-by-budget",
            (open(), newest, CONVERSE),
            &through(budget(1_024)),
            format!("{PREFIX}{by_budget}"),
        ),
        row(
            None,
            "thinking-not-adaptive",
            (open(), current, CONVERSE),
            &through(adaptive),
            format!("{PREFIX}adaptive thinking is not supported on this model"),
        ),
        row(
            None,
            "thinking-beside-temperature",
            (open(), current, INVOKE),
            &thinking(json!({"temperature": 0.5})),
            format!(
                "`temperature` may only be set to 1 when thinking is enabled. Please consult \
             our documentation at {important}"
            ),
        ),
        row(
            None,
            "thinking-beside-top-p",
            (open(), current, INVOKE),
            &thinking(json!({"top_p": 0.5})),
            format!(
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is \
             enabled. Please consult our documentation at {important}"
            ),
        ),
        row(
            None,
            "thinking-beside-top-k",
            (open(), current, INVOKE),
            &thinking(json!({"top_k": 5})),
            format!(
                "`top_k` must be unset when thinking is enabled. Please consult our \
             documentation at {important}"
            ),
        ),
        row(
            None,
            "thinking-left-out",
            (open(), current, INVOKE),
            &thinking(unthought),
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found \
             `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a \
             thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). \
             We recommend you include thinking blocks from previous turns. To avoid this \
             requirement, disable `thinking`. Please consult our documentation at \
             https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
        ),
    ]
}
