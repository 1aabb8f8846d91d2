//! How long answers take: per model, growing with the input, and told as it was.

use std::time::Duration;

use bedrock_emulator::{Body, Due, Emulator, Reply, emulator::Latency};
use serde_json::{Value, json};

use crate::bench::{call, chunks, events, header, json as body, profile, with};

fn timed() -> Emulator {
    with(|config| config.latency = Latency::Model)
}

fn ask(prompt: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]})
}

/// When the frames of a stream, or the whole body, leave.
fn times(reply: &Reply) -> Vec<Duration> {
    let after = |due: &Due| match due {
        Due::After(time) => *time,
        other => panic!("{other:?}"),
    };
    match &reply.body {
        Body::Frames { frames, .. } => frames.iter().map(|f| after(&f.due)).collect(),
        Body::Whole { due, .. } => vec![after(due)],
        Body::Disconnect { .. } => panic!("no answer"),
    }
}

#[test]
fn the_first_frame_comes_after_the_models_own_time_and_later_for_more_input() {
    let emulator = timed();
    for alias in ["haiku", "sonnet", "opus"] {
        let model = profile(&emulator, alias);
        let speed = emulator.catalogue().by_alias(alias).unwrap().speed;
        let first = Duration::from_millis(u64::from(speed.first_token_ms));
        let short = times(&call(&emulator, &model, "converse-stream", &ask("Hi")));
        assert!(
            short[0] >= first * 9 / 10 && short[0] <= first * 12 / 10,
            "{short:?}"
        );
        assert!(short.is_sorted(), "{short:?}");
        let long = ask(&"word ".repeat(50_000));
        let long = times(&call(&emulator, &model, "converse-stream", &long));
        // Fifty thousand tokens take seconds to read.
        assert!(long[0] > short[0] + Duration::from_secs(3), "{long:?}");
    }
}

#[test]
fn what_is_told_is_what_happened() {
    let emulator = timed();
    let model = profile(&emulator, "haiku");
    let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap();
    let request = ask("Explain tides in five sentences");
    let whole = call(&emulator, &model, "converse", &request);
    assert_eq!(
        body(&whole)["metrics"]["latencyMs"],
        millis(&times(&whole)[0])
    );
    let stream = call(&emulator, &model, "converse-stream", &request);
    let last = events(&stream).last().unwrap().1.clone();
    assert_eq!(
        last["metrics"]["latencyMs"],
        millis(times(&stream).last().unwrap())
    );
    let request = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 200,
        "messages": [{"role": "user", "content": "Explain tides"}]});
    let whole = call(&emulator, &model, "invoke", &request);
    let told = header(&whole, "X-Amzn-Bedrock-Invocation-Latency").unwrap();
    assert_eq!(told, millis(&times(&whole)[0]).to_string());
    let stream = call(&emulator, &model, "invoke-with-response-stream", &request);
    let last = chunks(&stream).pop().unwrap();
    let metrics = &last["amazon-bedrock-invocationMetrics"];
    let times = times(&stream);
    assert_eq!(metrics["firstByteLatency"], millis(&times[0]));
    assert_eq!(metrics["invocationLatency"], millis(times.last().unwrap()));
}

#[test]
fn a_cached_prompt_is_read_sooner() {
    let emulator = timed();
    let model = profile(&emulator, "sonnet");
    let mut request = ask("And now?");
    request["system"] =
        json!([{"text": "rules ".repeat(60_000)}, {"cachePoint": {"type": "default"}}]);
    let first = times(&call(&emulator, &model, "converse-stream", &request))[0];
    let second = times(&call(&emulator, &model, "converse-stream", &request))[0];
    assert!(second * 2 < first, "{first:?} {second:?}");
}

#[test]
fn jitter_is_the_seeds() {
    let run = |seed| {
        let emulator = with(|config| {
            config.latency = Latency::Model;
            config.seed = seed;
        });
        let model = profile(&emulator, "haiku");
        times(&call(&emulator, &model, "converse-stream", &ask("Hi")))[0]
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn hidden_thinking_takes_its_time() {
    let emulator = timed();
    let catalogue = emulator.catalogue();
    let mut models = catalogue.models.iter();
    let model = models
        .find(|m| m.thinking.omitted && !m.thinking.always)
        .unwrap();
    let id = catalogue.profile_id(model, "us-east-1").unwrap();
    let mut request = ask("Explain tides");
    let plain = times(&call(&emulator, &id, "converse-stream", &request));
    request["additionalModelRequestFields"] = json!({"thinking": {"type": "adaptive"}});
    let reply = call(&emulator, &id, "converse-stream", &request);
    let events = events(&reply);
    let text = events
        .iter()
        .position(|(_, e)| e["delta"]["text"].is_string())
        .unwrap();
    let times = times(&reply);
    assert_eq!(
        plain[1], plain[0],
        "without thinking text comes with the first token"
    );
    assert!(
        times[text] > times[0] + Duration::from_millis(100),
        "{times:?}"
    );
}
