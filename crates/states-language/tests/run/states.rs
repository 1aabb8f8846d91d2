//! Every type of state.

use serde_json::{Value, json};
use states_language::{Command, Outcome, Resource};

use crate::bench::{Answer, INVOKE, LAMBDA, after, begin, one, run, run_with, start};

#[track_caller]
fn gives(state: &Value, input: Value, expected: &Value) {
    assert_eq!(
        run(&one(state.clone()), input).output(),
        *expected,
        "{state}"
    );
}

#[test]
fn pass() {
    let input = json!({"a": 1, "b": {"c": [2, 3]}});
    for (state, expected) in [
        (json!({}), input.clone()),
        (json!({"Result": {"r": 1}}), json!({"r": 1})),
        (
            json!({"Result": 5, "ResultPath": "$.b.d"}),
            json!({"a": 1, "b": {"c": [2, 3], "d": 5}}),
        ),
        (json!({"Result": 5, "ResultPath": null}), input.clone()),
        (json!({"InputPath": "$.b.c[1]"}), json!(3)),
        (json!({"InputPath": null}), json!({})),
        (json!({"OutputPath": "$.b"}), json!({"c": [2, 3]})),
        (json!({"OutputPath": null}), json!({})),
        (
            json!({"InputPath": "$.b", "ResultPath": "$.x"}),
            json!({"a": 1, "b": {"c": [2, 3]}, "x": {"c": [2, 3]}}),
        ),
        (
            json!({"Parameters": {"fixed": [1, {"deep.$": "$.a"}], "n.$": "$.b.c[*]", "plain": "$.a"}}),
            json!({"fixed": [1, {"deep": 1}], "n": [2, 3], "plain": "$.a"}),
        ),
        (
            json!({"Parameters": {"id.$": "$$.Execution.Name", "s.$": "$$.State.Name", "m.$": "$$.StateMachine.Name", "in.$": "$$.Execution.Input.a"}}),
            json!({"id": "run-1", "s": "It", "m": "orders", "in": 1}),
        ),
        (
            json!({"Parameters": {"at.$": "$$.State.EnteredTime"}}),
            json!({"at": "2023-11-14T22:13:20.000Z"}),
        ),
    ] {
        let mut state = state;
        state["Type"] = json!("Pass");
        gives(&state, input.clone(), &expected);
    }
}

#[test]
fn succeed_and_fail() {
    gives(
        &json!({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}),
        json!({"a": {"b": 1}}),
        &json!(1),
    );
    for (state, error, cause) in [
        (json!({"Error": "E", "Cause": "C"}), Some("E"), Some("C")),
        (json!({}), None, None),
        (
            json!({"ErrorPath": "$.e", "CausePath": "States.Format('not {}', $.e)"}),
            Some("oh"),
            Some("not oh"),
        ),
        (
            json!({"Error": "States.Runtime", "Cause": "C"}),
            Some("States.Runtime"),
            Some("C"),
        ),
    ] {
        let mut state = state;
        state["Type"] = json!("Fail");
        let ended = run(&one(state.clone()), json!({"e": "oh"}));
        let expected = Outcome::Failed {
            error: error.map(ToOwned::to_owned),
            cause: cause.map(ToOwned::to_owned),
        };
        assert_eq!(*ended.execution.outcome(), expected, "{state}");
    }
}

/// The rule alone, against an input.
fn holds(rule: &Value, input: &Value) -> Value {
    let mut rule = rule.clone();
    rule["Next"] = json!("Yes");
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Choice", "Choices": [rule], "Default": "No"},
        "Yes": {"Type": "Pass", "Result": true, "End": true},
        "No": {"Type": "Pass", "Result": false, "End": true},
    }});
    run(&definition, input.clone()).output()
}

#[test]
fn choice_operators() {
    let input = json!({
        "s": "b", "n": 5, "f": 1.5, "t": true, "when": "2024-01-02T03:04:05Z", "null": null,
        "s2": "b", "n2": 7, "t2": true, "when2": "2024-01-02T04:04:05+01:00",
    });
    for (variable, operator, operand, expected) in [
        ("$.s", "StringEquals", json!("b"), true),
        ("$.s", "StringEquals", json!("B"), false),
        ("$.n", "StringEquals", json!("5"), false),
        ("$.s", "StringLessThan", json!("c"), true),
        ("$.s", "StringGreaterThan", json!("a"), true),
        ("$.s", "StringLessThanEquals", json!("b"), true),
        ("$.s", "StringGreaterThanEquals", json!("c"), false),
        ("$.s", "StringEqualsPath", json!("$.s2"), true),
        ("$.s", "StringLessThanPath", json!("$.s2"), false),
        ("$.s", "StringGreaterThanPath", json!("$.s2"), false),
        ("$.s", "StringLessThanEqualsPath", json!("$.s2"), true),
        ("$.s", "StringGreaterThanEqualsPath", json!("$.s2"), true),
        ("$.n", "NumericEquals", json!(5.0), true),
        ("$.s", "NumericEquals", json!(5), false),
        ("$.n", "NumericLessThan", json!(5), false),
        ("$.f", "NumericLessThan", json!(2), true),
        ("$.n", "NumericGreaterThan", json!(4), true),
        ("$.n", "NumericLessThanEquals", json!(5), true),
        ("$.n", "NumericGreaterThanEquals", json!(6), false),
        ("$.n", "NumericEqualsPath", json!("$.n2"), false),
        ("$.n", "NumericLessThanPath", json!("$.n2"), true),
        ("$.n", "NumericGreaterThanPath", json!("$.n2"), false),
        ("$.n", "NumericLessThanEqualsPath", json!("$.n2"), true),
        ("$.n", "NumericGreaterThanEqualsPath", json!("$.n2"), false),
        ("$.t", "BooleanEquals", json!(true), true),
        ("$.t", "BooleanEquals", json!(false), false),
        ("$.t", "BooleanEqualsPath", json!("$.t2"), true),
        (
            "$.when",
            "TimestampEquals",
            json!("2024-01-02T03:04:05.000Z"),
            true,
        ),
        (
            "$.when",
            "TimestampLessThan",
            json!("2024-01-02T03:04:06Z"),
            true,
        ),
        (
            "$.when",
            "TimestampGreaterThan",
            json!("2024-01-02T03:04:06Z"),
            false,
        ),
        (
            "$.when",
            "TimestampLessThanEquals",
            json!("2024-01-02T03:04:05Z"),
            true,
        ),
        (
            "$.when",
            "TimestampGreaterThanEquals",
            json!("2024-01-02T03:04:05Z"),
            true,
        ),
        ("$.when", "TimestampEqualsPath", json!("$.when2"), true),
        ("$.when", "TimestampLessThanPath", json!("$.when2"), false),
        (
            "$.when",
            "TimestampGreaterThanPath",
            json!("$.when2"),
            false,
        ),
        (
            "$.when",
            "TimestampLessThanEqualsPath",
            json!("$.when2"),
            true,
        ),
        (
            "$.when",
            "TimestampGreaterThanEqualsPath",
            json!("$.when2"),
            true,
        ),
        (
            "$.s",
            "TimestampEquals",
            json!("2024-01-02T03:04:05Z"),
            false,
        ),
        ("$.s", "StringMatches", json!("*"), true),
        ("$.when", "StringMatches", json!("2024-*T*Z"), true),
        ("$.s", "StringMatches", json!("c*"), false),
        ("$.null", "IsNull", json!(true), true),
        ("$.s", "IsNull", json!(false), true),
        ("$.s", "IsPresent", json!(true), true),
        ("$.none.at.all", "IsPresent", json!(false), true),
        ("$.n", "IsNumeric", json!(true), true),
        ("$.s", "IsNumeric", json!(true), false),
        ("$.s", "IsString", json!(true), true),
        ("$.t", "IsBoolean", json!(true), true),
        ("$.when", "IsTimestamp", json!(true), true),
        ("$.s", "IsTimestamp", json!(true), false),
        ("$$.Execution.Name", "StringEquals", json!("run-1"), true),
    ] {
        let rule = json!({"Variable": variable, operator: operand});
        assert_eq!(holds(&rule, &input), json!(expected), "{rule}");
    }
}

#[test]
fn choice_combinations_and_order() {
    let input = json!({"n": 5});
    let low = json!({"Variable": "$.n", "NumericLessThan": 3});
    let high = json!({"Variable": "$.n", "NumericGreaterThan": 3});
    for (rule, expected) in [
        (json!({"And": [high, high]}), true),
        (json!({"And": [high, low]}), false),
        (json!({"Or": [low, high]}), true),
        (json!({"Or": [low, low]}), false),
        (json!({"Not": low}), true),
        (
            json!({"And": [{"Not": low}, {"Or": [low, {"Not": {"Not": high}}]}]}),
            true,
        ),
        // What decides comes first: the second is never looked at.
        (
            json!({"And": [low, {"Variable": "$.none", "IsNull": true}]}),
            false,
        ),
    ] {
        assert_eq!(holds(&rule, &input), json!(expected), "{rule}");
    }
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Choice", "Choices": [
            {"Variable": "$.n", "NumericEquals": 5, "Next": "First"},
            {"Variable": "$.n", "IsNumeric": true, "Next": "Second"},
        ], "InputPath": "$", "OutputPath": "$.n"},
        "First": {"Type": "Succeed"},
        "Second": {"Type": "Succeed"},
    }});
    let ended = run(&definition, json!({"n": 5}));
    assert_eq!(ended.output(), json!(5));
    assert_eq!(ended.events()[3], "4 3 SucceedStateEntered");
}

#[test]
fn wait() {
    for (state, seconds) in [
        (json!({"Seconds": 10}), 10.0),
        (json!({"Seconds": 0}), 0.0),
        (json!({"SecondsPath": "$.s"}), 3.0),
        (json!({"Timestamp": "2023-11-14T22:13:30Z"}), 10.0),
        (json!({"Timestamp": "2020-01-01T00:00:00Z"}), 0.0),
        (json!({"TimestampPath": "$.at"}), 5.0),
    ] {
        let mut state = state;
        state["Type"] = json!("Wait");
        let input = json!({"s": 3, "at": "2023-11-14T23:13:25.000+01:00"});
        let ended = run(&one(state.clone()), input.clone());
        assert_eq!(ended.output(), input, "{state}");
        assert!((ended.seconds() - seconds).abs() < 1e-9, "{state}");
    }
}

#[test]
fn task_by_arn_and_by_service() {
    let state = json!({
        "Type": "Task", "Resource": LAMBDA, "InputPath": "$.order",
        "Parameters": {"id.$": "$.id"}, "ResultSelector": {"total.$": "$.sum"},
        "ResultPath": "$.priced", "OutputPath": "$.priced.total",
    });
    let ended = run_with(&one(state), json!({"order": {"id": 9}}), |task| {
        assert_eq!(task.state, "It");
        assert_eq!(
            task.resource,
            Resource::LambdaFunction {
                arn: LAMBDA.to_owned()
            }
        );
        assert_eq!(*task.input, json!({"id": 9}));
        json!({"sum": 12, "more": 1}).into()
    });
    assert_eq!(ended.output(), json!(12));

    let state = json!({
        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage",
        "Parameters": {"QueueUrl": "q", "MessageBody.$": "$"},
        "Credentials": {"RoleArn.$": "$.role"}, "ResultPath": null,
    });
    let ended = run_with(&one(state), json!({"role": "r"}), |task| {
        let resource = Resource::Service {
            service: "aws-sdk:sqs".to_owned(),
            action: "sendMessage".to_owned(),
        };
        assert_eq!(task.resource, resource);
        assert_eq!(task.role_arn.as_deref(), Some("r"));
        json!({"MessageId": "1"}).into()
    });
    assert_eq!(ended.output(), json!({"role": "r"}));
}

#[test]
fn task_timeout_and_heartbeat() {
    for (limits, seconds) in [
        (json!({"TimeoutSeconds": 5}), 5.0),
        (json!({"TimeoutSecondsPath": "$.t"}), 8.0),
        (json!({"HeartbeatSeconds": 2, "TimeoutSeconds": 5}), 2.0),
        (json!({"HeartbeatSecondsPath": "$.h"}), 3.0),
    ] {
        let mut state = limits;
        state["Type"] = json!("Task");
        state["Resource"] = json!(INVOKE);
        let ended = run_with(&one(state.clone()), json!({"t": 8, "h": 3}), |_| {
            Answer::Silence
        });
        assert_eq!(
            ended.failure(),
            ("States.Timeout".to_owned(), String::new()),
            "{state}"
        );
        assert!((ended.seconds() - seconds).abs() < 1e-9, "{state}");
        assert_eq!(ended.cancelled, [ended.tasks[0].1.token]);
    }
}

#[test]
fn a_heartbeat_keeps_a_task_alive_until_its_timeout() {
    let definition = one(json!({
        "Type": "Task", "Resource": LAMBDA, "HeartbeatSeconds": 2, "TimeoutSeconds": 5,
    }));
    let mut execution = start(&definition, json!({}));
    let commands = execution.poll(begin());
    let [Command::Task(task)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    for second in [1, 2, 3] {
        assert!(execution.heartbeat(task.token, after(second)));
        assert!(execution.poll(after(second)).is_empty());
    }
    assert_eq!(execution.next_deadline(), Some(after(5)));
    assert!(execution.heartbeat(task.token, after(4)));
    assert_eq!(execution.next_deadline(), Some(after(5)));
    // A result in the moment of the timeout is too late, and exactly so.
    assert!(!execution.complete(task.token, Ok(json!(1)), after(5)));
    assert_eq!(execution.poll(after(5)), [Command::Cancel(task.token)]);
    assert!(!execution.heartbeat(task.token, after(5)));
    assert!(execution.is_over());
    assert_eq!(execution.stopped_at(), Some(after(5)));
}

#[test]
fn the_machine_times_out() {
    let mut definition = one(json!({"Type": "Wait", "Seconds": 100}));
    definition["TimeoutSeconds"] = json!(30);
    let ended = run(&definition, json!({}));
    assert_eq!(*ended.execution.outcome(), Outcome::TimedOut);
    assert!((ended.seconds() - 30.0).abs() < 1e-9);
    assert_eq!(ended.events().last().unwrap(), "3 2 ExecutionTimedOut");
}

#[test]
fn stopping_cancels_what_runs() {
    let definition = one(json!({"Type": "Task", "Resource": LAMBDA}));
    let mut execution = start(&definition, json!({}));
    let commands = execution.poll(begin());
    let [Command::Task(task)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    execution.stop(Some("Enough".to_owned()), None, after(3));
    assert_eq!(execution.poll(after(3)), [Command::Cancel(task.token)]);
    assert_eq!(execution.next_deadline(), None);
    assert!(!execution.complete(task.token, Ok(json!(1)), after(4)));
    execution.stop(None, None, after(5));
    let expected = Outcome::Aborted {
        error: Some("Enough".to_owned()),
        cause: None,
    };
    assert_eq!(*execution.outcome(), expected);
    let last = execution.history().last().unwrap().to_json();
    assert_eq!(last["previousEventId"], 0);
    assert_eq!(
        last["executionAbortedEventDetails"],
        json!({"error": "Enough"})
    );
}

#[test]
fn parallel() {
    let branch = |name: &str, result: Value| json!({"StartAt": name, "States": {name: {"Type": "Pass", "Result": result, "End": true}}});
    gives(
        &json!({
            "Type": "Parallel", "Branches": [branch("A", json!(1)), branch("B", json!("two"))],
            "ResultSelector": {"both.$": "$", "first.$": "$[0]"}, "ResultPath": "$.r",
        }),
        json!({"keep": true}),
        &json!({"keep": true, "r": {"both": [1, "two"], "first": 1}}),
    );
    // Every branch gets the parameters, and results stand in the branches' order.
    let task = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": LAMBDA, "Parameters": {"from": name, "x.$": "$.x"}, "End": true}}});
    let state = json!({"Type": "Parallel", "Parameters": {"x.$": "$.a"}, "Branches": [task("L"), task("R")]});
    let ended = run_with(&one(state), json!({"a": 4}), |task| {
        (*task.input).clone().into()
    });
    assert_eq!(
        ended.output(),
        json!([{"from": "L", "x": 4}, {"from": "R", "x": 4}])
    );
}

#[test]
fn map() {
    let processor = json!({"StartAt": "Each", "States": {"Each": {
        "Type": "Task", "Resource": LAMBDA, "End": true,
    }}});
    let echo = |task: &states_language::Task| Answer::Result((*task.input).clone());
    for (state, input, expected) in [
        (
            json!({"ItemProcessor": processor}),
            json!([3, 1, 2]),
            json!([3, 1, 2]),
        ),
        (
            json!({"Iterator": processor, "ItemsPath": "$.l"}),
            json!({"l": ["a"]}),
            json!(["a"]),
        ),
        (
            json!({"ItemProcessor": processor, "ItemsPath": "$.l[*].x"}),
            json!({"l": [{"x": 1}, {"x": 2}]}),
            json!([1, 2]),
        ),
        (json!({"ItemProcessor": processor}), json!([]), json!([])),
        (
            json!({"ItemProcessor": processor, "ItemsPath": "$.l", "MaxConcurrency": 1, "ItemSelector":
                {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "all.$": "$.n"}}),
            json!({"l": ["a", "b"], "n": 2}),
            json!([{"i": 0, "v": "a", "all": 2}, {"i": 1, "v": "b", "all": 2}]),
        ),
        (
            json!({"Iterator": processor, "ItemsPath": "$.l", "Parameters": {"v.$": "$$.Map.Item.Value"}, "ResultPath": "$.r"}),
            json!({"l": ["a"]}),
            json!({"l": ["a"], "r": [{"v": "a"}]}),
        ),
        (
            json!({"ItemProcessor": {"StartAt": "P", "ProcessorConfig": {"Mode": "INLINE"}, "States": {"P": {
                "Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index"}, "End": true}}}}),
            json!(["x", "y"]),
            json!([{"i": 0}, {"i": 1}]),
        ),
    ] {
        let mut state = state;
        state["Type"] = json!("Map");
        let ended = run_with(&one(state.clone()), input, echo);
        assert_eq!(ended.output(), expected, "{state}");
    }
}

#[test]
fn map_runs_as_many_at_once_as_it_may() {
    for (concurrency, items, expected) in [
        (json!({"MaxConcurrency": 2}), 5, 2),
        (json!({"MaxConcurrencyPath": "$.c"}), 5, 3),
        (json!({"MaxConcurrency": 0}), 100, 40),
        (json!({}), 100, 40),
        (json!({"MaxConcurrency": 1000}), 100, 40),
    ] {
        let mut state = concurrency;
        state["Type"] = json!("Map");
        state["ItemsPath"] = json!("$.l");
        state["ItemProcessor"] = json!({"StartAt": "T", "States": {"T": {
            "Type": "Task", "Resource": LAMBDA, "End": true}}});
        let list: Vec<usize> = (0..items).collect();
        let mut execution = start(&one(state.clone()), json!({"l": list, "c": 3}));
        let first = execution.poll(begin());
        assert_eq!(first.len(), expected, "{state}");
        let Command::Task(task) = &first[0] else {
            panic!()
        };
        execution.complete(task.token, Ok(json!(0)), begin());
        assert_eq!(execution.poll(begin()).len(), 1, "the next one starts");
    }
}
