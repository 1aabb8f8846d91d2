//! Tasks that run real Lambda processes.

use std::time::Duration;

use aws_local::states::ExecutionEvent;
use aws_sdk_sfn::types::ExecutionStatus;
use bedrock_emulator::trace::TraceEvent;
use serde_json::{Value, json};

use crate::bench::{Bench, function, json, only, task};

fn arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{name}")
}

/// A function for each step, called like it.
async fn bench(steps: &[&str], timeout: Duration) -> Bench {
    let bench = crate::bench::bench().await;
    for step in steps {
        bench
            .services
            .lambda
            .create(function(step, timeout))
            .unwrap();
    }
    bench
}

/// The machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The workflow that people paste: three tasks in a row.
#[tokio::test]
async fn three_tasks_run_three_processes() {
    let bench = bench(&["preprocess", "invoke", "post"], PATIENCE).await;
    let step =
        |name: &str, next: &str| json!({"Type": "Task", "Resource": arn(name), "Next": next});
    let definition = json!({
        "StartAt": "Preprocess",
        "States": {
            "Preprocess": step("preprocess", "Invoke"),
            "Invoke": step("invoke", "Post"),
            "Post": {"Type": "Task", "Resource": arn("post"), "End": true},
        },
    });
    let ended = bench.run(&definition, &json!({"text": "  Hello  "})).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    let output = json(ended.output());
    assert_eq!(output["answer"], r#"You said: "Hello""#);
    let mut pids = output["pids"].as_array().unwrap().clone();
    pids.dedup();
    assert_eq!(pids.len(), 3, "three processes");

    let mut expected = vec!["ExecutionStarted"];
    for _ in 0..3 {
        expected.extend([
            "TaskStateEntered",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionSucceeded",
            "TaskStateExited",
        ]);
    }
    expected.push("ExecutionSucceeded");
    let history = bench.history(&ended.execution_arn).await;
    let types: Vec<&str> = history.iter().map(|e| e.r#type.as_str()).collect();
    assert_eq!(types, expected);
    let previous: Vec<i64> = history.iter().map(|e| e.previous_event_id).collect();
    assert_eq!(
        previous,
        [0, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    );
    let scheduled = history[2]
        .lambda_function_scheduled_event_details()
        .unwrap();
    assert_eq!(scheduled.resource, arn("preprocess"));

    // The journal has them too, called by the machine.
    let journal = bench.emulator().journal();
    let invoked = journal.iter().filter(|entry| {
        let edge = |lit: &TraceEvent| lit.edge.as_deref() == Some("SFN-LAMBDA");
        entry.operation.as_deref() == Some("Invoke") && entry.trace.iter().any(edge)
    });
    assert_eq!(invoked.count(), 3);

    // The same, as light on a diagram of the states.
    let seen = bench.seen.lock().unwrap();
    let lit: Vec<(String, Option<String>)> = seen
        .iter()
        .filter_map(ExecutionEvent::trace)
        .map(|lit| (lit.node, lit.edge))
        .collect();
    let edge = |text: &str| Some(text.to_owned());
    assert_eq!(
        lit,
        [
            ("SFN.Preprocess".to_owned(), None),
            ("SFN.Invoke".to_owned(), edge("SFN.Preprocess-SFN.Invoke")),
            ("SFN.Post".to_owned(), edge("SFN.Invoke-SFN.Post")),
        ]
    );
}

#[tokio::test]
async fn the_integration_tells_what_lambda_answered() {
    let bench = bench(&["echo"], PATIENCE).await;
    let parameters = json!({"Parameters": {"FunctionName": "echo", "Payload.$": "$"}});
    let definition = only(&task("arn:aws:states:::lambda:invoke", &parameters));
    let ended = bench.run(&definition, &json!({"n": 1})).await;
    let output = json(ended.output());
    assert_eq!(output["Payload"], json!({"n": 1}));
    assert_eq!(output["StatusCode"], 200);
    assert_eq!(output["ExecutedVersion"], "$LATEST");
    let http = &output["SdkHttpMetadata"];
    assert_eq!(http["HttpStatusCode"], 200);
    assert_eq!(http["HttpHeaders"]["Content-Length"], "7");
    assert_eq!(
        http["AllHttpHeaders"]["X-Amz-Executed-Version"],
        json!(["$LATEST"])
    );
    assert_eq!(
        output["SdkResponseMetadata"]["RequestId"],
        http["HttpHeaders"]["x-amzn-RequestId"]
    );
}

/// What a function fails with is the error's name, and its answer the cause.
#[tokio::test]
async fn failures_of_functions_have_names() {
    let bench = bench(&["fail", "exit"], PATIENCE).await;
    for (function, error, cause) in [
        ("fail", None, "it failed"),
        ("exit", Some("Runtime.ExitError"), "exit status 3"),
    ] {
        let machine = bench
            .create(function, &only(&task(&arn(function), &json!({}))))
            .await;
        let run = bench.start(&machine, &json!({})).await;
        let ended = bench.ended(&run).await;
        assert_eq!(ended.status, ExecutionStatus::Failed);
        let told: Value = json(ended.cause());
        assert_eq!(told["errorType"].as_str(), ended.error());
        assert!(
            error.is_none_or(|error| ended.error() == Some(error)),
            "{ended:?}"
        );
        let text = told["errorMessage"].as_str().unwrap();
        assert!(text.contains(cause), "{text}");
        let types = bench.types(&run).await;
        assert!(
            types.iter().any(|t| t == "LambdaFunctionFailed"),
            "{types:?}"
        );
    }
}

#[tokio::test]
async fn a_function_that_is_late_or_missing_can_be_caught() {
    let bench = bench(&["hang"], Duration::from_secs(1)).await;
    for (name, resource, error) in [
        ("late", arn("hang"), "Sandbox.Timedout"),
        ("missing", arn("nobody"), "Lambda.ResourceNotFoundException"),
    ] {
        let catch = json!({"Catch": [{
            "ErrorEquals": [error], "ResultPath": "$.error", "Next": "Caught",
        }]});
        let mut definition = only(&task(&resource, &catch));
        definition["States"]["Caught"] = json!({"Type": "Pass", "End": true});
        let machine = bench.create(name, &definition).await;
        let run = bench.start(&machine, &json!({"kept": true})).await;
        let ended = bench.ended(&run).await;
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
        let output = json(ended.output());
        assert_eq!(output["kept"], true);
        assert_eq!(output["error"]["Error"], error);
    }
    let seen = bench.seen.lock().unwrap();
    let cause = seen.iter().find_map(|event| match &event.event.details {
        states_language::Details::Failed { error, cause }
            if error.as_deref() == Some("Lambda.ResourceNotFoundException") =>
        {
            cause.clone()
        }
        _ => None,
    });
    let cause = cause.unwrap();
    let begins = format!("Function not found: {}", arn("nobody"));
    assert!(cause.starts_with(&begins), "{cause}");
    let ends = "Status Code: 404; Error Code: ResourceNotFoundException; Request ID: ";
    assert!(cause.contains(ends), "{cause}");
}
