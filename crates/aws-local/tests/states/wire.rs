//! Bytes, policies, the journal.

use bedrock_emulator::trace::TraceStatus;
use serde_json::{Value, json};

use crate::bench::{bench_with, only, open, refused};

#[tokio::test]
async fn errors_are_written_as_aws_writes_them() {
    let bench = open().await;
    let arn = "arn:aws:states:us-east-1:123456789012:execution:m:none";
    let (status, body) = bench
        .ask("DescribeExecution", &json!({"executionArn": arn}))
        .await;
    assert_eq!(status, 400);
    assert_eq!(
        body,
        format!(
            r#"{{"__type":"com.amazonaws.swf.service.v2.model#ExecutionDoesNotExist","message":"Execution Does Not Exist: '{arn}'"}}"#
        )
    );
    let (status, body) = bench
        .ask("ListStateMachines", &json!({"maxResults": 1001}))
        .await;
    assert_eq!(status, 400);
    assert_eq!(
        body,
        r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"}"#
    );
    let (status, body) = bench.ask("CreateStateMachine", &json!({"name": "m"})).await;
    assert_eq!(status, 400);
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        told["message"],
        "2 validation errors detected: Value null at 'definition' failed to satisfy constraint: Member \
         must not be null; Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    );
    for operation in ["CreateActivity", "TestState", "RedriveExecution"] {
        let (status, body) = bench.ask(operation, &json!({})).await;
        assert_eq!(status, 400);
        assert!(body.contains("not emulated by Bedrock Workshop"), "{body}");
    }
}

#[tokio::test]
async fn any_body_is_answered() {
    let bench = open().await;
    let operations = [
        "CreateStateMachine",
        "UpdateStateMachine",
        "DeleteStateMachine",
        "DescribeStateMachine",
        "ListStateMachines",
        "ValidateStateMachineDefinition",
        "StartExecution",
        "StartSyncExecution",
        "DescribeExecution",
        "GetExecutionHistory",
        "ListExecutions",
        "StopExecution",
        "DescribeStateMachineForExecution",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
    ];
    for operation in operations {
        for body in [
            json!({}),
            json!([]),
            json!(null),
            json!({"stateMachineArn": "arn:aws:states"}),
            json!({"executionArn": 5}),
            json!({"resourceArn": "arn:::::::", "nextToken": ""}),
            json!({"executionArn": "arn:aws:states:us-east-1:123456789012:execution:é:ü"}),
        ] {
            let (status, text) = bench.ask(operation, &body).await;
            assert!(
                status == 200 || status == 400,
                "{operation} {body}: {status} {text}"
            );
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
    }
}

#[tokio::test]
async fn policies_decide_and_the_journal_shows() {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["states:CreateStateMachine", "states:DescribeStateMachine"],
            "Resource": "arn:aws:states:us-east-1:123456789012:stateMachine:mine*",
        }],
    });
    let bench = bench_with(|_| {}, |config| config.policies = vec![policy]).await;
    let pass = only(&json!({"Type": "Pass", "End": true}));
    let mine = bench.create("mine", &pass).await;
    let entry = bench.emulator().journal().pop().unwrap();
    assert_eq!(entry.operation.as_deref(), Some("CreateStateMachine"));
    let lit = entry.trace.iter().find(|lit| lit.node == "SFN").unwrap();
    assert_eq!(lit.status, TraceStatus::Ok);
    let start = bench
        .client
        .start_execution()
        .state_machine_arn(&mine)
        .send()
        .await;
    let (code, text) = refused(start);
    assert_eq!(code, "AccessDeniedException");
    assert!(text.contains("states:StartExecution"), "{text}");
}
