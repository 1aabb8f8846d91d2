//! The control API: everything but what only a socket can do.

use bedrock_emulator::{
    Config, Emulator, Reply, Request,
    catalogue::Family,
    emulator::{ApiKey, Latency},
};
use serde_json::{Value, json};

use crate::bench::{call, json as body, now, open, post, profile, text};

fn request(method: &str, target: &str, body: &str) -> Request {
    let mut headers = vec![("host".to_owned(), "127.0.0.1:4566".to_owned())];
    if !body.is_empty() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Request {
        method: method.to_owned(),
        target: format!("/_workshop/{target}"),
        headers: headers.into(),
        body: body.to_owned().into(),
        connection: 1,
    }
}

/// Calls the control API and wants success.
fn tell(emulator: &Emulator, method: &str, target: &str, said: &Value) -> Value {
    let said = if said.is_null() {
        String::new()
    } else {
        said.to_string()
    };
    let reply = emulator.handle(&request(method, target, &said), now());
    assert!(reply.status < 300, "{method} {target}: {}", text(&reply));
    body(&reply)
}

/// Calls it and wants this refusal.
fn refused(emulator: &Emulator, request: &Request, status: u16, words: &str) {
    let reply = emulator.handle(request, now());
    assert_eq!(reply.status, status, "{}", text(&reply));
    let error = &body(&reply)["error"];
    assert!(error["code"].is_string());
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
}

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
}

fn said(reply: &Reply) -> Value {
    body(reply)["output"]["message"]["content"][0]["text"].clone()
}

#[test]
fn a_script_is_added_listed_and_cleared() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let added = tell(
        &emulator,
        "POST",
        "script",
        &json!({"reply": [
            {"name": "hello", "when": {"prompt": "Hi", "turn": 1}, "text": "Hello.", "times": 2},
            {"error": "ModelTimeoutException"},
        ]}),
    );
    assert_eq!(added, json!({"added": {"reply": 2, "fault": 0}, "left": 3}));
    assert_eq!(said(&call(&emulator, &model, "converse", &ask())), "Hello.");
    let script = tell(&emulator, "GET", "script", &Value::Null);
    assert_eq!(script["left"], 2);
    let first = &script["reply"][0];
    assert_eq!((&first["answered"], &first["left"]), (&json!(1), &json!(1)));
    assert_eq!(first["when"], json!({"prompt": "Hi", "turn": 1}));
    tell(&emulator, "DELETE", "script", &Value::Null);
    assert_eq!(emulator.script_left(), 0);

    let mut toml = request(
        "POST",
        "script",
        "strict = true\n[[reply]]\ntext = \"from TOML\"",
    );
    toml.headers.set("content-type", "application/toml");
    assert_eq!(emulator.handle(&toml, now()).status, 201);
    assert_eq!(
        said(&call(&emulator, &model, "converse", &ask())),
        "from TOML"
    );
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 400);
}

/// What is listed can be added again and means the same: every key of the format, both ways.
#[test]
fn what_is_listed_can_be_added_again() {
    let emulator = open();
    let document = json!({
        "reply": [
            {
                "name": "all of it",
                "when": {
                    "operation": ["Conv*"], "model": ["haiku"],
                    "prompt": {"contains": ["a", "b"], "regex": "^a"},
                    "system": {"equals": "s"}, "turn": {"from": 2}, "tool": ["t"],
                    "tool_result": {"name": "t", "text": "x"},
                    "header": {"x-a": {"exists": true}, "x-b": "v"},
                    "body": {"/a": 1, "/b": {"is": {"c": null}}, "/d": {"exists": false}},
                    "call": {"from": 3, "to": 9, "every": 2}, "seconds": {"from": 0.5, "to": 2.0},
                },
                "say": [
                    {"thinking": "t"}, {"text": "a"}, {"new_block": true}, {"wait_ms": 5},
                    {"gate": "g"}, {"tool": {"name": "n", "input": {"k": [1]}}},
                    {"error": "ModelStreamErrorException", "message": "m"},
                ],
                "stop_reason": "end_turn", "usage": {"input": 1, "output": 2}, "times": 2,
                "then": [
                    {"error": "ThrottlingException", "retry_after_ms": 9, "times": 1},
                    {"socket": "hang", "times": 3},
                    {"raw": {"base64": "/w==", "status": 502, "content_type": "x/y"}, "times": "always"},
                ],
            },
            {"say": [{"socket": "cut"}], "times": 1},
        ],
        "fault": [
            {
                "name": "f", "when": {"operation": ["*"], "call": {"from": 2, "every": 2}},
                "rate": 0.25, "seed": 3, "count": 4, "error": "ValidationException",
                "message": "no", "after_frames": 2, "latency_ms": 10, "frame_delay_ms": 1,
            },
            {"socket": "cut"},
        ],
    });
    let listed = |emulator: &Emulator| {
        let mut script = tell(emulator, "GET", "script", &Value::Null);
        let mut faults = tell(emulator, "GET", "faults", &Value::Null);
        let strip = |rules: &mut Value| {
            for rule in rules.as_array_mut().unwrap() {
                for key in ["id", "answered", "left", "seen", "hit"] {
                    rule.as_object_mut().unwrap().remove(key);
                }
            }
            rules.take()
        };
        json!({"reply": strip(&mut script["reply"]), "fault": strip(&mut faults["fault"])})
    };
    tell(&emulator, "POST", "script", &document);
    let once = listed(&emulator);
    let again = open();
    tell(&again, "POST", "script", &once);
    assert_eq!(listed(&again), once);
    assert_eq!(once["reply"][0]["when"], document["reply"][0]["when"]);
    assert_eq!(once["reply"][0]["then"], document["reply"][0]["then"]);
    assert_eq!(once["fault"], document["fault"]);
}

#[test]
fn fault_rules_are_added_listed_removed_and_cleared() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let rules = json!({"fault": [
        {"error": "ThrottlingException", "count": 1}, {"latency_ms": 5},
    ]});
    assert_eq!(
        tell(&emulator, "POST", "faults", &rules),
        json!({"ids": [1, 2]})
    );
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 429);
    let listed = tell(&emulator, "GET", "faults", &Value::Null);
    assert_eq!(
        (&listed["fault"][0]["hit"], &listed["fault"][1]["seen"]),
        (&json!(1), &json!(1))
    );
    tell(&emulator, "DELETE", "faults/1", &Value::Null);
    refused(
        &emulator,
        &request("DELETE", "faults/1", ""),
        404,
        "no fault rule \"1\"",
    );
    tell(&emulator, "DELETE", "faults", &Value::Null);
    assert_eq!(
        tell(&emulator, "GET", "faults", &Value::Null)["fault"],
        json!([])
    );
}

#[test]
fn status_counts_and_reset_forgets() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    call(&emulator, &model, "converse", &ask());
    call(&emulator, "nonsense", "converse", &ask());
    tell(
        &emulator,
        "POST",
        "faults",
        &json!({"fault": [{"error": "ThrottlingException"}]}),
    );
    call(&emulator, &model, "converse", &ask());
    let status = tell(&emulator, "GET", "status", &Value::Null);
    assert_eq!(
        (&status["requests"], &status["errors"], &status["throttles"]),
        (&json!(3), &json!(2), &json!(1))
    );
    assert_eq!(status["last_error"]["code"], "ThrottlingException");
    assert_eq!(status["accounts"][0]["faults"], 1);
    assert_eq!(status["auth"], "off");
    tell(&emulator, "POST", "reset", &Value::Null);
    let status = tell(&emulator, "GET", "status", &Value::Null);
    assert_eq!(
        (&status["requests"], &status["last_error"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
    assert_eq!(emulator.journal().len(), 1);
}

/// A request to one of the services; `target` is a path, or what `X-Amz-Target` says.
fn send(emulator: &Emulator, method: &str, target: &str, body: &Value) -> Reply {
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        ..post("", "", body.to_string())
    };
    if !target.starts_with('/') {
        "/".clone_into(&mut request.target);
        let header = ("x-amz-target".to_owned(), target.to_owned());
        request.headers.push(header);
        let kind = (
            "content-type".to_owned(),
            "application/x-amz-json-1.0".to_owned(),
        );
        request.headers.push(kind);
    }
    let reply = emulator.handle(&request, now());
    assert!(reply.status < 300, "{method} {target}: {}", text(&reply));
    reply
}

#[test]
fn reset_forgets_what_was_made_and_configured() {
    let emulator = open();
    let haiku = emulator.catalogue().by_alias("haiku").unwrap();
    let mut models = emulator.catalogue().models.iter();
    let embeds = models.find(|m| m.family == Family::NovaEmbed).unwrap();
    let logs = "Logs_20140328.CreateLogGroup";
    let metrics = "GraniteServiceVersion20100801.PutMetricData";
    let arn = format!(
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/{}",
        profile(&emulator, "haiku")
    );
    let make = [
        (
            "POST",
            "/guardrails",
            json!({
                "name": "none-of-it", "blockedInputMessaging": "no", "blockedOutputsMessaging": "no",
                "wordPolicyConfig": {"wordsConfig": [{"text": "stocks"}]},
            }),
        ),
        (
            "POST",
            "/async-invoke",
            json!({
                "modelId": embeds.id, "modelInput": {"taskType": "SEGMENTED_EMBEDDING"},
                "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/out"}},
            }),
        ),
        (
            "POST",
            "/inference-profiles",
            json!({
                "inferenceProfileName": "team", "modelSource": {"copyFrom": arn},
            }),
        ),
        (
            "PUT",
            "/logging/modelinvocations",
            json!({
                "loggingConfig": {"s3Config": {"bucketName": "my-logs"}},
            }),
        ),
        (
            "POST",
            "/use-case-for-model-access",
            json!({
                "formData": "eyJjb21wYW55TmFtZSI6IkV4YW1wbGUifQ==",
            }),
        ),
        ("POST", logs, json!({"logGroupName": "mine"})),
        (
            "POST",
            metrics,
            json!({
                "Namespace": "Mine", "MetricData": [{"MetricName": "Seen", "Value": 1.0}],
            }),
        ),
    ];
    let look = || {
        let list = [
            ("GET", "/guardrails", Value::Null),
            ("GET", "/async-invoke", Value::Null),
            ("GET", "/inference-profiles?type=APPLICATION", Value::Null),
            ("GET", "/logging/modelinvocations", Value::Null),
            ("POST", "Logs_20140328.DescribeLogGroups", json!({})),
            (
                "POST",
                "GraniteServiceVersion20100801.ListMetrics",
                json!({}),
            ),
        ];
        list.map(|(method, target, sent)| body(&send(&emulator, method, target, &sent)))
    };
    let before = look();
    for (method, target, sent) in &make {
        send(&emulator, method, target, sent);
    }
    let system = json!([
        {"text": "word ".repeat(haiku.min_cache_tokens.unwrap() as usize * 2)},
        {"cachePoint": {"type": "default"}},
    ]);
    let mut cached = ask();
    cached["system"] = system;
    let read = || {
        let reply = call(&emulator, &profile(&emulator, "haiku"), "converse", &cached);
        body(&reply)["usage"]["cacheReadInputTokens"].clone()
    };
    assert_eq!(read(), 0);
    assert_ne!(read(), 0);
    for (made, before) in look().iter().zip(&before) {
        assert_ne!(made, before);
    }
    tell(&emulator, "POST", "reset", &Value::Null);
    assert_eq!(look(), before);
    let form = Request {
        method: "GET".to_owned(),
        target: "/use-case-for-model-access".to_owned(),
        ..post("", "", "")
    };
    assert_eq!(emulator.handle(&form, now()).status, 404);
    assert_eq!(read(), 0, "the prompt cache is empty");
}

#[test]
fn looking_changes_nothing() {
    let answers = |look: bool| {
        let emulator = open();
        let model = profile(&emulator, "haiku");
        let mut all = Vec::new();
        for _ in 0..3 {
            if look {
                tell(&emulator, "GET", "status", &Value::Null);
                tell(&emulator, "POST", "accounts", &json!({}));
            }
            all.push(call(&emulator, &model, "converse", &ask()).headers);
        }
        assert_eq!(emulator.journal().len(), 3);
        all
    };
    assert_eq!(answers(false), answers(true));
}

#[test]
fn settings_change_at_run_time() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let config = tell(
        &emulator,
        "PATCH",
        "config",
        &json!({"today": "1999-12-31", "seed": 9}),
    );
    assert_eq!(
        (&config["today"], &config["seed"]),
        (&json!("1999-12-31"), &json!(9))
    );
    assert_eq!(
        tell(&emulator, "GET", "health", &Value::Null)["today"],
        "1999-12-31"
    );
    let config = tell(
        &emulator,
        "PATCH",
        "config",
        &json!({"today": null, "latency": {"per_token_ms": 7}}),
    );
    assert_eq!(config["latency"]["per_token_ms"], 7);
    assert_eq!(config["today"], Value::Null);
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
    for (wrong, words) in [
        (
            json!({"today": "31.12.1999"}),
            "`today` is \"31.12.1999\"; write a day as 2026-11-22",
        ),
        (
            json!({"tody": null}),
            "`tody` is not a key here; did you mean today?",
        ),
        (json!({"seed": "a"}), "`seed` must be a whole number"),
        (json!({"latency": 5}), "`latency` must be a table"),
        (json!([]), "must be a table"),
    ] {
        refused(
            &emulator,
            &request("PATCH", "config", &wrong.to_string()),
            400,
            words,
        );
    }
}

/// An emulator with a key for each of two accounts.
fn two() -> Emulator {
    let key = |n: u8, account: &str| ApiKey {
        token: format!("ABSKtest{n}"),
        arn: format!("arn:aws:iam::{account}:user/u"),
    };
    Emulator::new(Config {
        api_keys: vec![key(1, "111111111111"), key(2, "222222222222")],
        latency: Latency::none(),
        ..Config::default()
    })
    .unwrap()
}

#[test]
fn accounts_share_nothing() {
    let emulator = two();
    let model = profile(&emulator, "haiku");
    let call = |n: u8| {
        let mut request = post(&model, "converse", ask().to_string());
        let bearer = format!("Bearer ABSKtest{n}");
        request.headers.push(("authorization".to_owned(), bearer));
        emulator.handle(&request, now())
    };
    assert_eq!((call(1).status, call(2).status), (200, 200));
    let one = "script?account=111111111111";
    tell(
        &emulator,
        "POST",
        one,
        &json!({"reply": [{"text": "one's own"}]}),
    );
    let rule = json!({"fault": [{"error": "ServiceUnavailableException"}]});
    tell(&emulator, "POST", "faults?account=222222222222", &rule);
    assert_eq!(call(2).status, 503);
    assert_eq!(said(&call(1)), "one's own");
    let named = json!({"reply": [{"when": {"account": "111111111111"}, "text": "by name"}]});
    tell(&emulator, "POST", "script", &named);
    assert_eq!(
        emulator.script_left(),
        0,
        "the configured account has none of it"
    );
    assert_eq!(said(&call(1)), "by name");
    let of = |id: &str| tell(&emulator, "GET", &format!("accounts/{id}"), &Value::Null);
    assert_eq!(
        (
            &of("111111111111")["requests"],
            &of("111111111111")["errors"]
        ),
        (&json!(3), &json!(0))
    );
    assert_eq!(
        (
            &of("222222222222")["requests"],
            &of("222222222222")["errors"]
        ),
        (&json!(2), &json!(1))
    );
    tell(
        &emulator,
        "POST",
        "reset?account=222222222222",
        &Value::Null,
    );
    assert_eq!(of("222222222222")["requests"], 0);
    assert_eq!(of("111111111111")["requests"], 3);
    assert_eq!(call(2).status, 200);

    tell(&emulator, "DELETE", "accounts/222222222222", &Value::Null);
    assert_eq!(call(2).status, 403, "its key went with it");
    refused(
        &emulator,
        &request("GET", "accounts/222222222222", ""),
        404,
        "there are 111111111111",
    );
    refused(
        &emulator,
        &request("GET", "script?account=9", ""),
        404,
        "of an account \"9\"",
    );
    refused(
        &emulator,
        &request("DELETE", "accounts/123456789012", ""),
        400,
        "is the configured one",
    );
}

#[test]
fn a_new_account_has_a_key_pair_of_its_own() {
    let emulator = two();
    let made = tell(&emulator, "POST", "accounts", &Value::Null);
    let id = made["id"].as_str().unwrap();
    assert_eq!(id.len(), 12);
    assert_eq!(made["arn"], format!("arn:aws:iam::{id}:user/student"));
    assert!(made["access_key_id"].as_str().unwrap().starts_with("AKIA"));
    assert_eq!(made["secret_access_key"].as_str().unwrap().len(), 40);
    let other = tell(
        &emulator,
        "POST",
        "accounts",
        &json!({"id": "333333333333"}),
    );
    assert_ne!(made["access_key_id"], other["access_key_id"]);
    let listed = tell(&emulator, "GET", "accounts", &Value::Null);
    assert_eq!(listed["accounts"].as_array().unwrap().len(), 3);
    for (wrong, words) in [
        (json!({"id": "333333333333"}), "exists already"),
        (json!({"id": "3"}), "twelve digits"),
        (json!({"policies": [{"Statement": 1}]}), "`policies`"),
        (json!({"name": "x"}), "`name` is not a key here"),
    ] {
        refused(
            &emulator,
            &request("POST", "accounts", &wrong.to_string()),
            400,
            words,
        );
    }
}

#[test]
fn web_pages_and_other_names_are_refused() {
    let emulator = open();
    let with = |name: &str, value: &str| {
        let mut request = request("POST", "reset", "");
        request.headers.set(name, value);
        request
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("host", "rebound.example:4566"),
    ] {
        refused(&emulator, &with(name, value), 403, "the control API");
    }
    for (name, value) in [
        ("origin", "http://127.0.0.1:4566"),
        ("host", "localhost:4566"),
    ] {
        assert_eq!(emulator.handle(&with(name, value), now()).status, 200);
    }
    let mut form = request("POST", "script", "{}");
    form.headers.set("content-type", "text/plain");
    refused(&emulator, &form, 400, "Content-Type is \"text/plain\"");
    let mut health = with("host", "bedrock:4566");
    (health.method, health.target) = ("GET".to_owned(), "/_workshop/health".to_owned());
    assert_eq!(emulator.handle(&health, now()).status, 200);
}

#[test]
fn mistakes_name_the_field() {
    let emulator = open();
    for (method, target, said, words) in [
        ("POST", "script", "{", "the body is not JSON"),
        (
            "POST",
            "script",
            r#"{"reply":[{"txt":"a"}]}"#,
            "reply 1: `txt` is not a key here; did you mean text?",
        ),
        ("POST", "faults", r#"{"fault":[]}"#, "must have fault rules"),
        (
            "POST",
            "faults",
            r#"{"fault":[{"rate":1}]}"#,
            "fault 1 does nothing",
        ),
        ("POST", "gates/x", "", "not on a socket"),
    ] {
        let status = if target == "gates/x" { 404 } else { 400 };
        refused(&emulator, &request(method, target, said), status, words);
    }
}

#[test]
fn the_api_describes_itself() {
    let document = tell(&open(), "GET", "openapi.json", &Value::Null);
    assert!(document["paths"]["/_workshop/script"]["post"].is_object());
}
