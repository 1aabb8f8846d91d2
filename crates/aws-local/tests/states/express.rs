//! Express machines: nobody can look at their executions, but a synchronous one answers.

use aws_sdk_sfn::types::StateMachineType;
use serde_json::{Value, json};

use crate::bench::{bench, only, open, refused};

#[tokio::test]
async fn a_synchronous_execution_answers_with_its_output() {
    let bench = open().await;
    let wait = json!({
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Seconds": 2, "Next": "Only"},
            "Only": {"Type": "Pass", "Result": {"Arg1": "argument1"}, "End": true},
        },
    });
    let machine = bench
        .create_as("express", &wait, StateMachineType::Express)
        .await;
    let asked = json!({"stateMachineArn": machine, "name": "run", "input": "{\"n\":1}"});
    let (status, body) = bench.ask("StartSyncExecution", &asked).await;
    assert_eq!(status, 200, "{body}");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["status"], "SUCCEEDED");
    assert_eq!(told["output"], r#"{"Arg1":"argument1"}"#);
    assert_eq!(told["input"], r#"{"n":1}"#);
    assert_eq!(told["name"], "run");
    assert_eq!(
        told["billingDetails"],
        json!({"billedDurationInMilliseconds": 2000, "billedMemoryUsedInMB": 64})
    );
    let begins = "arn:aws:states:us-east-1:123456789012:express:express:run:";
    assert!(
        told["executionArn"].as_str().unwrap().starts_with(begins),
        "{body}"
    );

    let fail = only(&json!({"Type": "Fail", "Error": "SomeFailure", "Cause": "on purpose"}));
    let machine = bench
        .create_as("fails", &fail, StateMachineType::Express)
        .await;
    let asked = json!({"stateMachineArn": machine});
    let (status, body) = bench.ask("StartSyncExecution", &asked).await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        (&told["status"], &told["error"]),
        (&json!("FAILED"), &json!("SomeFailure"))
    );
    assert_eq!(told["billingDetails"]["billedDurationInMilliseconds"], 100);
}

#[tokio::test]
async fn the_two_kinds_do_not_mix() {
    let bench = bench().await;
    let pass = only(&json!({"Type": "Pass", "End": true}));
    let standard = bench.create("standard", &pass).await;
    let express = bench
        .create_as("express", &pass, StateMachineType::Express)
        .await;
    let client = &bench.client;

    let run = client
        .start_execution()
        .state_machine_arn(&express)
        .send()
        .await;
    let run = run.unwrap().execution_arn;
    let described = client.describe_execution().execution_arn(&run).send().await;
    let (code, text) = refused(described);
    assert_eq!(code, "InvalidArn");
    assert_eq!(
        text,
        "Invalid Arn: 'Resource type not valid in this context: express'"
    );
    let listed = client
        .list_executions()
        .state_machine_arn(&express)
        .send()
        .await;
    let (code, text) = refused(listed);
    assert_eq!(code, "StateMachineTypeNotSupported");
    assert_eq!(
        text,
        "This operation is not supported by this type of state machine"
    );

    // The SDK would ask `sync-127.0.0.1`.
    let bench = open().await;
    bench.create("standard", &pass).await;
    let asked = json!({"stateMachineArn": standard});
    let (status, body) = bench.ask("StartSyncExecution", &asked).await;
    assert_eq!(status, 400);
    assert!(body.contains("StateMachineTypeNotSupported"), "{body}");
}
