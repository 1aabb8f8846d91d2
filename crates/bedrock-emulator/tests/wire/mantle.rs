//! Anthropic's own paths: what its clients read, held against what `InvokeModel` says for the same.

use bedrock_emulator::{
    Emulator, Reply, Request,
    emulator::{ApiKey, Auth},
    script::{Fault, Piece, Step},
};
use serde_json::{Value, json};

use crate::bench::{call, chunks, header, json as body, now, open, profile, text, with};

fn ask(emulator: &Emulator, path: &str, body: &Value) -> Reply {
    emulator.handle(&request(path, body), now())
}

fn request(path: &str, body: &Value) -> Request {
    Request {
        method: "POST".to_owned(),
        target: format!("/anthropic/v1/messages{path}"),
        headers: [("host", "127.0.0.1:4566")].into(),
        body: body.to_string().into(),
        connection: 1,
    }
}

fn bare(emulator: &Emulator) -> String {
    emulator.catalogue().by_alias("haiku").unwrap().id.clone()
}

fn question(emulator: &Emulator) -> Value {
    json!({
        "model": bare(emulator),
        "max_tokens": 60,
        "messages": [{"role": "user", "content": "Tell me about tides."}],
    })
}

/// The same as a body of `InvokeModel`.
fn invoked(emulator: &Emulator, action: &str) -> Reply {
    let mut body = question(emulator);
    body.as_object_mut().unwrap().remove("model");
    body["anthropic_version"] = json!("bedrock-2023-05-31");
    call(emulator, &profile(emulator, "haiku"), action, &body)
}

/// Names and payloads of server-sent events.
fn events(reply: &Reply) -> Vec<(String, Value)> {
    let text = text(reply);
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let name = name.strip_prefix("event: ").unwrap();
        (name.to_owned(), serde_json::from_str(data).unwrap())
    });
    events.collect()
}

#[test]
fn a_message_is_what_invoke_model_says_without_bedrocks_headers() {
    let (one, other) = (open(), open());
    let reply = ask(&one, "", &question(&one));
    assert_eq!(text(&reply), text(&invoked(&other, "invoke")));
    let names: Vec<_> = reply.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["Content-Type", "x-amzn-RequestId", "request-id"]);
    let id = header(&reply, "request-id").unwrap();
    assert!(id.starts_with("req_") && id.len() == 56, "{id}");
}

#[test]
fn a_stream_tells_the_same_events_with_a_ping_and_without_bedrocks_metrics() {
    let (one, other) = (open(), open());
    let mut streamed = question(&one);
    streamed["stream"] = json!(true);
    let reply = ask(&one, "", &streamed);
    assert_eq!(
        header(&reply, "Content-Type"),
        Some("text/event-stream; charset=utf-8")
    );
    let mut told = events(&reply);
    assert_eq!(told[2], ("ping".to_owned(), json!({"type": "ping"})));
    told.remove(2);
    assert!(told.iter().all(|(name, event)| event["type"] == **name));
    let mut wanted = chunks(&invoked(&other, "invoke-with-response-stream"));
    let last = wanted.last_mut().unwrap().as_object_mut().unwrap();
    last.remove("amazon-bedrock-invocationMetrics").unwrap();
    // Padding draws from the same numbers as ids do.
    let ids = |events: &mut Vec<Value>| events[0]["message"]["id"].take();
    let mut told: Vec<Value> = told.into_iter().map(|(_, event)| event).collect();
    assert!(ids(&mut told).as_str().unwrap().starts_with("msg_bdrk_"));
    ids(&mut wanted);
    assert_eq!(told, wanted);
}

#[test]
fn counting_needs_no_max_tokens_and_says_what_usage_says() {
    let emulator = open();
    let mut counted = question(&emulator);
    counted.as_object_mut().unwrap().remove("max_tokens");
    let reply = ask(&emulator, "/count_tokens", &counted);
    let used = body(&ask(&emulator, "", &question(&emulator)));
    assert_eq!(
        body(&reply),
        json!({"input_tokens": used["usage"]["input_tokens"]})
    );
}

#[test]
fn models_go_by_their_bare_id_by_a_profile_and_by_a_short_name() {
    let emulator = open();
    let id = bare(&emulator);
    let (short, _) = id.rsplit_once('-').unwrap();
    let (undated, _) = short.rsplit_once('-').unwrap();
    for model in [&*id, &profile(&emulator, "haiku"), undated] {
        let mut asked = question(&emulator);
        asked["model"] = json!(model);
        assert_eq!(ask(&emulator, "", &asked).status, 200, "{model}");
    }
}

#[test]
fn refusals_have_anthropics_shape() {
    let emulator = open();
    let changed = |member: &str, value: Value| {
        let mut body = question(&emulator);
        body[member] = value;
        body
    };
    let rows = [
        (
            changed("model", Value::Null),
            400,
            "invalid_request_error",
            "model: ",
        ),
        (
            changed("model", json!("vendor.none")),
            404,
            "not_found_error",
            "model: vendor.none",
        ),
        (
            changed("max_tokens", Value::Null),
            400,
            "invalid_request_error",
            "max_tokens: Input should be a valid integer",
        ),
        (
            changed("n", json!(1)),
            400,
            "invalid_request_error",
            "n: Extra inputs are not permitted",
        ),
        (
            changed("messages", json!([])),
            400,
            "invalid_request_error",
            "messages",
        ),
    ];
    for (asked, status, kind, said) in rows {
        let reply = ask(&emulator, "", &asked);
        let answer = body(&reply);
        assert_eq!(
            (reply.status, &answer["type"]),
            (status, &json!("error")),
            "{answer}"
        );
        assert_eq!(answer["error"]["type"], kind);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
        assert_eq!(answer["request_id"], header(&reply, "request-id").unwrap());
        assert_eq!(header(&reply, "x-amzn-ErrorType"), None);
    }
    let elsewhere = Request {
        target: "/anthropic/v1/nothing".to_owned(),
        ..request("", &json!({}))
    };
    let reply = emulator.handle(&elsewhere, now());
    assert_eq!(reply.status, 404);
    assert_eq!(body(&reply)["error"]["type"], "not_found_error");
}

#[test]
fn faults_have_anthropics_names_whole_and_in_a_stream() {
    let emulator = open();
    emulator.script([Step::Fault(Fault::ServiceUnavailable)]);
    let reply = ask(&emulator, "", &question(&emulator));
    assert_eq!(reply.status, 529);
    assert_eq!(body(&reply)["error"]["type"], "overloaded_error");

    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    emulator.script([Step::Say(vec![
        Piece::Text("one ".to_owned()),
        Piece::Exception(throttled),
    ])]);
    let mut streamed = question(&emulator);
    streamed["stream"] = json!(true);
    let reply = ask(&emulator, "", &streamed);
    let (name, last) = events(&reply).pop().unwrap();
    assert_eq!((reply.status, name.as_str()), (200, "error"));
    assert_eq!(last["error"]["type"], "rate_limit_error");
    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.error.as_deref(), Some("ThrottlingException"));
    assert_eq!(entry.operation.as_deref(), Some("MessagesStream"));
}

#[test]
fn keys_come_as_bearer_or_under_anthropics_own_header() {
    let key = "ABSKsecret";
    let emulator = with(|config| {
        config.auth = Auth::Strict;
        config.api_keys = vec![ApiKey {
            token: key.to_owned(),
            arn: "arn:aws:iam::123456789012:user/key".to_owned(),
        }];
    });
    let with_header = |name: &str, value: &str| {
        let mut request = request("", &question(&emulator));
        request.headers.push((name.to_owned(), value.to_owned()));
        emulator.handle(&request, now())
    };
    assert_eq!(
        with_header("authorization", "Bearer ABSKsecret").status,
        200
    );
    assert_eq!(with_header("x-api-key", key).status, 200);
    for reply in [
        with_header("x-api-key", "ABSKwrong"),
        with_header("accept", "*/*"),
    ] {
        assert_eq!(reply.status, 401);
        assert_eq!(body(&reply)["error"]["type"], "authentication_error");
    }
}

#[test]
fn the_right_to_infer_is_one_of_its_own() {
    let allowing = |action: &str| {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": action,
                "Resource": "arn:aws:bedrock-mantle:us-east-1:123456789012:project/default",
            }],
        });
        with(|config| config.policies = vec![document])
    };
    let allowed = allowing("bedrock-mantle:CreateInference");
    assert_eq!(ask(&allowed, "", &question(&allowed)).status, 200);
    let refused = allowing("bedrock:InvokeModel");
    let reply = ask(&refused, "", &question(&refused));
    assert_eq!(reply.status, 403);
    assert_eq!(body(&reply)["error"]["type"], "permission_error");
}

#[test]
fn the_journal_reads_the_events_and_no_invocation_log_is_written() {
    let emulator = open();
    let mut streamed = question(&emulator);
    streamed["stream"] = json!(true);
    ask(&emulator, "", &streamed);
    let entry = emulator.journal().pop().unwrap();
    assert!(entry.text.is_some_and(|text| text.contains("tides")));
    assert_eq!(entry.model, Some(bare(&emulator)));
    assert!(emulator.logs().is_empty());
}
