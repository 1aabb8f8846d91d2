//! Requests: lists of them, each by itself, the playground, the dashboards.

use serde_json::{Value, json};

use super::{at, element, happen, main_of, owners, page, shot};
use crate::{requests::beside, support::Site};

/// Requests of one test, as its emulator writes them down.
fn request(seq: u64, more: &Value) -> Value {
    let mut entry = json!({
        "seq": seq, "t": at(250 * i64::try_from(seq).unwrap()), "method": "POST",
        "target": "/model/a-model/converse", "region": "us-east-1",
        "operation": "Converse", "model": "a <model>", "status": 200, "request_id": format!("r{seq}"),
        "headers": [["host", "127.0.0.1:4566"], ["content-type", "application/json"]],
        "body": {"messages": [{"role": "user", "content": [{"text": "<hello>"}]}]}, "body_bytes": 70,
        "latency_ms": 120, "first_token_ms": 40, "cost_micro_usd": 126,
        "usage": {"input": 12, "output": 40},
        "trace": [
            {"node": "CC", "status": "ok", "request_id": "r", "t": 1},
            {"node": "BR", "edge": "CC-BR", "status": "ok", "request_id": "r", "t": 1}],
    });
    for (field, value) in more.as_object().unwrap() {
        entry[field] = value.clone();
    }
    json!({"type": "request", "test": "a_throttle_is_waited_out", "entry": entry})
}

fn throttled() -> Value {
    request(
        1,
        &json!({
            "status": 429, "error": "ThrottlingException", "message": "Too many requests", "attempt": 1,
            "invocation": "i1", "usage": null, "latency_ms": null, "first_token_ms": null, "cost_micro_usd": null,
            "trace": [{"node": "BR", "edge": "CC-BR", "status": "throttled", "request_id": "r1", "t": 1, "note": "429"}],
        }),
    )
}

async fn list(site: &Site, path: &str) -> String {
    let parts = site.get_as_owner(path).await;
    element(parts.text(), "<section class=\"trace\"", "</section>").to_owned()
}

#[tokio::test]
async fn the_list_of_requests() {
    let site = Site::new();
    let path = "/exercises/001-one-call/results";
    shot("requests-none", &list(&site, path).await);
    let retried = request(2, &json!({"attempt": 2, "invocation": "i1"}));
    happen(&site, [throttled(), retried]);
    shot("requests-retried", &list(&site, path).await);

    shot(
        "dashboards-measured",
        main_of(&owners(&site, "/dashboards?exercise=001").await),
    );
}

#[tokio::test]
async fn one_request() {
    let site = Site::new();
    let frame = |at: u64, event: &str, payload: Value| json!({ "offset_ms": at, "bytes": 90, "event": event, "payload": payload });
    let cut = request(
        2,
        &json!({
            "operation": "ConverseStream", "cut": true, "usage": null,
            "frames": [
                frame(0, "messageStart", json!({"role": "assistant"})),
                frame(250, "contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "<Hello>"}})),
            ],
        }),
    );
    happen(&site, [throttled(), cut]);
    let answer = owners(&site, "/requests/001/1").await;
    shot("request", main_of(&answer));
    let detail = |text: &str| element(text, "<article class=\"request\"", "</article>").to_owned();
    shot("request-detail-throttled", &detail(answer.text()));
    let answer = owners(&site, "/requests/001/2").await;
    shot("request-detail-cut_stream", &detail(answer.text()));
}

/// Models and prices are the catalogue's, and change with it.
fn without_models(html: &str) -> String {
    let list = regex_lite::Regex::new(r"(?s)(<optgroup).*(</optgroup>)").unwrap();
    list.replace(html, "(the catalogue)").into_owned()
}

#[tokio::test]
async fn the_emulator_and_its_playground() {
    let none = Site::new();
    for (name, path) in [
        ("emulator-off", "/emulator"),
        ("playground-off", "/playground"),
        ("dashboards-off", "/dashboards"),
    ] {
        shot(name, main_of(&owners(&none, path).await));
    }
    let (site, _endpoint) = beside(|_| {}).await;
    for (name, path) in [
        ("emulator-signed_out", "/emulator"),
        ("playground-signed_out", "/playground"),
        ("dashboards-signed_out", "/dashboards"),
    ] {
        shot(name, main_of(&page(&site, path).await));
    }
    for (name, path) in [
        ("emulator-no_requests", "/emulator"),
        ("playground-ready", "/playground"),
        ("dashboards-nothing", "/dashboards"),
    ] {
        shot(name, &without_models(main_of(&owners(&site, path).await)));
    }
    let tabs = owners(&site, "/playground").await;
    shot(
        "tabs",
        element(tabs.text(), "<nav class=\"tabs\"", "</nav>"),
    );
}

#[tokio::test]
async fn what_the_playground_answers_without_scripts() {
    let (site, endpoint) = beside(|_| {}).await;
    let emulator = endpoint.emulator();
    let model = emulator.catalogue().id_to_call("haiku", "us-east-1");
    let model = model.unwrap();
    let cookie = site.cookie();
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let encoded = model.replace(':', "%3A");
    for (name, more) in [
        ("playground-not_sent", "prompt="),
        (
            "playground-throttled",
            "prompt=%3Cb%3Ehello&inject=throttling",
        ),
    ] {
        let body = format!("model={encoded}&operation=Converse&{more}");
        let answer = site.post("/playground", &headers, &body).await;
        // Ids, the time and the credential's day are this run's.
        let mut text = without_models(main_of(&answer))
            .replace(&encoded, "MODEL")
            .replace(&model, "MODEL");
        for pattern in [
            r"\d{8}T\d{6}Z",
            r"/\d{8}/",
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}",
            r"Signature=[0-9a-f…]+",
            r"playground: [0-9a-f]+",
            r"in \d+ ms",
        ] {
            let pattern = regex_lite::Regex::new(pattern).unwrap();
            text = pattern.replace_all(&text, "VARIES").into_owned();
        }
        shot(name, &text);
    }
}
