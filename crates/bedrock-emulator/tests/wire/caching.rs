//! Prompt caching: what a cache point writes, what the next request reads, and how each API says it.

use bedrock_emulator::{Emulator, Reply};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{
    base, call, chunks, events, header, json as body, now, open, post, profile, text, with,
};

/// Twice the smallest prefix that the model keeps.
fn long(emulator: &Emulator, model: &str) -> String {
    let model = emulator.catalogue().find(model, "us-east-1").unwrap().model;
    let least = model.min_cache_tokens.unwrap() as usize;
    "prompt caching ".repeat(least)
}

fn ask(system: &str, prompt: &str) -> Value {
    json!({
        "system": [{"text": system}, {"cachePoint": {"type": "default"}}],
        "messages": [{"role": "user", "content": [{"text": prompt}]}]
    })
}

fn after(emulator: &Emulator, model: &str, body: &Value, time: Duration) -> Reply {
    let request = post(model, "converse", body.to_string());
    emulator.handle(&request, now() + time)
}

/// `(input, read, written)` of a Converse answer.
fn counts(reply: &Reply) -> (u64, u64, u64) {
    let usage = &body(reply)["usage"];
    let number = |key: &str| usage[key].as_u64().unwrap_or_else(|| panic!("{usage}"));
    for (a, b) in [
        ("cacheReadInputTokenCount", "cacheReadInputTokens"),
        ("cacheWriteInputTokenCount", "cacheWriteInputTokens"),
    ] {
        assert_eq!(number(a), number(b));
    }
    let (input, read) = (number("inputTokens"), number("cacheReadInputTokens"));
    let written = number("cacheWriteInputTokens");
    // Recorded: the total counts cached tokens too.
    let total = input + read + written + number("outputTokens");
    assert_eq!(number("totalTokens"), total);
    (input, read, written)
}

#[test]
fn the_first_request_writes_and_the_next_one_reads() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let system = long(&emulator, &model);
    let first = call(&emulator, &model, "converse", &ask(&system, "One?"));
    let (input, read, written) = counts(&first);
    assert!(read == 0 && written > 1_000 && input < 20);
    let usage = text(&first);
    let usage = &usage[usage.find("\"usage\"").unwrap()..];
    // Recorded 2026: the members, their order, and details on the writing turn only.
    assert!(
        usage.starts_with(&format!(
            "\"usage\":{{\"cacheDetails\":[{{\"inputTokens\":{written},\"ttl\":\"5m\"}}],\
             \"cacheReadInputTokenCount\":0,\"cacheReadInputTokens\":0,\
             \"cacheWriteInputTokenCount\":{written},\"cacheWriteInputTokens\":{written},\
             \"inputTokens\":{input},"
        )),
        "{usage}"
    );
    let second = call(&emulator, &model, "converse", &ask(&system, "And two?"));
    let (_, again, more) = counts(&second);
    assert_eq!((again, more), (written, 0));
    assert!(!text(&second).contains("cacheDetails"));
    let entry = emulator.entry_of(&second).unwrap();
    assert_eq!(u64::from(entry.usage.unwrap().cache_read), written);
    // Counting looks at the whole prompt, cached or not.
    let counted = call(
        &emulator,
        &base(&emulator, &name_of(&emulator, &model)),
        "count-tokens",
        &json!({"input": {"converse": ask(&system, "And two?")}}),
    );
    let (input, read, _) = counts(&second);
    assert_eq!(body(&counted)["inputTokens"], input + read);
}

fn name_of(emulator: &Emulator, id: &str) -> String {
    let found = emulator.catalogue().find(id, "us-east-1").unwrap();
    found.model.name.clone()
}

#[test]
fn a_short_prefix_is_not_kept_and_nobody_says_so() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    for _ in 0..2 {
        let reply = call(&emulator, &model, "converse", &ask("Be brief.", "One?"));
        let (_, read, written) = counts(&reply);
        assert_eq!((read, written), (0, 0));
    }
}

#[test]
fn a_kept_prefix_expires_five_minutes_or_an_hour_after_its_last_use() {
    for (ttl, minutes) in [("5m", 5), ("1h", 60)] {
        let emulator = open();
        let model = profile(&emulator, "sonnet");
        let mut request = ask(&long(&emulator, &model), "One?");
        request["system"][1]["cachePoint"]["ttl"] = ttl.into();
        let almost = Duration::minutes(minutes) - Duration::seconds(1);
        let (_, _, written) = counts(&after(&emulator, &model, &request, Duration::ZERO));
        for round in 1..=3 {
            // Each use starts the time anew.
            let reply = after(&emulator, &model, &request, almost * round);
            let (_, read, _) = counts(&reply);
            assert_eq!(read, written, "{ttl}, round {round}");
        }
        let late = almost * 3 + Duration::minutes(minutes);
        let reply = after(&emulator, &model, &request, late);
        let (_, read, again) = counts(&reply);
        assert_eq!((read, again), (0, written), "{ttl}");
        assert_eq!(body(&reply)["usage"]["cacheDetails"][0]["ttl"], ttl);
    }
}

#[test]
fn tools_come_first_then_system_then_messages_and_a_change_keeps_what_is_before_it() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let long = long(&emulator, &model);
    let tool = |name: &str, description: &str| {
        json!({"toolSpec": {"name": name, "description": description,
            "inputSchema": {"json": {"type": "object"}}}})
    };
    let point = json!({"cachePoint": {"type": "default"}});
    let request = |tools: &str, system: &str, message: &str| {
        json!({
            "toolConfig": {"tools": [tool("search", &format!("{tools} {long}")), point]},
            "system": [{"text": format!("{system} {long}")}, point],
            "messages": [{"role": "user", "content": [{"text": format!("{message} {long}")}, point, {"text": "Go on."}]}],
        })
    };
    let read = |tools: &str, system: &str, message: &str| {
        let reply = call(
            &emulator,
            &model,
            "converse",
            &request(tools, system, message),
        );
        let (_, read, written) = counts(&reply);
        (read, written)
    };
    let (none, all) = read("a", "a", "a");
    assert_eq!(none, 0);
    assert_eq!(read("a", "a", "a"), (all, 0));
    let (two, third) = read("a", "a", "b");
    assert!(two > 0 && third > 0 && two + third == all);
    let (one, rest) = read("a", "b", "a");
    assert!(one > 0 && one < two && one + rest == all);
    assert_eq!(read("b", "a", "a"), (0, all));
}

#[test]
fn a_growing_conversation_reads_what_an_earlier_point_wrote() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let long = long(&emulator, &model);
    let control = json!({"type": "ephemeral"});
    let mut messages = vec![
        json!({"role": "user", "content": [{"type": "text", "text": long, "cache_control": control}]}),
    ];
    let send = |messages: &[Value]| {
        let request = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": messages});
        call(&emulator, &model, "invoke", &request)
    };
    let first = send(&messages);
    let usage = body(&first)["usage"].clone();
    let written = usage["cache_creation_input_tokens"].as_u64().unwrap();
    assert_eq!(
        usage["cache_creation"]["ephemeral_5m_input_tokens"],
        written
    );
    // Recorded: behind the last point only the frame of the answer is left.
    assert_eq!(usage["input_tokens"], 3);
    let cache = |reply: &Reply, what: &str| {
        let name = format!("X-Amzn-Bedrock-Cache-{what}-Input-Token-Count");
        header(reply, &name).unwrap().to_owned()
    };
    assert_eq!(cache(&first, "Write"), written.to_string());
    assert_eq!(cache(&first, "Read"), "0");
    // The point moves to the last message, as recorded with Anthropic's own SDK.
    messages[0]["content"][0]
        .as_object_mut()
        .unwrap()
        .remove("cache_control");
    messages.push(json!({"role": "assistant", "content": "It is about caching."}));
    messages.push(json!({"role": "user", "content": [{"type": "text", "text": "One more?", "cache_control": control}]}));
    let second = send(&messages);
    let usage = &body(&second)["usage"];
    assert_eq!(usage["cache_read_input_tokens"], written);
    let added = usage["cache_creation_input_tokens"].as_u64().unwrap();
    assert!(added > 0 && added < 50, "{usage}");
    assert_eq!(cache(&second, "Read"), written.to_string());
    // Twenty blocks further back nothing is found any more.
    let mut many = vec![json!({"type": "text", "text": "."}); 21];
    many[20]["cache_control"] = control.clone();
    messages[2]["content"] = many.into();
    let usage = &body(&send(&messages))["usage"];
    assert_eq!(usage["cache_read_input_tokens"], 0);
}

#[test]
fn streams_say_so_only_when_something_was_cached() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let request = ask(&long(&emulator, &model), "One?");
    let usage = |reply: &Reply| events(reply).last().unwrap().1["usage"].clone();
    let plain = json!({"messages": request["messages"]});
    let plain = usage(&call(&emulator, &model, "converse-stream", &plain));
    assert!(plain.get("cacheReadInputTokens").is_none());
    let written = usage(&call(&emulator, &model, "converse-stream", &request));
    let read = usage(&call(&emulator, &model, "converse-stream", &request));
    assert!(written["cacheWriteInputTokens"].as_u64().unwrap() > 1_000);
    assert_eq!(
        read["cacheReadInputTokens"],
        written["cacheWriteInputTokens"]
    );
    let request = json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
        "system": [{"type": "text", "text": long(&emulator, &model), "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": "Other dialect, same cache?"}],
    });
    let stream = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &request,
    ));
    let start = &stream[0]["message"]["usage"];
    // The same prefix, whatever API carried it.
    assert_eq!(
        start["cache_read_input_tokens"],
        written["cacheWriteInputTokens"]
    );
    let metrics = &stream.last().unwrap()["amazon-bedrock-invocationMetrics"];
    assert_eq!(
        metrics["cacheReadInputTokenCount"],
        start["cache_read_input_tokens"]
    );
    assert_eq!(metrics["cacheWriteInputTokenCount"], 0);
}

#[test]
fn models_and_accounts_keep_their_own() {
    let emulator = with(|config| config.auth = bedrock_emulator::emulator::Auth::Off);
    let (haiku, sonnet) = (profile(&emulator, "haiku"), profile(&emulator, "sonnet"));
    let system = format!("{}{}", long(&emulator, &haiku), long(&emulator, &sonnet));
    let request = ask(&system, "One?");
    let (_, _, written) = counts(&call(&emulator, &haiku, "converse", &request));
    let (_, read, again) = counts(&call(&emulator, &sonnet, "converse", &request));
    assert!(written > 0 && again > 0 && read == 0);
    // Another door to the same model finds the same cache.
    let base = emulator.catalogue().find(&haiku, "us-east-1").unwrap();
    let global = format!("global.{}", base.model.id);
    let (_, read, _) = counts(&call(&emulator, &global, "converse", &request));
    assert_eq!(read, written);
    let other = open();
    let (_, read, _) = counts(&call(&other, &haiku, "converse", &request));
    assert_eq!(read, 0);
}

#[test]
fn what_was_refused_or_failed_writes_nothing() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let request = ask(&long(&emulator, &model), "One?");
    let fault = bedrock_emulator::script::Fault::ServiceUnavailable;
    emulator.script([bedrock_emulator::script::Step::Fault(fault)]);
    assert_eq!(call(&emulator, &model, "converse", &request).status, 503);
    let (_, read, written) = counts(&call(&emulator, &model, "converse", &request));
    assert!(read == 0 && written > 0);
}
