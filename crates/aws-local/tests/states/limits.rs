//! What is bounded.

use std::sync::Arc;

use aws_local::states::TaskRunner;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use serde_json::json;

use crate::bench::{bench, bench_with, only, refused, task};

#[tokio::test]
async fn the_oldest_executions_that_ended_go_first() {
    let bench = bench_with(|setup| setup.executions_kept = 2, |_| {}).await;
    let machine = bench
        .create("machine", &only(&json!({"Type": "Pass", "End": true})))
        .await;
    for name in ["a", "b", "c", "d"] {
        let start = bench.client.start_execution().state_machine_arn(&machine);
        start.name(name).send().await.unwrap();
        bench.happened("ExecutionSucceeded").await;
    }
    // The last one may still be on its way out.
    let kept = loop {
        let list = bench.client.list_executions().state_machine_arn(&machine);
        let kept = list.send().await.unwrap().executions;
        if kept.len() == 2 {
            break kept;
        }
    };
    let names: Vec<_> = kept.iter().map(ExecutionListItem::name).collect();
    assert_eq!(names, ["d", "c"]);
}

#[tokio::test]
async fn only_so_many_run_at_once() {
    let tasks: Arc<dyn TaskRunner> =
        <dyn TaskRunner>::closure(|_| Box::pin(std::future::pending()));
    let bench = bench_with(
        |setup| {
            setup.executions_running = 1;
            setup.tasks = Some(tasks);
        },
        |_| {},
    )
    .await;
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let machine = bench
        .create("machine", &only(&task(function, &json!({}))))
        .await;
    bench.start(&machine, &json!({})).await;
    let start = bench.client.start_execution().state_machine_arn(&machine);
    assert_eq!(refused(start.send().await).0, "ExecutionLimitExceeded");
}

/// An endless loop ends with AWS's error, and others come to their turn meanwhile.
#[tokio::test]
async fn an_endless_loop_ends() {
    let bench = bench().await;
    let definition = json!({
        "StartAt": "Again",
        "States": {
            "Again": {"Type": "Choice", "Choices": [
                {"Variable": "$.stop", "BooleanEquals": true, "Next": "End"},
            ], "Default": "Again2"},
            "Again2": {"Type": "Pass", "Next": "Again"},
            "End": {"Type": "Succeed"},
        },
    });
    let ended = bench.run(&definition, &json!({"stop": false})).await;
    assert_eq!(ended.status, ExecutionStatus::Failed);
    assert_eq!(ended.error(), Some("States.Runtime"));
    assert!(
        ended.cause().unwrap().contains("25000"),
        "{:?}",
        ended.cause()
    );
}

#[tokio::test]
async fn inputs_are_json_of_at_most_256_kib() {
    let bench = bench().await;
    let machine = bench
        .create("machine", &only(&json!({"Type": "Pass", "End": true})))
        .await;
    let start = |input: String| {
        let start = bench.client.start_execution().state_machine_arn(&machine);
        start.input(input).send()
    };
    for (input, says) in [
        (
            "not".to_owned(),
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token \
             'null', 'true' or 'false')",
        ),
        (String::new(), "Invalid execution input."),
        (
            format!("\"{}\"", "x".repeat(262_143)),
            "longer than 262144 bytes",
        ),
    ] {
        let (code, text) = refused(start(input).await);
        assert_eq!(code, "InvalidExecutionInput");
        assert!(
            text.starts_with("Invalid State Machine Execution Input: '"),
            "{text}"
        );
        assert!(text.contains(says), "{text}");
    }
    for input in ["2", "\"text\"", "null"] {
        start(input.to_owned()).await.unwrap();
    }
}
