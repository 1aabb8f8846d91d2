//! Histories, event by event: ids, what precedes what, members.

use serde_json::{Value, json};

use crate::bench::{Answer, INVOKE, LAMBDA, one, run, run_with};

/// Three tasks: two functions by ARN, one by the service integration, as recorded.
#[test]
fn three_tasks() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:";
    let definition = json!({"StartAt": "Validate", "States": {
        "Validate": {"Type": "Task", "Resource": format!("{arn}validate"), "Next": "Summarize"},
        "Summarize": {"Type": "Task", "Resource": INVOKE, "Next": "Store", "TimeoutSeconds": 60, "HeartbeatSeconds": 20,
            "Parameters": {"FunctionName": "summarize", "Payload.$": "$"}, "ResultSelector": {"summary.$": "$.Payload"}},
        "Store": {"Type": "Task", "Resource": format!("{arn}store"), "ResultPath": null, "End": true},
    }});
    let ended = run_with(&definition, json!({"text": "Hi"}), |task| {
        let answer = match task.state.as_str() {
            "Validate" => json!({"text": "Hi", "valid": true}),
            "Summarize" => json!({"Payload": "short", "StatusCode": 200}),
            _ => json!("stored"),
        };
        answer.into()
    });
    let seen: Vec<Value> = ended
        .execution
        .history()
        .iter()
        .map(states_language::HistoryEvent::to_json)
        .collect();
    let at = 1_700_000_000.0;
    let known = json!({"truncated": false});
    let expected = json!([
        {"timestamp": at, "type": "ExecutionStarted", "id": 1, "previousEventId": 0, "executionStartedEventDetails": {"input": "{\"text\":\"Hi\"}", "inputDetails": known, "roleArn": "arn:aws:iam::123456789012:role/orders"}},
        {"timestamp": at, "type": "TaskStateEntered", "id": 2, "previousEventId": 0, "stateEnteredEventDetails": {"name": "Validate", "input": "{\"text\":\"Hi\"}", "inputDetails": known}},
        {"timestamp": at, "type": "LambdaFunctionScheduled", "id": 3, "previousEventId": 2, "lambdaFunctionScheduledEventDetails": {"resource": format!("{arn}validate"), "input": "{\"text\":\"Hi\"}", "inputDetails": known}},
        {"timestamp": at, "type": "LambdaFunctionStarted", "id": 4, "previousEventId": 3},
        {"timestamp": at, "type": "LambdaFunctionSucceeded", "id": 5, "previousEventId": 4, "lambdaFunctionSucceededEventDetails": {"output": "{\"text\":\"Hi\",\"valid\":true}", "outputDetails": known}},
        {"timestamp": at, "type": "TaskStateExited", "id": 6, "previousEventId": 5, "stateExitedEventDetails": {"name": "Validate", "output": "{\"text\":\"Hi\",\"valid\":true}", "outputDetails": known}},
        {"timestamp": at, "type": "TaskStateEntered", "id": 7, "previousEventId": 6, "stateEnteredEventDetails": {"name": "Summarize", "input": "{\"text\":\"Hi\",\"valid\":true}", "inputDetails": known}},
        {"timestamp": at, "type": "TaskScheduled", "id": 8, "previousEventId": 7, "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "us-east-1", "parameters": "{\"FunctionName\":\"summarize\",\"Payload\":{\"text\":\"Hi\",\"valid\":true}}", "timeoutInSeconds": 60, "heartbeatInSeconds": 20}},
        {"timestamp": at, "type": "TaskStarted", "id": 9, "previousEventId": 8, "taskStartedEventDetails": {"resourceType": "lambda", "resource": "invoke"}},
        {"timestamp": at, "type": "TaskSucceeded", "id": 10, "previousEventId": 9, "taskSucceededEventDetails": {"resourceType": "lambda", "resource": "invoke", "output": "{\"Payload\":\"short\",\"StatusCode\":200}", "outputDetails": known}},
        {"timestamp": at, "type": "TaskStateExited", "id": 11, "previousEventId": 10, "stateExitedEventDetails": {"name": "Summarize", "output": "{\"summary\":\"short\"}", "outputDetails": known}},
        {"timestamp": at, "type": "TaskStateEntered", "id": 12, "previousEventId": 11, "stateEnteredEventDetails": {"name": "Store", "input": "{\"summary\":\"short\"}", "inputDetails": known}},
        {"timestamp": at, "type": "LambdaFunctionScheduled", "id": 13, "previousEventId": 12, "lambdaFunctionScheduledEventDetails": {"resource": format!("{arn}store"), "input": "{\"summary\":\"short\"}", "inputDetails": known}},
        {"timestamp": at, "type": "LambdaFunctionStarted", "id": 14, "previousEventId": 13},
        {"timestamp": at, "type": "LambdaFunctionSucceeded", "id": 15, "previousEventId": 14, "lambdaFunctionSucceededEventDetails": {"output": "\"stored\"", "outputDetails": known}},
        {"timestamp": at, "type": "TaskStateExited", "id": 16, "previousEventId": 15, "stateExitedEventDetails": {"name": "Store", "output": "{\"summary\":\"short\"}", "outputDetails": known}},
        {"timestamp": at, "type": "ExecutionSucceeded", "id": 17, "previousEventId": 16, "executionSucceededEventDetails": {"output": "{\"summary\":\"short\"}", "outputDetails": known}},
    ]);
    assert_eq!(Value::Array(seen), expected);
    let bare = ended.execution.history()[1].to_json_without_data();
    assert_eq!(
        bare["stateEnteredEventDetails"],
        json!({"name": "Validate"})
    );
}

#[test]
fn a_failed_and_caught_task() {
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Task", "Resource": INVOKE, "End": true,
            "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["E"], "Next": "Caught"}]},
        "Caught": {"Type": "Pass", "End": true},
    }});
    let ended = run_with(&definition, json!({}), |_| Answer::Failure("E"));
    assert_eq!(
        ended.events(),
        [
            "1 0 ExecutionStarted",
            "2 0 TaskStateEntered",
            "3 2 TaskScheduled",
            "4 3 TaskStarted",
            "5 4 TaskFailed",
            "6 5 TaskScheduled",
            "7 6 TaskStarted",
            "8 7 TaskFailed",
            "9 8 TaskStateExited",
            "10 9 PassStateEntered",
            "11 10 PassStateExited",
            "12 11 ExecutionSucceeded",
        ]
    );
    let failed = ended.execution.history()[7].to_json();
    assert_eq!(
        failed["taskFailedEventDetails"],
        json!({"resourceType": "lambda", "resource": "invoke", "error": "E", "cause": "because"})
    );
    let exited = ended.execution.history()[8].to_json();
    assert_eq!(
        exited["stateExitedEventDetails"]["output"],
        "{\"Cause\":\"because\",\"Error\":\"E\"}"
    );
}

#[test]
fn a_timeout() {
    for (resource, expected) in [(LAMBDA, "LambdaFunctionTimedOut"), (INVOKE, "TaskTimedOut")] {
        let state = json!({"Type": "Task", "Resource": resource, "TimeoutSeconds": 5});
        let ended = run_with(&one(state), json!({}), |_| Answer::Silence);
        assert_eq!(
            ended.events()[4..],
            [format!("5 4 {expected}"), "6 5 ExecutionFailed".to_owned()]
        );
        let last = ended.execution.history()[5].to_json();
        assert_eq!(
            last["executionFailedEventDetails"],
            json!({"error": "States.Timeout"})
        );
        assert!((last["timestamp"].as_f64().unwrap() - 1_700_000_005.0).abs() < 1e-6);
    }
}

#[test]
fn parallel_branches() {
    let branch =
        |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Pass", "End": true}}});
    let state = json!({"Type": "Parallel", "Branches": [branch("A"), branch("B")]});
    assert_eq!(
        run(&one(state), json!({})).events(),
        [
            "1 0 ExecutionStarted",
            "2 0 ParallelStateEntered",
            "3 2 ParallelStateStarted",
            "4 3 PassStateEntered",
            "5 4 PassStateExited",
            "6 3 PassStateEntered",
            "7 6 PassStateExited",
            "8 7 ParallelStateSucceeded",
            "9 7 ParallelStateExited",
            "10 9 ExecutionSucceeded",
        ]
    );
    let failing = json!({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}});
    let waiting =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": true}}});
    let state = json!({"Type": "Parallel", "Branches": [waiting, failing], "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]});
    assert_eq!(
        run(&one(state), json!({})).events()[2..],
        [
            "3 2 ParallelStateStarted",
            "4 3 WaitStateEntered",
            "5 3 FailStateEntered",
            "6 5 WaitStateAborted",
            "7 5 ParallelStateStarted",
            "8 7 WaitStateEntered",
            "9 7 FailStateEntered",
            "10 9 WaitStateAborted",
            "11 9 ParallelStateFailed",
            "12 11 ExecutionFailed",
        ]
    );
}

#[test]
fn map_iterations() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let state = json!({"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": pass});
    let ended = run(&one(state), json!(["a", "b"]));
    assert_eq!(
        ended.events(),
        [
            "1 0 ExecutionStarted",
            "2 0 MapStateEntered",
            "3 2 MapStateStarted",
            "4 3 MapIterationStarted",
            "5 4 PassStateEntered",
            "6 5 PassStateExited",
            "7 6 MapIterationSucceeded",
            "8 6 MapIterationStarted",
            "9 8 PassStateEntered",
            "10 9 PassStateExited",
            "11 10 MapIterationSucceeded",
            "12 11 MapStateSucceeded",
            "13 11 MapStateExited",
            "14 13 ExecutionSucceeded",
        ]
    );
    let started = ended.execution.history()[2].to_json();
    assert_eq!(started["mapStateStartedEventDetails"], json!({"length": 2}));
    let iteration = ended.execution.history()[7].to_json();
    assert_eq!(
        iteration["mapIterationStartedEventDetails"],
        json!({"name": "It", "index": 1})
    );

    // One fails: the others are aborted, everything follows the failure (recorded).
    let task = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": INVOKE, "TimeoutSeconds": 5, "End": true}}});
    let state = json!({"Type": "Map", "ItemProcessor": task});
    let ended = run_with(&one(state), json!([0, 1]), |_| Answer::Silence);
    assert_eq!(
        ended.events()[3..],
        [
            "4 3 MapIterationStarted",
            "5 3 MapIterationStarted",
            "6 4 TaskStateEntered",
            "7 6 TaskScheduled",
            "8 7 TaskStarted",
            "9 5 TaskStateEntered",
            "10 9 TaskScheduled",
            "11 10 TaskStarted",
            "12 8 TaskTimedOut",
            "13 12 MapIterationFailed",
            "14 12 TaskStateAborted",
            "15 12 MapIterationAborted",
            "16 12 MapStateFailed",
            "17 16 ExecutionFailed",
        ]
    );
    assert_eq!(ended.cancelled.len(), 2);

    // A failed and caught iteration (recorded).
    let fail =
        json!({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}});
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": fail, "End": true,
            "Catch": [{"ErrorEquals": ["E"], "Next": "Caught"}]},
        "Caught": {"Type": "Succeed"},
    }});
    assert_eq!(
        run(&definition, json!([1])).events()[3..8],
        [
            "4 3 MapIterationStarted",
            "5 4 FailStateEntered",
            "6 5 MapIterationFailed",
            "7 5 MapStateFailed",
            "8 7 MapStateExited",
        ]
    );
}

#[test]
fn an_empty_map() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let state = json!({"Type": "Map", "ItemProcessor": pass});
    assert_eq!(
        run(&one(state), json!([])).events()[2..],
        [
            "3 2 MapStateStarted",
            "4 3 MapStateSucceeded",
            "5 3 MapStateExited",
            "6 5 ExecutionSucceeded",
        ]
    );
}

#[test]
fn a_map_that_cannot_begin() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let state = json!({"Type": "Map", "MaxConcurrencyPath": "$.c", "ItemProcessor": pass});
    let ended = run(&one(state), json!([1]));
    assert_eq!(ended.failure().0, "States.Runtime");
    assert_eq!(
        ended.events(),
        [
            "1 0 ExecutionStarted",
            "2 0 MapStateEntered",
            "3 2 ExecutionFailed"
        ]
    );
}
