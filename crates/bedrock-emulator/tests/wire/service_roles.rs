//! What a service beside Bedrock does in the name of a role, and the log lines it writes.

use bedrock_emulator::{Request, identity::Identity, neighbour::Actor, policy::NamedPolicy};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{json as body, now, profile, with};

static LAMBDA: Actor = Actor {
    node: "LAMBDA",
    edges: &[("BR", "LAMBDA-BR")],
};

const ROLE: &str = "arn:aws:iam::123456789012:role/answer";

fn signed_by(key: &str, mut request: Request) -> Request {
    let scope = format!("{key}/20260819/us-east-1/bedrock/aws4_request");
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    request
        .headers
        .push(("authorization".to_owned(), authorization));
    request
}

#[test]
fn a_service_calls_as_the_role_and_lights_where_it_comes_from() {
    let emulator = with(|_| {});
    let model = profile(&emulator, "haiku");
    let function = emulator.assume_role_for_service(ROLE, "ask", Some(&LAMBDA), now());
    assert!(function.access_key_id.starts_with("ASIA"));
    let text = json!({ "messages": [{ "role": "user", "content": [{ "text": "hello" }] }] });
    let request = crate::bench::post(&model, "converse", text.to_string());
    let request = signed_by(&function.access_key_id, request);
    // Years later, too.
    let later = now() + Duration::days(1_000);
    assert_eq!(emulator.handle(&request, later).status, 200);
    let entry = emulator.journal().pop().unwrap();
    let arn = "arn:aws:sts::123456789012:assumed-role/answer/ask";
    assert_eq!(entry.identity.as_deref(), Some(arn));
    let edges: Vec<_> = entry
        .trace
        .iter()
        .filter_map(|e| e.edge.as_deref())
        .collect();
    assert!(edges.contains(&"LAMBDA-BR"), "{edges:?}");

    // The role's policies decide, also those that it gets while the function runs.
    let identity = Identity {
        arn: ROLE.to_owned(),
        policies: Some(vec![NamedPolicy {
            name: "nothing of Bedrock".to_owned(),
            document: json!({
                "Version": "2012-10-17",
                "Statement": [{ "Effect": "Allow", "Action": "logs:*", "Resource": "*" }],
            }),
        }]),
        ..Identity::default()
    };
    emulator.set_identity(&identity).unwrap();
    let reply = emulator.handle(&request, later);
    assert_eq!(reply.status, 403);
    let message = body(&reply)["Message"].as_str().unwrap().to_owned();
    assert!(message.contains(arn), "{message}");
}

#[test]
fn log_lines_of_a_service_can_be_read() {
    let emulator = with(|_| {});
    let at = 1_787_150_074_000;
    let lines = vec![(at, "START".to_owned()), (at + 1, "END".to_owned())];
    let group = "/aws/lambda/ask";
    emulator.put_log_events("123456789012", "us-east-1", group, "s", lines, now());
    let asked = json!({ "logGroupName": group, "logStreamName": "s", "startFromHead": true });
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![(
            "x-amz-target".to_owned(),
            "Logs_20140328.GetLogEvents".to_owned(),
        )]
        .into(),
        body: asked.to_string().into(),
        connection: 1,
    };
    let told = body(&emulator.handle(&request, now()));
    let messages: Vec<&Value> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["message"])
        .collect();
    assert_eq!(messages, ["START", "END"]);
}
