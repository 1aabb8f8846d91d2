//! Converse and `ConverseStream` for a caller that does everything right.

use serde_json::json;

use crate::bench::{call, events, header, json as body, open, profile, text};

#[test]
fn an_answer_has_sorted_keys_compact_json_and_usage_that_adds_up() {
    let emulator = open();
    let request = json!({"messages": [{"role": "user", "content": [{"text": "What is Rust?"}]}]});
    let reply = call(
        &emulator,
        &profile(&emulator, "sonnet"),
        "converse",
        &request,
    );
    assert_eq!(reply.status, 200, "{}", text(&reply));
    println!("{}", text(&reply));
    let answer = body(&reply);
    let usage = &answer["usage"];
    let number = |key: &str| usage[key].as_u64().unwrap();
    assert_eq!(
        number("inputTokens") + number("outputTokens"),
        number("totalTokens")
    );
    assert_eq!(header(&reply, "Content-Type"), Some("application/json"));
    let names: Vec<_> = reply.headers.iter().map(|(n, _)| *n).collect();
    assert_eq!(names, ["Content-Type", "x-amzn-RequestId"]);
}

#[test]
fn a_stream_has_the_recorded_order() {
    let emulator = open();
    let request = json!({"messages": [{"role": "user", "content": [{"text": "What is Rust?"}]}]});
    let reply = call(
        &emulator,
        &profile(&emulator, "haiku"),
        "converse-stream",
        &request,
    );
    let events = events(&reply);
    println!("{events:#?}");
    assert_eq!(events[0].0, "messageStart");
}
