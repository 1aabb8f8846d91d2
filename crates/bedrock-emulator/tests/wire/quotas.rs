//! Requests and tokens per minute, tokens per day.

use bedrock_emulator::{
    Emulator, Reply,
    quota::{Limits, Quotas},
};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{header, json as parsed, now, post, profile, text, with};

fn emulator(model: &str, limits: Limits) -> Emulator {
    with(|c| {
        c.quotas = Quotas {
            from_catalogue: false,
            limits: [(model.to_owned(), limits)].into(),
        };
    })
}

fn ask(emulator: &Emulator, alias: &str, max_tokens: u32, second: i64) -> Reply {
    let body = json!({
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": max_tokens},
    });
    let request = post(&profile(emulator, alias), "converse", body.to_string());
    emulator.handle(&request, now() + Duration::seconds(second))
}

fn throttled(reply: &Reply, message: &str) {
    assert_eq!(reply.status, 429, "{}", text(reply));
    assert_eq!(text(reply), format!("{{\"message\":\"{message}\"}}"));
    assert_eq!(
        header(reply, "x-amzn-ErrorType"),
        Some("ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/")
    );
}

#[test]
fn requests_per_minute() {
    let limits = Limits {
        requests_per_minute: Some(2),
        ..Limits::default()
    };
    let emulator = emulator("*", limits);
    assert_eq!(ask(&emulator, "haiku", 10, 0).status, 200);
    assert_eq!(ask(&emulator, "haiku", 10, 0).status, 200);
    throttled(
        &ask(&emulator, "haiku", 10, 0),
        "Too many requests, please wait before trying again.",
    );
    assert_eq!(
        ask(&emulator, "sonnet", 10, 0).status,
        200,
        "each model has its own"
    );
    assert_eq!(ask(&emulator, "haiku", 10, 31).status, 200);
}

#[test]
fn max_tokens_are_reserved_and_what_was_not_used_comes_back() {
    let limits = Limits {
        tokens_per_minute: Some(6_000),
        ..Limits::default()
    };
    let emulator = emulator("*", limits);
    let message = "Too many tokens, please wait before trying again.";
    throttled(&ask(&emulator, "haiku", 6_000, 0), message);
    let reply = ask(&emulator, "haiku", 5_000, 0);
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let usage: &Value = &parsed(&reply)["usage"];
    assert!(usage["outputTokens"].as_u64().unwrap() < 150, "{usage}");
    throttled(&ask(&emulator, "haiku", 5_000, 0), message);
    // Ten seconds bring back a thousand by themselves; the rest was given back.
    assert_eq!(ask(&emulator, "haiku", 5_000, 10).status, 200);
}

#[test]
fn tokens_per_day() {
    let limits = Limits {
        tokens_per_day: Some(1_000),
        ..Limits::default()
    };
    let emulator = emulator("*", limits);
    assert_eq!(ask(&emulator, "haiku", 500, 0).status, 200);
    throttled(
        &ask(&emulator, "haiku", 1_000, 0),
        "Too many tokens per day, please wait before trying again.",
    );
    assert_eq!(ask(&emulator, "haiku", 900, 86_400).status, 200);
}

#[test]
fn a_profiles_limit_is_its_own() {
    let id = profile(&with(|_| {}), "haiku");
    let limits = Limits {
        requests_per_minute: Some(0),
        ..Limits::default()
    };
    let emulator = emulator(&id, limits);
    assert_eq!(ask(&emulator, "haiku", 10, 0).status, 429);
    assert_eq!(ask(&emulator, "sonnet", 10, 0).status, 200);
}

#[test]
fn the_catalogues_quotas_hold_when_asked_for() {
    let emulator = with(|c| c.quotas.from_catalogue = true);
    let model = emulator.catalogue().by_alias("haiku").unwrap();
    let (per_minute, most) = (model.quotas.tokens_per_minute, model.max_output - 1);
    let fitting = per_minute / u64::from(most);
    let answered = (0..=fitting).filter(|_| ask(&emulator, "haiku", most, 0).status == 200);
    assert_eq!(u64::try_from(answered.count()).unwrap(), fitting);
}
