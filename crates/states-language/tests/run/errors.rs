//! Each error's name, text and way.

use serde_json::{Value, json};

use crate::bench::{Answer, INVOKE, LAMBDA, one, run, run_with};

/// `An error occurred …` for the first state.
fn located(why: &str) -> String {
    format!("An error occurred while executing the state 'It' (entered at the event id #2). {why}")
}

#[track_caller]
fn fails(state: Value, input: Value, error: &str, cause: &str) {
    let shown = state.to_string();
    let definition = if state["Type"] == "Choice" {
        json!({"StartAt": "It", "States": {"It": state, "End": {"Type": "Succeed"}}})
    } else {
        one(state)
    };
    let ended = run_with(&definition, input, |task| (*task.input).clone().into());
    assert_eq!(
        ended.failure(),
        (error.to_owned(), cause.to_owned()),
        "{shown}"
    );
}

#[test]
fn runtime_errors() {
    let processor = json!({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}});
    for (state, cause) in [
        (
            json!({"Type": "Pass", "InputPath": "$.no"}),
            "Invalid path '$.no' : No results for path: $['no']",
        ),
        (
            json!({"Type": "Pass", "OutputPath": "$.no.way"}),
            "Invalid path '$.no.way' : Missing property in path $['no']",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "$.no"}}),
            "The JSONPath '$.no' specified for the field 'v.$' could not be found in the input '{\"n\":1}'",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "$$.Execution.No"}}),
            "The JSONPath '$$.Execution.No' specified for the field 'v.$' could not be found in the input '{\"n\":1}'",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "$$.Map.Item.Index"}}),
            "The JSONPath '$$.Map.Item.Index' specified for the field 'v.$' could not be found in the input '{\"n\":1}'",
        ),
        (
            json!({"Type": "Fail", "ErrorPath": "$.no"}),
            "The JSONPath '$.no' specified for the field 'ErrorPath' could not be found in the input '{\"n\":1}'",
        ),
        (
            json!({"Type": "Fail", "CausePath": "$.n"}),
            "The value of the field 'CausePath' must be a string but was: 1",
        ),
        (
            json!({"Type": "Wait", "SecondsPath": "$.no"}),
            "The SecondsPath parameter does not reference an input value: $.no",
        ),
        (
            json!({"Type": "Wait", "TimestampPath": "$.n"}),
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.n == 1",
        ),
        (
            json!({"Type": "Wait", "Timestamp": "9999-01-01T00:00:00Z"}),
            "Wait state delay is too long.",
        ),
        (
            json!({"Type": "Map", "ItemProcessor": processor}),
            "Reference path \"$\" must point to array.",
        ),
        (
            json!({"Type": "Map", "ItemsPath": "$$.Execution.Input", "ItemProcessor": processor}),
            "Reference path \"$.Execution.Input\" must point to array.",
        ),
        (
            json!({"Type": "Task", "Resource": INVOKE, "TimeoutSecondsPath": "$.t"}),
            "Invalid path '$.t' : No results for path: $['t']",
        ),
        (
            json!({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "End"}]}),
            "Failed to transition out of the state. The state does not point to a next state.",
        ),
        (
            json!({"Type": "Choice", "Choices": [{"Variable": "$.no", "IsNull": true, "Next": "End"}]}),
            "Invalid path '$.no': The choice state's condition path references an invalid value.",
        ),
    ] {
        fails(state, json!({"n": 1}), "States.Runtime", &located(cause));
    }
    for (value, cause) in [
        (
            json!(-1),
            "The SecondsPath parameter references a negative value: $.s == -1",
        ),
        (
            json!(1.5),
            "The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5",
        ),
        (
            json!("x"),
            "The SecondsPath parameter cannot be parsed as a long value: $.s == x",
        ),
        (json!(9_000_000_000_u64), "Wait state delay is too long."),
    ] {
        let state = json!({"Type": "Wait", "SecondsPath": "$.s"});
        fails(
            state,
            json!({"s": value}),
            "States.Runtime",
            &located(cause),
        );
    }
    for (value, cause) in [
        (json!(-1), "MaxConcurrency cannot be negative."),
        (
            json!("No"),
            "The MaxConcurrencyPath field refers to value \"No\" which is not a valid integer: $.c",
        ),
    ] {
        let state = json!({"Type": "Map", "ItemsPath": "$.l", "MaxConcurrencyPath": "$.c", "ItemProcessor": processor});
        fails(
            state,
            json!({"l": [], "c": value}),
            "States.Runtime",
            &located(cause),
        );
    }
}

#[test]
fn the_result_path_must_fit_the_input() {
    let state = json!({"Type": "Task", "Resource": LAMBDA, "ResultPath": "$.n.x"});
    fails(
        state,
        json!({"n": 1}),
        "States.ResultPathMatchFailure",
        "Unable to apply ResultPath \"$.n.x\" to the state's input: a step meets a value that is neither \
         an object nor an array with that element.",
    );
}

/// A Task whose catchers are tried with an error.
fn caught(catch: &Value, error: &'static str) -> Value {
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Task", "Resource": LAMBDA, "Catch": catch, "Next": "Fine"},
        "Fine": {"Type": "Succeed"},
        "One": {"Type": "Pass", "Parameters": {"one.$": "$"}, "End": true},
        "Two": {"Type": "Pass", "Parameters": {"two.$": "$"}, "End": true},
        "Never": {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "One"}], "Default": "Two"},
    }});
    let mut definition = definition;
    // Reachable whatever the catchers name.
    definition["StartAt"] = json!("Start");
    definition["States"]["Start"] = json!({"Type": "Choice", "Choices": [
        {"Variable": "$.never", "IsPresent": true, "Next": "Never"}], "Default": "It"});
    let ended = run_with(&definition, json!({"in": 1}), |_| Answer::Failure(error));
    match ended.execution.outcome() {
        states_language::Outcome::Succeeded(output) => output.clone(),
        _ => json!(ended.failure().0),
    }
}

#[test]
fn catchers() {
    let error = json!({"Error": "Mine", "Cause": "because"});
    let one = |names: Value| json!({"ErrorEquals": names, "Next": "One"});
    for (catch, expected) in [
        (json!([one(json!(["Mine"]))]), json!({"one": error})),
        (
            json!([one(json!(["Other", "Mine"]))]),
            json!({"one": error}),
        ),
        (
            json!([one(json!(["States.TaskFailed"]))]),
            json!({"one": error}),
        ),
        (json!([one(json!(["States.ALL"]))]), json!({"one": error})),
        (
            json!([one(json!(["Other"])), {"ErrorEquals": ["States.ALL"], "Next": "Two"}]),
            json!({"two": error}),
        ),
        (
            json!([{"ErrorEquals": ["Mine"], "ResultPath": "$.e", "Next": "One"}]),
            json!({"one": {"in": 1, "e": error}}),
        ),
        (
            json!([{"ErrorEquals": ["Mine"], "ResultPath": null, "Next": "One"}]),
            json!({"one": {"in": 1}}),
        ),
        (json!([one(json!(["Other"]))]), json!("Mine")),
        (json!([one(json!(["States.Timeout"]))]), json!("Mine")),
    ] {
        assert_eq!(caught(&catch, "Mine"), expected, "{catch}");
    }
    for (error, name, taken) in [
        ("States.Timeout", "States.ALL", true),
        ("States.Timeout", "States.TaskFailed", false),
        ("States.Timeout", "States.Timeout", true),
        ("States.Permissions", "States.Permissions", true),
        ("States.DataLimitExceeded", "States.ALL", true),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", true),
        ("States.ItemReaderFailed", "States.ItemReaderFailed", true),
        ("States.ResultWriterFailed", "States.TaskFailed", true),
        ("States.ExceedToleratedFailureThreshold", "States.ALL", true),
        ("States.Runtime", "States.ALL", false),
        ("States.Runtime", "States.Runtime", false),
        ("States.Runtime", "States.TaskFailed", false),
    ] {
        let output = caught(&json!([one(json!([name]))]), error);
        assert_eq!(output.is_object(), taken, "{name} takes {error}");
    }
}

#[test]
fn what_aws_shows_by_another_name_is_caught_by_the_documented_one() {
    // A missed heartbeat.
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Task", "Resource": LAMBDA, "HeartbeatSeconds": 1, "End": true,
            "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}]},
        "Caught": {"Type": "Succeed"},
    }});
    let ended = run_with(&definition, json!({}), |_| Answer::Silence);
    assert_eq!(
        ended.output(),
        json!({"Error": "States.Timeout", "Cause": ""})
    );

    // What a branch or iteration cannot do.
    let unmatched =
        json!({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "B"}]});
    let missing = json!({"Type": "Pass", "Parameters": {"v.$": "$.no"}, "Next": "B"});
    let failing = json!({"Type": "Fail", "Error": "Mine"});
    for (first, name, error) in [
        (&unmatched, "States.NoChoiceMatched", "States.Runtime"),
        (&missing, "States.ParameterPathFailure", "States.Runtime"),
        (&failing, "Mine", "Mine"),
    ] {
        let mut states = json!({"A": first});
        if first["Type"] != "Fail" {
            states["B"] = json!({"Type": "Succeed"});
        }
        let branch = json!({"StartAt": "A", "States": states});
        let definition = json!({"StartAt": "It", "States": {
            "It": {"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": branch, "End": true,
                "Catch": [{"ErrorEquals": [name], "Next": "Caught"}]},
            "Caught": {"Type": "Succeed"},
        }});
        assert_eq!(
            run(&definition, json!({"l": [1]})).output()["Error"],
            error,
            "{name}"
        );
    }
    let definition = json!({"StartAt": "It", "States": {
        "It": {"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {"A": failing}}], "End": true,
            "Catch": [{"ErrorEquals": ["States.BranchFailed"], "Next": "Caught"}]},
        "Caught": {"Type": "Succeed"},
    }});
    let output = run(&definition, json!({})).output();
    assert_eq!(output, json!({"Error": "Mine", "Cause": ""}));
}

#[test]
fn data_that_is_too_long() {
    let long = "x".repeat(300 << 10);
    let half = "x".repeat(200 << 10);
    let exceeded = |whose: &str| {
        format!(
            "The state/task '{whose}' returned a result with a size exceeding the maximum number of \
             bytes service limit."
        )
    };
    for (resource, whose) in [(LAMBDA, LAMBDA), (INVOKE, "lambda")] {
        let state = json!({"Type": "Task", "Resource": resource});
        let ended = run_with(&one(state), json!({}), |_| json!(long).into());
        assert_eq!(
            ended.failure(),
            ("States.DataLimitExceeded".to_owned(), exceeded(whose))
        );
    }
    let state = json!({"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}});
    let ended = run(&one(state), json!(half));
    assert_eq!(
        ended.failure(),
        ("States.DataLimitExceeded".to_owned(), exceeded("It"))
    );
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}});
    let state = json!({"Type": "Map", "ItemProcessor": pass, "ResultPath": null, "ItemSelector": {"v.$": "$"}});
    let ended = run(&one(state), json!(["x".repeat(200 << 10), 2]));
    assert_eq!(ended.failure().0, "States.DataLimitExceeded");
}
