//! `InvokeModel` and `InvokeModelWithResponseStream`: Claude's own bodies.

use bedrock_emulator::{
    Emulator,
    script::{Piece, Step},
};
use serde_json::{Value, json};

use crate::bench::{base, call, chunks, header, json as body, messages, open, profile, text, with};

fn messages_body(prompt: &str) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": prompt}],
    })
}

/// An emulator on a day when the Claude 2 and 3 generations still answered.
fn in_2025() -> Emulator {
    with(|c| c.today = time::Date::from_ordinal_date(2025, 40).ok())
}

#[test]
fn a_body_has_the_recorded_key_order_and_headers() {
    let emulator = open();
    emulator.script([Step::Say(vec![
        Piece::Text("Hi".to_owned()),
        Piece::Usage {
            input: 4,
            output: 50,
        },
    ])]);
    let reply = call(
        &emulator,
        &profile(&emulator, "haiku"),
        "invoke",
        &messages_body("x"),
    );
    let answer = text(&reply);
    assert!(answer.starts_with("{\"id\":\"msg_bdrk_01"), "{answer}");
    let (_, tail) = answer.split_once("\",\"type\"").unwrap();
    let model = &emulator.catalogue().by_alias("haiku").unwrap().provider_id;
    assert_eq!(
        tail,
        format!(
            ":\"message\",\"role\":\"assistant\",\"model\":\"{model}\",\"content\":[{{\"type\":\"text\",\"text\":\"Hi\"}}],\
             \"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{{\"input_tokens\":4,\
             \"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"cache_creation\":\
             {{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0}},\"output_tokens\":50}}}}"
        )
    );
    let names: Vec<_> = reply.headers.iter().map(|(n, _)| &**n).collect();
    assert_eq!(
        names,
        [
            "Content-Type",
            "x-amzn-RequestId",
            "X-Amzn-Bedrock-Invocation-Latency",
            "X-Amzn-Bedrock-Cache-Write-Input-Token-Count",
            "X-Amzn-Bedrock-Cache-Read-Input-Token-Count",
            "X-Amzn-Bedrock-Output-Token-Count",
            "X-Amzn-Bedrock-Input-Token-Count",
        ]
    );
    assert_eq!(
        header(&reply, "X-Amzn-Bedrock-Output-Token-Count"),
        Some("50")
    );
}

/// Recorded once, on Opus 4.8.
fn newest_headers() -> [&'static str; 6] {
    [
        "Content-Type",
        "x-amzn-RequestId",
        "X-Amzn-Bedrock-Invocation-Latency",
        "X-Amzn-Bedrock-Cache-Read-Input-Token-Count",
        "X-Amzn-Bedrock-Output-Token-Count",
        "X-Amzn-Bedrock-Input-Token-Count",
    ]
}

fn opus_4_8(emulator: &Emulator) -> String {
    format!("us.{}", base(emulator, "Claude Opus 4.8"))
}

fn of_base32(id: &str) -> bool {
    let Some(tail) = id.strip_prefix("msg_bdrk_") else {
        return false;
    };
    tail.len() == 52
        && tail
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

#[test]
fn opus_4_8_answers_with_its_own_ids_usage_and_headers() {
    let emulator = open();
    let hi = |input, output| {
        Step::Say(vec![
            Piece::Text("Hi".to_owned()),
            Piece::Usage { input, output },
        ])
    };
    emulator.script([hi(68, 508)]);
    let model = opus_4_8(&emulator);
    let reply = call(&emulator, &model, "invoke", &messages_body("x"));
    let answer = text(&reply);
    let id = body(&reply)["id"].as_str().unwrap().to_owned();
    assert!(of_base32(&id), "{id}");
    let provider_id = &emulator
        .catalogue()
        .find(&model, "us-east-1")
        .unwrap()
        .model
        .provider_id;
    assert_eq!(
        answer,
        format!(
            "{{\"id\":\"{id}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{provider_id}\",\
             \"content\":[{{\"type\":\"text\",\"text\":\"Hi\"}}],\
             \"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"stop_details\":null,\
             \"usage\":{{\"input_tokens\":68,\"cache_creation_input_tokens\":0,\
             \"cache_read_input_tokens\":0,\"cache_creation\":\
             {{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0}},\
             \"output_tokens\":508,\"output_tokens_details\":{{\"thinking_tokens\":0}},\
             \"service_tier\":\"standard\"}}}}"
        )
    );
    let names: Vec<_> = reply.headers.iter().map(|(n, _)| &**n).collect();
    assert_eq!(names, newest_headers());
}

#[test]
fn opus_4_8_counts_what_it_thought_whole_and_streamed() {
    let emulator = open();
    let model = opus_4_8(&emulator);
    let mut request = messages_body("How many primes are below 100?");
    request["max_tokens"] = json!(4_000);
    request["thinking"] = json!({"type": "adaptive"});
    let reply = call(&emulator, &model, "invoke", &request);
    let usage = body(&reply)["usage"].clone();
    let thought = usage["output_tokens_details"]["thinking_tokens"]
        .as_u64()
        .unwrap();
    assert!(
        0 < thought && thought < usage["output_tokens"].as_u64().unwrap(),
        "{usage}"
    );
    let reply = call(&emulator, &model, "invoke-with-response-stream", &request);
    let chunks = chunks(&reply);
    let id = chunks[0]["message"]["id"].as_str().unwrap();
    assert!(of_base32(id), "{id}");
    assert_eq!(
        chunks[0]["message"]["usage"]["service_tier"], "standard",
        "{}",
        chunks[0]
    );
}

#[test]
fn claude_3_has_the_short_usage_and_no_cache_headers() {
    let emulator = in_2025();
    let model = base(&emulator, "Claude 3 Sonnet");
    let reply = call(
        &emulator,
        &model,
        "invoke",
        &messages_body("Tell me a joke"),
    );
    let answer = body(&reply);
    let keys: Vec<_> = answer["usage"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["input_tokens", "output_tokens"]);
    assert_eq!(
        header(&reply, "X-Amzn-Bedrock-Cache-Read-Input-Token-Count"),
        None
    );
}

#[test]
fn a_stream_is_anthropics_events_with_metrics_at_the_end() {
    let emulator = open();
    let mut request = messages_body("Rome");
    request["tools"] = json!([{"name": "look_up", "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}}]);
    request["tool_choice"] = json!({"type": "any"});
    let reply = call(
        &emulator,
        &profile(&emulator, "sonnet"),
        "invoke-with-response-stream",
        &request,
    );
    assert_eq!(
        header(&reply, "X-Amzn-Bedrock-Content-Type"),
        Some("application/json")
    );
    let first = messages(&reply)[0].payload().clone();
    assert!(first.starts_with(b"{\"bytes\":\""), "bytes before p");
    let chunks = chunks(&reply);
    let kinds: Vec<_> = chunks.iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[..3],
        [
            "message_start",
            "content_block_start",
            "content_block_delta"
        ]
    );
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["content_block_stop", "message_delta", "message_stop"]
    );
    assert_eq!(chunks[2]["delta"]["partial_json"], "");
    let pieces = chunks
        .iter()
        .filter_map(|c| c["delta"]["partial_json"].as_str());
    let input: Value = serde_json::from_str(&pieces.collect::<String>()).unwrap();
    assert!(input["q"].is_string());
    let stop = &chunks[chunks.len() - 2];
    assert_eq!(stop["delta"]["stop_reason"], "tool_use");
    let metrics = &chunks.last().unwrap()["amazon-bedrock-invocationMetrics"];
    assert_eq!(metrics["outputTokenCount"], stop["usage"]["output_tokens"]);
    assert_eq!(
        metrics["inputTokenCount"],
        chunks[0]["message"]["usage"]["input_tokens"]
    );
}

#[test]
fn claude_2_answers_text_completions_in_its_lifetime() {
    let emulator = in_2025();
    let model = base(&emulator, "Claude 2.0");
    let request = json!({"prompt": "\n\nHuman: Hello\n\nAssistant:", "max_tokens_to_sample": 100});
    let reply = call(&emulator, &model, "invoke", &request);
    let answer = text(&reply);
    assert!(
        answer.starts_with("{\"type\":\"completion\",\"completion\":\" "),
        "{answer}"
    );
    assert!(
        answer.ends_with(",\"stop_reason\":\"stop_sequence\",\"stop\":\"\\n\\nHuman:\"}"),
        "{answer}"
    );
    let chunks = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &request,
    ));
    let said: String = chunks
        .iter()
        .map(|c| c["completion"].as_str().unwrap())
        .collect();
    assert_eq!(body(&reply)["completion"], said);
    assert!(chunks.last().unwrap()["amazon-bedrock-invocationMetrics"].is_object());
    let short = json!({"prompt": "\n\nHuman: Hello\n\nAssistant:", "max_tokens_to_sample": 1});
    let answer = body(&call(&emulator, &model, "invoke", &short));
    assert_eq!(
        (&answer["stop_reason"], &answer["stop"]),
        (&json!("max_tokens"), &Value::Null)
    );
    assert_eq!(
        call(&emulator, &model, "invoke", &messages_body("Hi")).status,
        200,
        "Messages too"
    );
}

#[test]
fn bodies_that_claude_refuses() {
    let emulator = open();
    let old = base(&emulator, "Claude 2.0");
    let three = base(&emulator, "Claude 3 Sonnet");
    let current = profile(&emulator, "sonnet");
    let newest = format!("us.{}", base(&emulator, "Claude Opus 4.8"));
    let provider = &emulator.catalogue().model(&three).unwrap().provider_id;
    let changed = |change: Value| {
        let mut body = messages_body("Hi");
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let without = |key: &str| {
        let mut body = messages_body("Hi");
        body.as_object_mut().unwrap().remove(key);
        body
    };
    let wrong_model = format!(
        "\"{provider}\" is not supported on this API. Please use the Messages API instead."
    );
    let rows = [
        (
            &old,
            json!({"prompt": "Hi", "max_tokens": 100}),
            "Malformed input request: #: required key [max_tokens_to_sample] not found#: extraneous key [max_tokens] is not permitted, please reformat your input and try again.",
        ),
        (
            &old,
            json!({"prompt": "Hi", "max_tokens_to_sample": 100}),
            "Invalid prompt: prompt must start with \"\n\nHuman:\" turn after an optional system prompt",
        ),
        (
            &old,
            json!({"prompt": "\n\nHuman: Hi", "max_tokens_to_sample": 100}),
            "Invalid prompt: prompt must end with \"\n\nAssistant:\" turn",
        ),
        (
            &old,
            json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 0}),
            "max_tokens_to_sample: range: 1..1,000,000",
        ),
        (
            &three,
            json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 100}),
            wrong_model.as_str(),
        ),
        (
            &current,
            without("max_tokens"),
            "max_tokens: Field required",
        ),
        (&current, without("messages"), "messages: Field required"),
        (
            &current,
            without("anthropic_version"),
            "anthropic_version: Field required",
        ),
        (
            &current,
            changed(json!({"anthropic_version": "2026-10-21"})),
            "anthropic_version: Input should be 'bedrock-2023-05-31'",
        ),
        (
            &current,
            changed(json!({"model": "x"})),
            "model: Extra inputs are not permitted",
        ),
        (
            &current,
            changed(json!({"stream": true})),
            "stream: Extra inputs are not permitted",
        ),
        (
            &current,
            changed(json!({"messages": []})),
            "messages: at least one message is required",
        ),
        (
            &current,
            changed(json!({"messages": "Hi"})),
            "messages: Input should be a valid list",
        ),
        (
            &current,
            changed(json!({"messages": [{"role": "bot", "content": "Hi"}]})),
            "messages.0.role: Input should be 'user' or 'assistant'",
        ),
        (
            &current,
            changed(json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})),
            "messages.0.content.0.type: Field required",
        ),
        (
            &current,
            changed(json!({"messages": [{"role": "user", "content": ""}]})),
            "messages: text content blocks must be non-empty",
        ),
        (
            &current,
            changed(json!({"max_tokens": 0})),
            "max_tokens: Input should be greater than or equal to 1",
        ),
        (
            &current,
            changed(json!({"max_tokens": "9"})),
            "max_tokens: Input should be a valid integer",
        ),
        (
            &current,
            changed(json!({"max_tokens": 64001})),
            "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for",
        ),
        (
            &current,
            changed(json!({"temperature": 1.5})),
            "temperature: range: 0..1",
        ),
        (
            &current,
            changed(json!({"temperature": 0.5, "top_p": 0.5})),
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ),
        (
            &newest,
            changed(json!({"temperature": 0.5})),
            "`temperature` is deprecated for this model.",
        ),
        (
            &newest,
            changed(
                json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}),
            ),
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ),
        (
            &current,
            changed(json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]})),
            "tools.0: Input tag 'web_search_20250305' found using 'type'",
        ),
        (
            &current,
            changed(json!({"tool_choice": {"type": "tool", "name": "x"}})),
            "Tool 'x' not found in provided tools",
        ),
        (
            &current,
            changed(json!({"thinking": {"type": "enabled", "budget_tokens": 10}})),
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            &current,
            changed(json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})),
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            &current,
            json!([1]),
            "Malformed input request, please reformat your input and try again.",
        ),
    ];
    for (model, request, message) in rows {
        let reply = call(&emulator, model, "invoke", &request);
        assert_eq!(reply.status, 400, "{request}: {}", text(&reply));
        let said = body(&reply)["message"].as_str().unwrap().to_owned();
        assert!(
            said.starts_with(message),
            "{request}\n  {said}\n  {message}"
        );
    }
}
