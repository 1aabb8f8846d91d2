//! The journal over HTTP: list, filter, one entry, repeat, take away.

use bedrock_emulator::{
    Emulator, Reply, Request,
    script::{Fault, Step},
};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{call, json as body, now, open, post, profile, text, with};

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "It's 'quoted'"}]}]})
}

fn control(emulator: &Emulator, method: &str, target: &str) -> Reply {
    let request = Request {
        method: method.to_owned(),
        target: format!("/_workshop/{target}"),
        ..post("", "", "")
    };
    emulator.handle(&request, now())
}

fn get(emulator: &Emulator, target: &str) -> Value {
    let reply = control(emulator, "GET", target);
    assert_eq!(reply.status, 200, "{target}: {}", text(&reply));
    body(&reply)
}

/// One answer, one stream, one throttle, one refusal.
fn four() -> (Emulator, String) {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    call(&emulator, &model, "converse", &ask());
    call(&emulator, &model, "converse-stream", &ask());
    emulator.script([Step::Fault(Fault::Throttling {
        retry_after_ms: None,
    })]);
    call(&emulator, &model, "converse", &ask());
    call(&emulator, "nonsense", "converse", &ask());
    (emulator, model)
}

fn seqs(list: &Value) -> Vec<u64> {
    let list = list["requests"].as_array().unwrap().iter();
    list.map(|entry| entry["seq"].as_u64().unwrap()).collect()
}

#[test]
fn requests_are_listed_and_filtered() {
    let (emulator, model) = four();
    for (query, wanted) in [
        ("", vec![1, 2, 3, 4]),
        ("?operation=ConverseStream", vec![2]),
        ("?status=429", vec![3]),
        ("?error=ThrottlingException", vec![3]),
        (&format!("?model={model}&limit=2"), vec![2, 3]),
        ("?since=3", vec![4]),
        ("?since=99", vec![]),
        ("?identity=user/student&limit=1", vec![4]),
        ("?account=123456789012&limit=1", vec![4]),
    ] {
        let list = get(&emulator, &format!("requests{query}"));
        assert_eq!(seqs(&list), wanted, "{query}");
    }
    for (target, status, says) in [
        ("requests?limit=some", 400, "whole number"),
        ("requests?account=1", 404, "no request of an account"),
        ("requests/99", 404, "holds no request 99"),
        ("requests/x", 400, "not the number of a request"),
    ] {
        let reply = control(&emulator, "GET", target);
        assert_eq!(reply.status, status, "{target}");
        assert!(text(&reply).contains(says), "{target}: {}", text(&reply));
    }
    control(&emulator, "DELETE", "requests");
    assert!(seqs(&get(&emulator, "requests")).is_empty());
}

#[test]
fn an_entry_tells_what_was_answered() {
    let (emulator, model) = four();
    let whole = get(&emulator, "requests/1");
    assert_eq!(whole["identity"], "arn:aws:iam::123456789012:user/student");
    assert_eq!(whole["region"], "us-east-1");
    assert_eq!(whole["body"], ask());
    let said = &whole["answer"]["output"]["message"]["content"][0]["text"];
    assert_eq!(&whole["text"], said);
    assert_eq!(
        whole["usage"]["output"],
        whole["answer"]["usage"]["outputTokens"]
    );
    assert!(whole["cost_micro_usd"].as_u64().unwrap() > 0);
    let stream = get(&emulator, "requests/2");
    assert_eq!(stream["text"].as_str().is_some(), said.as_str().is_some());
    let frames = stream["frames"].as_array().unwrap();
    assert_eq!(frames[0]["event"], "messageStart");
    assert_eq!(frames.last().unwrap()["event"], "metadata");
    let sum: u64 = frames.iter().map(|f| f["bytes"].as_u64().unwrap()).sum();
    assert_eq!(stream["answer_bytes"], sum);
    assert_eq!(stream["model"], model);
    let throttled = get(&emulator, "requests/3");
    assert_eq!(throttled["error"], "ThrottlingException");
    assert!(throttled["answer"]["message"].is_string());
    assert!(throttled["usage"].is_null());
}

#[test]
fn a_request_is_repeated_as_its_caller() {
    let (emulator, _) = four();
    let again = control(&emulator, "POST", "requests/1/replay");
    let again = body(&again);
    assert_eq!(again["replayOf"], 1);
    assert_eq!(again["request"]["replay_of"], 1);
    assert_eq!(again["request"]["status"], 200);
    assert_eq!(again["request"]["body"], ask());
    let first = get(&emulator, "requests/1");
    assert_eq!(again["request"]["identity"], first["identity"]);
    // The repeated request is judged by today's policies.
    let deny = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    emulator.set_policies(&[deny]).unwrap();
    let denied = body(&control(&emulator, "POST", "requests/1/replay"));
    assert_eq!(denied["request"]["status"], 403);
}

#[test]
fn a_request_can_be_taken_away() {
    let (emulator, model) = four();
    let model = model.replace(':', "%3A");
    let curl = text(&control(&emulator, "GET", "requests/1/curl"));
    assert!(
        curl.contains(&format!("'/model/{model}/converse'")),
        "{curl}"
    );
    assert!(curl.contains(r"It'\''s '\''quoted'\''"), "{curl}");
    let boto3 = text(&control(&emulator, "GET", "requests/2/boto3"));
    assert!(boto3.contains("client.converse_stream("), "{boto3}");
    let rust = text(&control(&emulator, "GET", "requests/1/rust"));
    assert!(
        rust.contains("ContentBlock::Text(\"It's 'quoted'\""),
        "{rust}"
    );
}

/// The members that HAR 1.2 demands.
#[test]
fn the_archive_is_har_1_2() {
    let (emulator, _) = four();
    emulator.script([Step::Fault(Fault::Disconnect)]);
    let mut secret = post(&profile(&emulator, "haiku"), "converse", ask().to_string());
    let bearer = ("authorization".to_owned(), "Bearer ABSKsecret".to_owned());
    secret.headers.push(bearer);
    emulator.handle(&secret, now());
    let har = get(&emulator, "requests.har");
    assert!(!har.to_string().contains("ABSKsecret"));
    let log = &har["log"];
    assert_eq!(log["version"], "1.2");
    assert!(log["creator"]["name"].is_string() && log["creator"]["version"].is_string());
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 5);
    for entry in entries {
        assert!(entry["startedDateTime"].as_str().unwrap().ends_with('Z'));
        assert!(entry["time"].is_u64() && entry["cache"].is_object());
        for name in ["send", "wait", "receive"] {
            assert!(entry["timings"][name].is_u64());
        }
        let request = &entry["request"];
        for name in ["method", "url", "httpVersion"] {
            assert!(request[name].is_string());
        }
        for name in ["cookies", "headers", "queryString"] {
            assert!(request[name].is_array());
        }
        assert!(request["headersSize"].is_i64() && request["bodySize"].is_u64());
        assert!(request["postData"]["text"].is_string());
        let response = &entry["response"];
        assert!(response["status"].is_u64() && response["statusText"].is_string());
        assert!(response["redirectURL"].is_string() && response["cookies"].is_array());
        assert!(response["content"]["size"].is_u64());
        assert!(response["content"]["mimeType"].is_string());
    }
    assert_eq!(entries[1]["response"]["content"]["encoding"], "base64");
    assert_eq!(entries[4]["response"]["status"], 0);
}

#[test]
fn the_journal_is_bounded_by_bytes_too() {
    let emulator = with(|c| c.journal_bytes = 40_000);
    let model = profile(&emulator, "haiku");
    let long = json!({"messages": [{"role": "user", "content": [{"text": "x".repeat(15_000)}]}]});
    for _ in 0..5 {
        call(&emulator, &model, "converse", &long);
    }
    let held = seqs(&get(&emulator, "requests"));
    assert_eq!(held, [4, 5], "two of 15 kB and their answers");
    let huge = json!({"messages": [{"role": "user", "content": [{"text": "x".repeat(90_000)}]}]});
    call(&emulator, &model, "converse", &huge);
    assert_eq!(
        seqs(&get(&emulator, "requests")).len(),
        1,
        "the newest stays"
    );
}

#[test]
fn costs_and_metrics_add_up() {
    let (emulator, model) = four();
    emulator.handle(
        &post(&model, "converse", ask().to_string()),
        now() + Duration::days(1),
    );
    let cost = get(&emulator, "cost");
    let rows = cost["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "two days");
    assert_eq!(rows[0]["invocations"], 2);
    assert_eq!(rows[0]["modelId"], model);
    assert_eq!(rows[0]["day"], "2026-08-19");
    let sum: u64 = rows
        .iter()
        .map(|row| row["microUsd"].as_u64().unwrap())
        .sum();
    assert_eq!(cost["microUsd"], sum);
    let metrics = text(&control(&emulator, "GET", "metrics"));
    let labels = format!("account=\"123456789012\",region=\"us-east-1\",model_id=\"{model}\"");
    for line in [
        format!("aws_bedrock_invocations_total{{{labels}}} 3"),
        format!("aws_bedrock_invocation_throttles_total{{{labels}}} 1"),
        format!("aws_bedrock_time_to_first_token_milliseconds_count{{{labels}}} 1"),
        "# TYPE aws_bedrock_invocation_latency_milliseconds summary".to_owned(),
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line} in\n{metrics}");
    }
}

#[test]
fn the_trail_tells_who_did_what_and_no_prompt() {
    let (emulator, model) = four();
    let trail = get(&emulator, "trail");
    let events = trail["Records"].as_array().unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!(events[0]["eventName"], "Converse");
    assert_eq!(events[0]["eventSource"], "bedrock.amazonaws.com");
    assert_eq!(events[0]["requestParameters"]["modelId"], model);
    assert_eq!(events[0]["userIdentity"]["userName"], "student");
    assert_eq!(
        events[0]["additionalEventData"]["inferenceRegion"],
        "us-east-1"
    );
    assert_eq!(events[2]["errorCode"], "ThrottlingException");
    assert!(!trail.to_string().contains("quoted"));
}
