//! One request: its page, what stays secret, and sending it again.

use std::{net::SocketAddr, sync::Arc};

use bedrock_emulator::{Config, Emulator};
use bedrock_endpoint::Endpoint;
use serde_json::{Value, json};
use workshop_runner::live::Event;
use workshop_server::{SiteConfig, Source};

use crate::support::{Site, config, folder};

/// A site with an emulator beside it.
pub(crate) async fn beside(change: impl FnOnce(&mut Config)) -> (Site, Arc<Endpoint>) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut with = Config::default();
    change(&mut with);
    let emulator = Arc::new(Emulator::new(with).unwrap());
    let endpoint = Arc::new(Endpoint::bind(any, emulator).await.unwrap());
    let folder = folder();
    let site = Site::with(SiteConfig {
        emulator: Some(Arc::clone(&endpoint)),
        ..config(Source::Folder(folder.path().to_path_buf()))
    });
    (site, endpoint)
}

fn haiku(endpoint: &Endpoint) -> String {
    let emulator = endpoint.emulator();
    let id = emulator.catalogue().id_to_call("haiku", "us-east-1");
    id.unwrap()
}

/// What IAM was asked, and said.
fn access() -> Value {
    json!({
        "principal": "arn:aws:iam::123456789012:user/student", "decision": "implicit_deny",
        "unrestricted": false,
        "asked": [{
            "action": "bedrock:InvokeModel", "resource": "arn:aws:bedrock:::foundation-model/a-model",
            "decision": "implicit_deny", "decided_by": "identity",
            "statements": [{
                "layer": "identity", "policy": "policy 1", "statement": "OnlyOpus", "effect": "Allow",
                "applies": false, "action": true, "resource": false,
                "conditions": [{
                    "operator": "StringEquals", "key": "aws:RequestedRegion", "wanted": ["eu-west-1"],
                    "seen": ["us-east-1"], "holds": false,
                }],
            }],
        }],
    })
}

/// What a test's request leaves in the log.
fn entry(more: &Value) -> Value {
    let mut entry = json!({
        "seq": 3, "t": 1_790_000_000_000_i64, "method": "POST", "target": "/model/a-model/converse",
        "region": "us-east-1", "operation": "Converse", "model": "a-model",
        "headers": [
            ["host", "127.0.0.1:4566"],
            ["content-type", "application/json"],
            ["authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=5ec7e7"],
            ["x-amz-security-token", "5ec7e7"],
        ],
        "body": {"messages": [{"role": "user", "content": [{"text": "<script>alert(1)</script>"}]}]},
        "body_bytes": 80,
        "caller": {"access_key_id": "AKIA", "region": "us-east-1", "service": "bedrock"},
        "identity": "arn:aws:iam::123456789012:user/student",
        "status": 403, "error": "AccessDeniedException", "message": "User is not authorized",
        "request_id": "r-3",
        "trace": [{"node": "POLICY", "edge": "USER-POLICY", "status": "denied", "request_id": "r-3", "t": 1, "note": "403"}],
    });
    entry["access"] = access();
    for (name, value) in more.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

fn publish(site: &Site, entry: Value) {
    site.state.hub().publish_event(&Event::Request {
        exercise: "001".to_owned(),
        test: "a_test".to_owned(),
        entry,
    });
}

fn main_of(page: &str) -> &str {
    let start = page.find("<main").unwrap();
    &page[start..page.find("</main>").unwrap()]
}

#[tokio::test]
async fn the_page_of_a_request_tells_all_but_secrets() {
    let site = Site::new();
    publish(&site, entry(&json!({})));
    let list = site.get_as_owner("/exercises/001-one-call").await;
    assert!(list.text().contains("href=\"/requests/001/1\""));
    let page = site.get_as_owner("/requests/001/1").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(!text.contains("5ec7e7"), "a secret is shown");
    assert!(
        !text.contains("<script>alert"),
        "text of a student is not markup"
    );
    insta::assert_snapshot!("page_of_a_denied_request", main_of(text));
}

#[tokio::test]
async fn a_stream_is_shown_message_by_message() {
    let site = Site::new();
    let frame = |at: u64, event: &str, payload: Value| json!({ "offset_ms": at, "bytes": 90, "event": event, "payload": payload });
    publish(
        &site,
        entry(&json!({
            "status": 200, "error": null, "message": null, "access": null, "operation": "ConverseStream",
            "cut": true,
            "frames": [
                frame(0, "messageStart", json!({"role": "assistant"})),
                frame(250, "contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "Hello"}})),
            ],
        })),
    );
    let page = site.get_as_owner("/requests/001/1").await;
    let text = page.text();
    for shown in [
        "<span class=\"op\">contentBlockDelta</span>",
        "<td>250 ms</td>",
        "Then the connection was cut",
    ] {
        assert!(text.contains(shown), "{shown} is missing");
    }
}

#[tokio::test]
async fn a_request_is_shown_and_sent_again_for_the_owner_only() {
    let site = Site::new();
    publish(&site, entry(&json!({})));
    let cookie = site.cookie();
    for path in ["/requests/001/1", "/requests/emulator/1"] {
        assert_eq!(site.get(path).await.status, 401, "{path}");
    }
    let replay = "POST /requests/001/1/replay";
    assert_eq!(site.send(replay, &[]).await.status, 401);
    let foreign = [("cookie", cookie.as_str()), ("origin", "http://evil.test")];
    assert_eq!(site.send(replay, &foreign).await.status, 403);
    let get = format!("GET {}", "/requests/001/1/replay");
    let owner = [("cookie", cookie.as_str())];
    assert_eq!(site.send(&get, &owner).await.status, 405);
    let nobody = site.send(replay, &owner).await;
    assert_eq!(nobody.status, 409, "no emulator runs here");
    for unknown in ["/requests/001/2", "/requests/002/1", "/requests/001/x"] {
        assert_eq!(site.get_as_owner(unknown).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn what_a_test_sent_is_sent_to_the_emulator_beside_the_site() {
    let (site, endpoint) = beside(|_| {}).await;
    let target = format!("/model/{}/converse", haiku(&endpoint).replace(':', "%3A"));
    publish(&site, entry(&json!({ "target": target })));
    let cookie = site.cookie();
    let sent = site
        .send("POST /requests/001/1/replay", &[("cookie", &cookie)])
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert_eq!(sent.header("location"), "/requests/emulator/1");
    let journal = endpoint.emulator().journal();
    assert_eq!((journal.len(), journal[0].status), (1, 200), "{journal:?}");
    assert_eq!(journal[0].body, entry(&json!({}))["body"].clone().into());

    // Once more, now with the emulator's own bytes.
    let again = site
        .send("POST /requests/emulator/1/replay", &[("cookie", &cookie)])
        .await;
    assert_eq!(again.header("location"), "/requests/emulator/2");
    let journal = endpoint.emulator().journal();
    assert_eq!(journal[1].replay_of, Some(1));
    let page = site.get_as_owner("/requests/emulator/2").await;
    let text = page.text();
    for shown in [
        "Repeats request",
        "import boto3",
        "curl --silent",
        "[[reply]]",
        "lab.load(SCRIPT)",
    ] {
        assert!(text.contains(shown), "{shown} is missing: {text}");
    }
}

#[tokio::test]
async fn a_body_that_the_log_left_out_is_not_made_up() {
    let (site, _endpoint) = beside(|_| {}).await;
    publish(&site, entry(&json!({ "body": null })));
    let cookie = site.cookie();
    let refused = site
        .send("POST /requests/001/1/replay", &[("cookie", &cookie)])
        .await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("too long for the log"));
}

#[tokio::test]
async fn requests_to_the_emulator_stand_on_its_page() {
    let (site, endpoint) = beside(|_| {}).await;
    let page = site.get_as_owner("/emulator").await;
    assert!(page.text().contains("No requests yet"));
    let target = format!("/model/{}/converse", haiku(&endpoint).replace(':', "%3A"));
    publish(&site, entry(&json!({ "target": target })));
    let cookie = site.cookie();
    site.send("POST /requests/001/1/replay", &[("cookie", &cookie)])
        .await;
    let page = site.get_as_owner("/emulator").await;
    assert!(page.text().contains("href=\"/requests/emulator/1\""));
    let stranger = site.get("/emulator").await;
    assert!(!stranger.text().contains("/requests/emulator/1"));
}
