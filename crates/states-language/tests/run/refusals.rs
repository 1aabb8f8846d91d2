//! Definitions that are refused, and with which words.

use serde_json::{Value, json};
use states_language::{Code, StateMachine, invalid_definition};

use crate::bench::{LAMBDA, one};

fn found(definition: &str) -> Vec<String> {
    match StateMachine::parse(definition) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(ToString::to_string).collect(),
    }
}

/// Recorded or measured whole.
#[test]
fn in_awss_own_words() {
    let pass = |next: &str| json!({"Type": "Pass", "Next": next});
    for (definition, expected) in [
        (
            json!({}),
            "SCHEMA_VALIDATION_FAILED: These fields are required: [States, StartAt] at /",
        ),
        (
            json!({"StartAt": "A"}),
            "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /",
        ),
        (
            json!({"States": {"A": {"Type": "Succeed"}}}),
            "SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt] at /",
        ),
        (
            json!([]),
            "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at null",
        ),
        (
            json!({"StartAt": "pass1", "States": {"pass1": pass("pass3"), "pass2": {"Type": "Pass", "End": true}}}),
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at /States/pass1/Next, \
             MISSING_TRANSITION_TARGET: State \"pass2\" is not reachable. at /States/pass2",
        ),
        (
            json!({"StartAt": "A", "States": {"A": pass("B"), "B": pass("A")}}),
            "MISSING_END_STATE: Workflow has no terminal state at null",
        ),
        (
            json!({"StartAt": "A", "States": {"A": {"Type": "SomeType"}}}),
            "SCHEMA_VALIDATION_FAILED: The field 'Type' should have one of these values: [Task, Wait, Pass, \
             Succeed, Fail, Choice, Parallel, Map] at /States/A/Type",
        ),
        (
            one(json!({"Type": "Parallel", "Branches": []})),
            "SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/It/Branches",
        ),
        (
            one(json!({"Type": "Task", "Resource": LAMBDA, "Credentials": {}})),
            "SCHEMA_VALIDATION_FAILED: The field 'RoleArn' is required but was missing at /States/It/Credentials",
        ),
        (
            one(json!({"Type": "Pass", "TimeoutSeconds": 3})),
            "SCHEMA_VALIDATION_FAILED: Field 'TimeoutSeconds' is not supported at /States/It",
        ),
        (
            one(json!({"Type": "Pass", "Output": {}})),
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only \
             supported for the 'JSONata' QueryLanguage at /States/It",
        ),
    ] {
        let parsed = StateMachine::parse(&definition.to_string());
        let text = invalid_definition(&parsed.unwrap_err());
        assert_eq!(
            text,
            format!("Invalid State Machine Definition: '{expected}'")
        );
    }
}

#[test]
fn text_that_is_no_json() {
    let wrong = StateMachine::parse("not a definition").unwrap_err();
    assert_eq!(wrong[0].code, Code::InvalidJsonDescription);
    let shown = wrong[0].to_json();
    assert_eq!(
        (&shown["severity"], &shown["code"]),
        (&json!("ERROR"), &json!("INVALID_JSON_DESCRIPTION"))
    );
    let place = wrong[0].location.as_deref().unwrap();
    assert_eq!(
        place,
        "[Source: (String)\"not a definition\"; line: 1, column: 2]"
    );
    assert_eq!(
        StateMachine::parse(" ").unwrap_err()[0].code,
        Code::MissingDescription
    );
    let long = format!("{{\"Comment\": \"{}\"}}", "x".repeat(1 << 20));
    assert!(found(&long)[0].contains("at most 1048576 are allowed"));
    assert!(found(&"[".repeat(1_000))[0].contains("recursion limit"));
}

/// A state with one thing wrong: where the finding stands and a part of it.
#[test]
fn one_thing_wrong() {
    let task = |fields: Value| {
        let mut state = json!({"Type": "Task", "Resource": LAMBDA});
        state
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        state
    };
    let choice = |rule: Value| json!({"Type": "Choice", "Choices": [rule], "Default": "It"});
    let map = |fields: Value| {
        let mut state = json!({"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}});
        state
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        state
    };
    for (state, expected) in [
        (
            json!({"Type": "Pass", "Next": "It"}),
            "'Next' or 'End', not both at /States/It",
        ),
        (
            json!({"Type": "Pass", "Retry": []}),
            "Field 'Retry' is not supported at /States/It",
        ),
        (
            json!({"Type": "Pass", "InputPath": 5}),
            "must be a string at /States/It/InputPath",
        ),
        (
            json!({"Type": "Pass", "InputPath": "a"}),
            "must be a valid JSONPath: a path begins with '$' at /States/It/InputPath",
        ),
        (
            json!({"Type": "Pass", "ResultPath": "$.a[*]"}),
            "must be a valid Reference Path: a reference path is made of names and indexes only at /States/It/ResultPath",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"deep": [{"v.$": "$."}]}}),
            "The value for the field 'v.$' must be a valid JSONPath or a valid intrinsic function call: ",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": 5}}),
            "it is no string at /States/It/Parameters",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "States.Nope()"}}),
            "no function 'States.Nope' at /States/It/Parameters",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "States.MathAdd(1)"}}),
            "States.MathAdd does not take 1 arguments",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "States.Array('a"}}),
            "a text in quotes is not closed",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "States.Array(1) x"}}),
            "unexpected ' x' after the call",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "States.Array({})"}}),
            "'{}' is no argument",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "States.StringToJson('\\\"')"}}),
            "a backslash escapes only ' { } and \\",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": format!("{}1{}", "States.Array(".repeat(11), ")".repeat(11))}}),
            "more than 10 functions within each other",
        ),
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "$variable"}}),
            "workflow variables are not supported here",
        ),
        (
            json!({"Type": "Task"}),
            "These fields are required: [Resource] at /States/It",
        ),
        (
            task(json!({"Resource": "arn:aws:sqs:us-east-1:1:q"})),
            "is not recognized. The value is not a valid resource ARN",
        ),
        (
            task(json!({"TimeoutSeconds": 0})),
            "must be an integer from 1 to 99999999 at /States/It/TimeoutSeconds",
        ),
        (
            task(json!({"TimeoutSeconds": 1.5})),
            "must be an integer from 1 to 99999999",
        ),
        (
            task(json!({"TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t"})),
            "Only one of these fields may be given: [TimeoutSeconds, TimeoutSecondsPath] at /States/It",
        ),
        (
            task(json!({"TimeoutSeconds": 5, "HeartbeatSeconds": 5})),
            "must be smaller than 'TimeoutSeconds' at /States/It/HeartbeatSeconds",
        ),
        (
            task(json!({"Retry": [{}]})),
            "These fields are required: [ErrorEquals] at /States/It/Retry[0]",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": []}]})),
            "Value cannot be empty at /States/It/Retry[0]/ErrorEquals",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": [1]}]})),
            "must be an array of strings at /States/It/Retry[0]/ErrorEquals",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["States.ALL", "A"]}]})),
            "States.ALL must be the only error",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]})),
            "its list the last one at /States/It/Retry[0]/ErrorEquals",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 0}]})),
            "from 1 to 99999999 at /States/It/Retry[0]/IntervalSeconds",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["A"], "MaxAttempts": -1}]})),
            "from 0 to 99999999 at /States/It/Retry[0]/MaxAttempts",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["A"], "BackoffRate": 0.5}]})),
            "a number of at least 1.0 at /States/It/Retry[0]/BackoffRate",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["A"], "MaxDelaySeconds": 1}]})),
            "",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["A"], "JitterStrategy": "HALF"}]})),
            "[NONE, FULL] at /States/It/Retry[0]/JitterStrategy",
        ),
        (
            task(json!({"Catch": [{"ErrorEquals": ["A"]}]})),
            "These fields are required: [Next] at /States/It/Catch[0]",
        ),
        (
            task(json!({"Catch": [{"ErrorEquals": ["A"], "Next": "No"}]})),
            "Missing 'Next' target: No at /States/It/Catch[0]/Next",
        ),
        (
            task(
                json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "It"}, {"ErrorEquals": ["A"], "Next": "It"}]}),
            ),
            "its list the last one at /States/It/Catch[0]/ErrorEquals",
        ),
        (
            json!({"Type": "Choice"}),
            "These fields are required: [Choices] at /States/It",
        ),
        (
            json!({"Type": "Choice", "Choices": []}),
            "Value cannot be empty at /States/It/Choices",
        ),
        (
            choice(json!({"Variable": "$.a", "IsNull": true})),
            "These fields are required: [Next] at /States/It/Choices[0]",
        ),
        (
            choice(json!({"Next": "It", "IsNull": true})),
            "These fields are required: [Variable] at /States/It/Choices[0]",
        ),
        (
            choice(json!({"Next": "It", "Variable": "$.a"})),
            "exactly one comparison operator, and this one has 0",
        ),
        (
            choice(json!({"Next": "It", "Variable": "$.a", "IsNull": true, "IsString": true})),
            "and this one has 2",
        ),
        (
            choice(json!({"Next": "It", "Variable": "$.a", "NumericEquals": "1"})),
            "The value for the field 'NumericEquals' must be",
        ),
        (
            choice(json!({"Next": "It", "Variable": "$.a", "TimestampEquals": "2024-01-01"})),
            "The value for the field 'TimestampEquals' must be",
        ),
        (
            choice(json!({"Next": "It", "Variable": "$.a", "NumericEqualsPath": "b"})),
            "The value for the field 'NumericEqualsPath' must be",
        ),
        (
            choice(json!({"Next": "It", "Variable": "$.a", "BooleanLessThan": true})),
            "Field 'BooleanLessThan' is not supported",
        ),
        (
            choice(json!({"Next": "It", "And": []})),
            "Value cannot be empty at /States/It/Choices[0]/And",
        ),
        (
            choice(json!({"Next": "It", "Not": {"Variable": "$.a", "IsNull": true, "Next": "It"}})),
            "Field 'Next' is not supported at /States/It/Choices[0]/Not",
        ),
        (
            json!({"Type": "Wait"}),
            "One of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath] at /States/It",
        ),
        (
            json!({"Type": "Wait", "Seconds": 1, "Timestamp": "2024-01-01T00:00:00Z"}),
            "Only one of these fields may be given: [Seconds, Timestamp]",
        ),
        (
            json!({"Type": "Wait", "Seconds": -1}),
            "from 0 to 99999999 at /States/It/Seconds",
        ),
        (
            json!({"Type": "Wait", "Timestamp": "tomorrow"}),
            "must be an ISO-8601 timestamp: 'tomorrow' is none",
        ),
        (
            json!({"Type": "Fail", "Error": "a", "ErrorPath": "$.a"}),
            "Only one of these fields may be given: [Error, ErrorPath]",
        ),
        (
            json!({"Type": "Fail", "InputPath": "$"}),
            "Field 'InputPath' is not supported at /States/It",
        ),
        (
            json!({"Type": "Succeed", "Next": "It"}),
            "Field 'Next' is not supported at /States/It",
        ),
        (
            json!({"Type": "Parallel"}),
            "These fields are required: [Branches] at /States/It",
        ),
        (
            json!({"Type": "Parallel", "Branches": [{}]}),
            "These fields are required: [States, StartAt] at /States/It/Branches[0]",
        ),
        (
            json!({"Type": "Map"}),
            "These fields are required: [ItemProcessor] at /States/It",
        ),
        (
            map(json!({"Iterator": {}})),
            "Only one of these fields may be given: [ItemProcessor, Iterator]",
        ),
        (
            map(json!({"MaxConcurrency": -1})),
            "at /States/It/MaxConcurrency",
        ),
        (
            json!({"Type": "Map", "ItemProcessor": {"StartAt": "It", "States": {"It": {"Type": "Succeed"}}}}),
            "DUPLICATE_STATE_NAME: Duplicate State name: It at /States/It/ItemProcessor/States/It",
        ),
    ] {
        let shown = state.to_string();
        let found = found(&one(state).to_string()).join(", ");
        if expected.is_empty() {
            assert_eq!(found, "", "{shown}");
        } else {
            assert!(
                found.contains(expected),
                "{shown}\nfound: {found}\nexpected: {expected}"
            );
        }
    }
}

#[test]
fn what_is_not_supported_is_said_clearly() {
    let processor = json!({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}});
    let mut distributed = processor.clone();
    distributed["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    for (state, expected) in [
        (
            json!({"Type": "Pass", "QueryLanguage": "JSONata"}),
            "the QueryLanguage 'JSONata'",
        ),
        (
            json!({"Type": "Pass", "Assign": {}}),
            "workflow variables; use ResultPath",
        ),
        (
            json!({"Type": "Map", "ItemProcessor": distributed}),
            "the Mode DISTRIBUTED of a Map; use INLINE",
        ),
        (
            json!({"Type": "Map", "ItemProcessor": processor, "ItemReader": {}}),
            "distributed Map and its fields at /States/It/ItemReader",
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}),
            ".sync and .waitForTaskToken",
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}),
            ".sync and .waitForTaskToken",
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a"}),
            "activities; use a Lambda function",
        ),
    ] {
        let found = found(&one(state).to_string());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("Not supported here, though by AWS: "),
            "{found:?}"
        );
        assert!(found[0].contains(expected), "{found:?}");
    }
    let mut whole = one(json!({"Type": "Pass"}));
    whole["QueryLanguage"] = json!("JSONata");
    assert!(found(&whole.to_string())[0].ends_with("at /QueryLanguage"));
}

#[test]
fn findings_come_together_and_are_bounded() {
    let definition = json!({"StartAt": "No", "Extra": 1, "TimeoutSeconds": 0, "States": {
        "A": {"Type": "Pass", "Next": "Gone", "InputPath": "x"},
        "B": {"Type": "Task", "Resource": 5, "End": "yes"},
        &"n".repeat(81): {"Type": "Succeed"},
    }});
    let found = found(&definition.to_string());
    for expected in [
        "at /TimeoutSeconds",
        "Field 'Extra' is not supported at /",
        "Missing 'StartAt' target: No at /StartAt",
        "Missing 'Next' target: Gone",
        "at /States/A/InputPath",
        "at /States/B/Resource",
        "must be a boolean at /States/B/End",
        "INVALID_STATE_NAME",
    ] {
        assert!(
            found.iter().any(|f| f.contains(expected)),
            "{expected} in {found:#?}"
        );
    }
    let states: serde_json::Map<String, Value> = (0..500)
        .map(|n| (format!("S{n}"), json!({"Type": "None"})))
        .collect();
    let definition = json!({"StartAt": "S0", "States": states});
    assert_eq!(self::found(&definition.to_string()).len(), 100);
}
