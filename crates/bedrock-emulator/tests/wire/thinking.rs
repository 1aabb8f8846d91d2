//! Thinking: its forms per model, signatures that verify and cannot be altered, what is shown and
//! what is counted.

use serde_json::{Value, json};

use crate::bench::{base, call, chunks, events, json as body, open, profile, text, with};

const BUDGET: u32 = 1_024;

fn ask(prompt: &str) -> Value {
    json!({
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": BUDGET}}
    })
}

fn invoke(prompt: &str) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 4_000,
        "thinking": {"type": "enabled", "budget_tokens": BUDGET},
        "messages": [{"role": "user", "content": prompt}]
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write the next message in place"
)]
fn follow(request: &mut Value, answer: Value, next: Value) {
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(answer);
    messages.push(json!({"role": "user", "content": next}));
}

#[test]
fn a_signature_is_accepted_by_every_emulator_of_the_same_seed() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let mut request = ask("What is 5 + 3?");
    let answer = body(&call(&emulator, &model, "converse", &request));
    let reasoning = &answer["output"]["message"]["content"][0]["reasoningContent"];
    let signature = reasoning["reasoningText"]["signature"].as_str().unwrap();
    // Recorded ones are protobuf in base64 and begin with E.
    assert!(
        signature.starts_with('E') && signature.len() > 200,
        "{signature}"
    );
    let message = answer["output"]["message"].clone();
    follow(&mut request, message, json!([{"text": "Times 2?"}]));
    // A restart changes nothing, another seed does.
    assert_eq!(call(&open(), &model, "converse", &request).status, 200);
    let other = with(|config| config.seed = 99);
    let refused = call(&other, &model, "converse", &request);
    assert_eq!(
        text(&refused),
        "{\"message\":\"The model returned the following errors: messages.1.content.0: Invalid \
         `signature` in `thinking` block\"}"
    );
}

#[test]
fn altered_thinking_is_refused_in_both_dialects() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    let mut request = invoke("What is 5 + 3?");
    let answer = body(&call(&emulator, &model, "invoke", &request));
    assert_eq!(answer["content"][0]["type"], "thinking");
    let message = json!({"role": "assistant", "content": answer["content"]});
    follow(&mut request, message, json!("Times 2?"));
    assert_eq!(call(&emulator, &model, "invoke", &request).status, 200);
    request["messages"][1]["content"][0]["thinking"] = "I was altered.".into();
    let refused = call(&emulator, &model, "invoke", &request);
    assert_eq!(refused.status, 400);
    assert_eq!(
        text(&refused),
        "{\"message\":\"messages.1.content.0: Invalid `signature` in `thinking` block\"}"
    );
    let mut request = ask("What is 5 + 3?");
    let answer = body(&call(&emulator, &model, "converse", &request));
    follow(
        &mut request,
        answer["output"]["message"].clone(),
        json!([{"text": "Times 2?"}]),
    );
    let block = &mut request["messages"][1]["content"][0]["reasoningContent"]["reasoningText"];
    // Bedrock takes an empty signature for a missing one.
    for signature in [json!(""), Value::Null] {
        block["signature"] = signature;
        let block = block.clone();
        let mut request = request_with(&request_of(&block));
        request["additionalModelRequestFields"] = ask("")["additionalModelRequestFields"].clone();
        let refused = call(&emulator, &model, "converse", &request);
        assert!(
            text(&refused)
                .contains("errors: messages.1.content.0.thinking.signature: Field required"),
            "{}",
            text(&refused)
        );
    }
}

fn request_of(reasoning: &Value) -> Value {
    json!({"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": reasoning}}, {"text": "8"}
    ]})
}

fn request_with(answer: &Value) -> Value {
    json!({"messages": [
        {"role": "user", "content": [{"text": "What is 5 + 3?"}]}, answer,
        {"role": "user", "content": [{"text": "Times 2?"}]}
    ]})
}

#[test]
fn the_documented_test_string_gets_redacted_thinking() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let trigger = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB";
    let mut request = ask(trigger);
    let answer = body(&call(&emulator, &model, "converse", &request));
    let content = answer["output"]["message"]["content"].as_array().unwrap();
    // Recorded: two redacted blocks, then text; on Converse Anthropic's base64 in base64.
    assert_eq!(content.len(), 3);
    let redacted = content[0]["reasoningContent"]["redactedContent"]
        .as_str()
        .unwrap();
    assert!(redacted.starts_with("RX") && content[2]["text"].is_string());
    let stream = events(&call(&emulator, &model, "converse-stream", &request));
    let deltas: Vec<_> = stream
        .iter()
        .filter(|(_, e)| e["contentBlockIndex"] == 0)
        .collect();
    assert_eq!(deltas.len(), 2);
    assert!(deltas[0].1["delta"]["reasoningContent"]["redactedContent"].is_string());
    assert_eq!(deltas[1].0, "contentBlockStop");
    let message = answer["output"]["message"].clone();
    follow(&mut request, message, json!([{"text": "Go on."}]));
    assert_eq!(call(&emulator, &model, "converse", &request).status, 200);
    request["messages"][1]["content"][0]["reasoningContent"]["redactedContent"] = "RXFB".into();
    let refused = call(&emulator, &model, "converse", &request);
    assert!(text(&refused).contains("Invalid `data` in `redacted_thinking` block"));
    let answer = body(&call(&emulator, &model, "invoke", &invoke(trigger)));
    assert_eq!(answer["content"][0]["type"], "redacted_thinking");
    assert!(
        answer["content"][0]["data"]
            .as_str()
            .unwrap()
            .starts_with('E')
    );
    let stream = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &invoke(trigger),
    ));
    assert_eq!(stream[1]["content_block"]["type"], "redacted_thinking");
    assert_eq!(stream[2]["type"], "content_block_stop");
}

#[test]
fn thinking_is_counted_and_cut_with_the_rest() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let with = |request: &Value| body(&call(&emulator, &model, "converse", request));
    let mut plain = ask("Tell me about tides");
    plain
        .as_object_mut()
        .unwrap()
        .remove("additionalModelRequestFields");
    let thought = with(&ask("Tell me about tides"));
    let count = |answer: &Value| answer["usage"]["outputTokens"].as_u64().unwrap();
    assert!(count(&thought) > count(&with(&plain)));
    let mut short = invoke("Tell me about tides");
    short["max_tokens"] = (BUDGET + 1).into();
    let answer = body(&call(&emulator, &model, "invoke", &short));
    assert!(answer["usage"]["output_tokens"].as_u64().unwrap() <= u64::from(BUDGET) + 1);
}

#[test]
fn newer_models_show_no_thinking_and_count_it_all_the_same() {
    let emulator = open();
    let catalogue = emulator.catalogue();
    let name = base(&emulator, "Claude Opus 4.8");
    let model = catalogue
        .profile_id(catalogue.model(&name).unwrap(), "us-east-1")
        .unwrap();
    let mut request = ask("Tell me about tides");
    let fields = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    request["additionalModelRequestFields"] = fields;
    let answer = body(&call(&emulator, &model, "converse", &request));
    let reasoning = &answer["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"];
    // Seen live: the block is there, its text is not.
    assert_eq!(reasoning["text"], "");
    assert!(reasoning["signature"].as_str().unwrap().len() > 200);
    let said = &answer["output"]["message"]["content"][1]["text"];
    let mut plain = request.clone();
    plain
        .as_object_mut()
        .unwrap()
        .remove("additionalModelRequestFields");
    let unthought = body(&call(&emulator, &model, "converse", &plain));
    assert_eq!(&unthought["output"]["message"]["content"][0]["text"], said);
    let count = |answer: &Value| answer["usage"]["outputTokens"].as_u64().unwrap();
    assert!(count(&answer) > count(&unthought));
    let stream = events(&call(&emulator, &model, "converse-stream", &request));
    let first = &stream[1].1["delta"]["reasoningContent"];
    assert!(first["signature"].is_string(), "{first}");
    let message = answer["output"]["message"].clone();
    follow(&mut request, message, json!([{"text": "More?"}]));
    assert_eq!(call(&emulator, &model, "converse", &request).status, 200);
}

#[test]
fn some_models_think_unasked() {
    let emulator = open();
    let catalogue = emulator.catalogue();
    let thinkers: Vec<_> = catalogue
        .models
        .iter()
        .filter(|m| m.thinking.always)
        .collect();
    assert!(!thinkers.is_empty());
    for model in thinkers {
        let id = catalogue.profile_id(model, "us-east-1").unwrap();
        let request = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
        let answer = body(&call(&emulator, &id, "converse", &request));
        let first = &answer["output"]["message"]["content"][0];
        assert!(first["reasoningContent"].is_object(), "{id}: {first}");
    }
}

#[test]
fn a_tool_use_follows_thinking_and_results_are_answered_without_it() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    let mut request = ask("What's the weather in Berlin?");
    request["toolConfig"] = json!({"tools": [{"toolSpec": {
        "name": "get_weather", "description": "The weather in a city",
        "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
    }}]});
    let answer = body(&call(&emulator, &model, "converse", &request));
    let content = answer["output"]["message"]["content"]
        .as_array()
        .unwrap()
        .clone();
    assert!(content[0]["reasoningContent"].is_object());
    let tool_use = &content[1]["toolUse"];
    assert_eq!(tool_use["input"], json!({"city": "Berlin"}));
    let result = json!([{"toolResult": {"toolUseId": tool_use["toolUseId"],
        "content": [{"json": {"temperature": 21, "sky": "clear"}}]}}]);
    follow(&mut request, answer["output"]["message"].clone(), result);
    let answer = body(&call(&emulator, &model, "converse", &request));
    assert_eq!(answer["stopReason"], "end_turn");
    let said = answer["output"]["message"]["content"][0]["text"]
        .as_str()
        .unwrap();
    assert!(
        said.contains("temperature is 21") && said.contains("Berlin"),
        "{said}"
    );
}
