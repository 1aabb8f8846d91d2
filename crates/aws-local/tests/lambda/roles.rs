//! A function works in its role's name, and its lines are in CloudWatch Logs.

use std::sync::Arc;

use aws_local::{SystemClock, lambda::Function};
use bedrock_emulator::{emulator::Auth, identity::Identity, journal::Entry, policy::NamedPolicy};
use serde_json::{Value, json};

use crate::bench::{Bench, function};

const ROLE: &str = "arn:aws:iam::123456789012:role/answering";

/// What `ask` gets when it asks Bedrock, and what the journal says about it.
async fn converse(bench: &Bench, name: &str) -> (Value, Entry) {
    let emulator = bench.endpoint.emulator();
    let catalogue = emulator.catalogue();
    let model = catalogue.by_alias("haiku").unwrap();
    let model = catalogue.profile_id(model, "us-east-1").unwrap();
    let event = json!({ "do": "converse", "model": model }).to_string();
    let invocation = lambda_host::Invocation::new(event);
    let lambda = &bench.services.lambda;
    let invoked = lambda.invoke("123456789012", "us-east-1", name, invocation);
    let invoked = invoked.await.unwrap();
    let told = serde_json::from_slice(&invoked.payload).unwrap();
    (told, emulator.journal().pop().unwrap())
}

fn role(action: &str) -> Identity {
    Identity {
        arn: ROLE.to_owned(),
        policies: Some(vec![NamedPolicy {
            name: "what it may".to_owned(),
            document: json!({
                "Version": "2012-10-17",
                "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }],
            }),
        }]),
        ..Identity::default()
    }
}

#[tokio::test]
async fn a_function_calls_bedrock_as_its_role() {
    let clock = Arc::new(SystemClock);
    let bench = Bench::start_with(clock, |config| {
        config.auth = Auth::Strict;
        config.identities = vec![role("bedrock:InvokeModel")];
    })
    .await;
    let answering = Function {
        role: Some(ROLE.to_owned()),
        ..function("answer")
    };
    bench.services.lambda.create(answering).unwrap();
    let (told, entry) = converse(&bench, "answer").await;
    assert_eq!(told["status"], "200", "{told}");
    let caller = "arn:aws:sts::123456789012:assumed-role/answering/answer";
    assert_eq!(entry.identity.as_deref(), Some(caller));
    let edges: Vec<_> = entry
        .trace
        .iter()
        .filter_map(|e| e.edge.as_deref())
        .collect();
    assert!(edges.contains(&"LAMBDA-BR"), "{edges:?}");

    bench
        .endpoint
        .emulator()
        .set_identity(&role("logs:*"))
        .unwrap();
    let (told, _) = converse(&bench, "answer").await;
    assert_eq!(told["status"], "403");
    let body = told["body"].as_str().unwrap();
    assert!(body.contains(caller), "{body}");

    // A role that nobody configured may what its account may.
    let (told, entry) = converse(&bench, "ask").await;
    assert_eq!(told["status"], "200");
    let caller = "arn:aws:sts::123456789012:assumed-role/ask-role/ask";
    assert_eq!(entry.identity.as_deref(), Some(caller));
}

#[tokio::test]
async fn lines_are_in_cloudwatch_logs_and_embedded_metrics_in_cloudwatch() {
    let bench = Bench::start().await;
    let line = json!({
        "_aws": {
            "Timestamp": 1_795_348_800_000_u64,
            "CloudWatchMetrics": [{
                "Namespace": "Answers",
                "Dimensions": [[]],
                "Metrics": [{ "Name": "Handled", "Unit": "Count" }],
            }],
        },
        "Handled": 1,
    });
    let print = json!({ "do": "print", "line": line.to_string() });
    assert_eq!(bench.invoke(&[], &print).await.status, 200);
    let log = bench.log().await;
    assert!(log[0].starts_with("START RequestId: "), "{log:?}");
    assert_eq!(log[1], line.to_string());
    assert!(log[3].starts_with("REPORT RequestId: "), "{log:?}");
}
