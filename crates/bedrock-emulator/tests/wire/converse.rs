//! Converse, `ConverseStream` and `CountTokens` for a caller that does everything right.

use serde_json::{Value, json};

use crate::bench::{
    base, call, events, header, json as body, messages, now, open, post, profile, string_header,
    text, with,
};

fn ask(prompt: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]})
}

fn weather_tool() -> Value {
    json!({"toolSpec": {"name": "get_weather", "description": "The weather", "inputSchema": {"json": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
        "required": ["city", "days"]
    }}}})
}

/// The bytes of a scripted answer, key for key as recorded in 2026-08.
#[test]
fn a_body_is_compact_with_sorted_keys_and_the_undocumented_members() {
    let emulator = open();
    emulator.script([bedrock_emulator::script::Step::Say(vec![
        bedrock_emulator::script::Piece::Text("Hi \u{2019}there\u{2019}".to_owned()),
        bedrock_emulator::script::Piece::ToolUse {
            name: "t".to_owned(),
            input: json!({"z": 1, "a": [true]}),
        },
        bedrock_emulator::script::Piece::Usage {
            input: 701,
            output: 97,
        },
    ])]);
    let reply = call(
        &emulator,
        &profile(&emulator, "sonnet"),
        "converse",
        &ask("x"),
    );
    let answer = text(&reply);
    let (head, tail) = answer.split_once("tooluse_").unwrap();
    assert_eq!(
        head,
        "{\"metrics\":{\"latencyMs\":1},\"output\":{\"message\":{\"content\":[{\"text\":\"Hi \u{2019}there\u{2019}\"},\
         {\"toolUse\":{\"input\":{\"a\":[true],\"z\":1},\"name\":\"t\",\"toolUseId\":\""
    );
    assert_eq!(
        &tail[22..],
        "\",\"type\":\"tool_use\"}}],\"role\":\"assistant\"}},\"stopReason\":\"tool_use\",\
         \"usage\":{\"cacheReadInputTokenCount\":0,\"cacheReadInputTokens\":0,\
         \"cacheWriteInputTokenCount\":0,\"cacheWriteInputTokens\":0,\"inputTokens\":701,\
         \"outputTokens\":97,\"serverToolUsage\":{},\"totalTokens\":798}}"
    );
    let names: Vec<_> = reply.headers.iter().map(|(n, _)| &**n).collect();
    assert_eq!(names, ["Content-Type", "x-amzn-RequestId"]);
}

#[test]
fn older_models_leave_the_newer_members_out() {
    let emulator = with(|c| c.today = time::Date::from_ordinal_date(2025, 291).ok());
    let model = base(&emulator, "Claude 3 Haiku");
    let reply = call(&emulator, &model, "converse", &ask("What is Rust?"));
    let usage = body(&reply)["usage"].clone();
    let keys: Vec<_> = usage.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["inputTokens", "outputTokens", "totalTokens"]);
}

#[test]
fn usage_adds_up_and_grows_with_the_prompt() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let mut last = 0;
    for prompt in ["Hi", "Hello, world! How are you?", &"word ".repeat(500)] {
        let usage = body(&call(&emulator, &model, "converse", &ask(prompt)))["usage"].clone();
        let number = |key: &str| usage[key].as_u64().unwrap();
        assert_eq!(
            number("inputTokens") + number("outputTokens"),
            number("totalTokens")
        );
        assert!(number("inputTokens") > last, "{prompt}");
        last = number("inputTokens");
    }
}

#[test]
fn max_tokens_cuts_and_says_so() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    for max in [1, 2, 5, 9] {
        let mut request = ask("Tell me about the sea in ten sentences");
        request["inferenceConfig"] = json!({"maxTokens": max});
        for action in ["converse", "converse-stream"] {
            let reply = call(&emulator, &model, action, &request);
            let (stop, output, said) = if action == "converse" {
                let answer = body(&reply);
                let said = answer["output"]["message"]["content"][0]["text"].clone();
                (
                    answer["stopReason"].clone(),
                    answer["usage"]["outputTokens"].clone(),
                    said,
                )
            } else {
                let events = events(&reply);
                let said = events
                    .iter()
                    .filter_map(|(_, e)| e["delta"]["text"].as_str());
                let said = said.collect::<String>().into();
                let count = events.len();
                (
                    events[count - 2].1["stopReason"].clone(),
                    events[count - 1].1["usage"]["outputTokens"].clone(),
                    said,
                )
            };
            assert_eq!(stop, "max_tokens");
            assert_eq!(output, max);
            let said = said.as_str().unwrap();
            assert!(
                !said.is_empty() && said.len() < 80,
                "{max} {action}: {said:?}"
            );
        }
    }
}

#[test]
fn a_stop_sequence_cuts_even_across_deltas() {
    use bedrock_emulator::script::{Piece, Step};
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let mut request = ask("x");
    request["inferenceConfig"] = json!({"stopSequences": ["STOP", "never"]});
    request["additionalModelResponseFieldPaths"] = json!(["/stop_sequence"]);
    let pieces = || {
        Step::Say(
            ["one ", "two S", "TO", "P three"]
                .map(|t| Piece::Text(t.to_owned()))
                .into(),
        )
    };
    emulator.script([pieces(), pieces()]);
    let answer = body(&call(&emulator, &model, "converse", &request));
    assert_eq!(
        answer["output"]["message"]["content"],
        json!([{"text": "one two "}])
    );
    assert_eq!(answer["stopReason"], "stop_sequence");
    assert_eq!(
        answer["additionalModelResponseFields"],
        json!({"stop_sequence": "STOP"})
    );
    let events = events(&call(&emulator, &model, "converse-stream", &request));
    let said: String = events
        .iter()
        .filter_map(|(_, e)| e["delta"]["text"].as_str())
        .collect();
    assert_eq!(said, "one two ");
    assert_eq!(events[events.len() - 2].1["stopReason"], "stop_sequence");
}

#[test]
fn a_stream_has_the_recorded_order_and_framing() {
    let emulator = open();
    let reply = call(
        &emulator,
        &profile(&emulator, "haiku"),
        "converse-stream",
        &ask("What is Rust?"),
    );
    assert_eq!(
        header(&reply, "Content-Type"),
        Some("application/vnd.amazon.eventstream")
    );
    for message in messages(&reply) {
        let names: Vec<_> = message
            .headers()
            .iter()
            .map(|h| h.name().as_str().to_owned())
            .collect();
        assert_eq!(names, [":event-type", ":content-type", ":message-type"]);
        assert_eq!(string_header(&message, 1), "application/json");
        assert_eq!(string_header(&message, 2), "event");
        let payload: Value = serde_json::from_slice(message.payload()).unwrap();
        let padding = payload["p"].as_str().unwrap();
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        assert!(alphabet.starts_with(padding) && (2..=61).contains(&padding.len()));
    }
    let events = events(&reply);
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds[0], "messageStart");
    assert_eq!(
        kinds[1], "contentBlockDelta",
        "text has no contentBlockStart"
    );
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["contentBlockStop", "messageStop", "metadata"]
    );
    assert!(
        kinds[1..kinds.len() - 3]
            .iter()
            .all(|kind| *kind == "contentBlockDelta")
    );
    let usage = &events.last().unwrap().1["usage"];
    assert!(usage.get("cacheReadInputTokens").is_none(), "{usage}");
}

#[test]
fn stream_and_body_say_the_same() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    let request = ask("Explain ownership in Rust");
    let whole = body(&call(&emulator, &model, "converse", &request));
    let events = events(&call(&emulator, &model, "converse-stream", &request));
    let said: String = events
        .iter()
        .filter_map(|(_, e)| e["delta"]["text"].as_str())
        .collect();
    assert_eq!(whole["output"]["message"]["content"][0]["text"], said);
    let last = &events.last().unwrap().1["usage"];
    assert_eq!(whole["usage"]["totalTokens"], last["totalTokens"]);
}

#[test]
fn a_forced_tool_is_used_with_valid_input_and_its_result_is_mentioned() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    let mut request = ask("How is it in Paris?");
    for choice in [json!({"any": {}}), json!({"tool": {"name": "get_weather"}})] {
        request["toolConfig"] = json!({"tools": [weather_tool()], "toolChoice": choice});
        let answer = body(&call(&emulator, &model, "converse", &request));
        assert_eq!(answer["stopReason"], "tool_use");
        let tool_use = answer["output"]["message"]["content"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        let input = &tool_use["toolUse"]["input"];
        assert!(
            input["city"].is_string() && (1..=7).contains(&input["days"].as_i64().unwrap()),
            "{input}"
        );
    }
    let events = events(&call(&emulator, &model, "converse-stream", &request));
    let start = &events[1];
    assert_eq!(start.0, "contentBlockStart");
    assert!(start.1["start"]["toolUse"].get("type").is_none());
    let pieces: Vec<_> = events
        .iter()
        .filter_map(|(_, e)| e["delta"]["toolUse"]["input"].as_str())
        .collect();
    assert_eq!(pieces[0], "", "the first delta is empty");
    let input: Value = serde_json::from_str(&pieces.concat()).unwrap();
    assert!(input["city"].is_string());

    let mut second = ask("How is it in Paris?");
    second["toolConfig"] = json!({"tools": [weather_tool()]});
    let turns = second["messages"].as_array_mut().unwrap();
    turns.push(json!({"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": input}}]}));
    turns.push(json!({"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "Drizzle"}]}}]}));
    let answer = body(&call(&emulator, &model, "converse", &second));
    assert_eq!(answer["stopReason"], "end_turn");
    let said = answer["output"]["message"]["content"][0]["text"]
        .as_str()
        .unwrap();
    assert!(said.to_lowercase().contains("drizzle"), "{said}");
}

#[test]
fn tools_are_used_on_their_own_only_when_the_prompt_names_one() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    for (prompt, stop) in [
        ("How are you?", "end_turn"),
        ("Use get_weather for Rome", "tool_use"),
        ("please get weather", "tool_use"),
    ] {
        let mut request = ask(prompt);
        request["toolConfig"] = json!({"tools": [weather_tool()]});
        assert_eq!(
            body(&call(&emulator, &model, "converse", &request))["stopReason"],
            stop,
            "{prompt}"
        );
    }
}

#[test]
fn thinking_comes_first_with_a_signature_and_is_taken_back() {
    let emulator = open();
    // Takes both forms; Haiku 4.5 refuses the adaptive one (seen live).
    let model = format!("us.{}", base(&emulator, "Claude Sonnet 4.6"));
    for thinking in [
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        json!({"reasoning_config": {"type": "enabled", "budget_tokens": 1024}}),
        json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    ] {
        let mut request = ask("What is 5 + 3?");
        request["additionalModelRequestFields"] = thinking;
        let answer = body(&call(&emulator, &model, "converse", &request));
        let message = answer["output"]["message"].clone();
        let reasoning = &message["content"][0]["reasoningContent"]["reasoningText"];
        assert!(reasoning["signature"].as_str().unwrap().len() > 100);
        assert!(message["content"][1]["text"].is_string());
        request["messages"].as_array_mut().unwrap().push(message);
        request["messages"]
            .as_array_mut()
            .unwrap()
            .push(json!({"role": "user", "content": [{"text": "And times 2?"}]}));
        assert_eq!(call(&emulator, &model, "converse", &request).status, 200);
        let events = events(&call(&emulator, &model, "converse-stream", &request));
        let kinds: Vec<_> = events
            .iter()
            .map(|(_, e)| &e["delta"]["reasoningContent"])
            .filter(|v| v.is_object())
            .collect();
        assert!(kinds[0].get("text").is_some());
        assert!(kinds.last().unwrap().get("signature").is_some());
    }
}

#[test]
fn structured_output_is_json_that_fits_the_schema() {
    let emulator = open();
    let mut request = ask("Who?");
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": false});
    request["outputConfig"] = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema.to_string(), "name": "person"}}}});
    let answer = body(&call(
        &emulator,
        &profile(&emulator, "haiku"),
        "converse",
        &request,
    ));
    let text = answer["output"]["message"]["content"][0]["text"]
        .as_str()
        .unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    assert!(value["name"].is_string());
}

#[test]
fn empty_members_that_sdks_send_are_accepted() {
    let emulator = open();
    let mut request = ask("Hi");
    request["system"] = json!([]);
    request["inferenceConfig"] = json!({});
    request["toolConfig"] = Value::Null;
    request["somethingNew"] = json!({"a": 1});
    assert_eq!(
        call(
            &emulator,
            &profile(&emulator, "haiku"),
            "converse",
            &request
        )
        .status,
        200
    );
}

#[test]
fn count_tokens_agrees_with_usage_and_wants_a_base_id() {
    let emulator = open();
    let request = ask("Hello, world!");
    let profile = profile(&emulator, "sonnet");
    let base = emulator.catalogue().by_alias("sonnet").unwrap().id.clone();
    let used =
        body(&call(&emulator, &profile, "converse", &request))["usage"]["inputTokens"].clone();
    let count = json!({"input": {"converse": request}});
    assert_eq!(
        text(&call(&emulator, &base, "count-tokens", &count)),
        format!("{{\"inputTokens\":{used}}}")
    );
    let refused = call(&emulator, &profile, "count-tokens", &count);
    assert_eq!(refused.status, 400);
    assert_eq!(
        text(&refused),
        "{\"message\":\"The provided model doesn't support counting tokens.\"}"
    );
}

#[test]
fn the_same_requests_give_the_same_bytes() {
    let run = || {
        let emulator = with(|c| c.latency = bedrock_emulator::Config::default().latency);
        let model = profile(&emulator, "sonnet");
        let mut tool = ask("get_weather");
        tool["toolConfig"] = json!({"tools": [weather_tool()], "toolChoice": {"any": {}}});
        let invoke = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]});
        let requests = [
            post(&model, "converse", ask("a").to_string()),
            post(&model, "converse-stream", tool.to_string()),
            post(&model, "invoke", invoke.to_string()),
            post(&model, "invoke-with-response-stream", invoke.to_string()),
            post("nonsense", "converse", "{}"),
        ];
        requests.map(|request| emulator.handle(&request, now()))
    };
    assert_eq!(run(), run());
}

#[test]
fn scrambling_changes_words_and_nothing_else() {
    let plain = open();
    let scrambled = with(|c| c.scramble = true);
    let shape = |emulator: &bedrock_emulator::Emulator| {
        let reply = call(
            emulator,
            &profile(emulator, "haiku"),
            "converse",
            &ask("What is Rust?"),
        );
        let answer = body(&reply);
        (
            answer["stopReason"].clone(),
            answer["output"]["message"]["content"][0]["text"].clone(),
        )
    };
    let (plain, scrambled) = (shape(&plain), shape(&scrambled));
    assert_eq!(plain.0, scrambled.0);
    assert_ne!(plain.1, scrambled.1);
}
