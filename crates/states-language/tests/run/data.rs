//! Intrinsic functions.

use serde_json::{Value, json};

use crate::bench::{one, run};

fn evaluated(call: &str, input: Value) -> Value {
    let state = json!({"Type": "Pass", "Parameters": {"r.$": call}, "OutputPath": "$.r"});
    run(&one(state), input).output()
}

#[test]
fn intrinsic_functions() {
    let input = json!({
        "name": "Ada", "n": 3, "l": [1, 2, 2, {"a": 1}, "x", {"a": 1}], "o": {"a": 1, "b": [true, null]},
        "text": "a,b;;c", "json": "{\"k\": [1]}", "template": "{} & {}", "deep": {"o": {"b": 2, "c": 3}},
    });
    for (call, expected) in [
        ("States.Format('Hello, {}!', $.name)", json!("Hello, Ada!")),
        (
            "States.Format('{} {} {} {}', 1, 1.5, true, null)",
            json!("1 1.5 true null"),
        ),
        ("States.Format('{}', $.o)", json!("{a=1, b=[true, null]}")),
        (
            "States.Format('\\{\\} is not {}', 'this')",
            json!("{} is not this"),
        ),
        ("States.Format('it\\'s \\\\ fine')", json!("it's \\ fine")),
        ("States.Format($.template, 'a', 'b')", json!("a & b")),
        (
            "States.Format('{} of {}', $.n, States.ArrayLength($.l))",
            json!("3 of 6"),
        ),
        ("States.StringToJson($.json)", json!({"k": [1]})),
        ("States.StringToJson('[1, 2]')", json!([1, 2])),
        ("States.StringToJson(' ')", json!(null)),
        ("States.StringToJson('-0')", json!(0)),
        (
            "States.JsonToString($.o)",
            json!("{\"a\":1,\"b\":[true,null]}"),
        ),
        ("States.Array()", json!([])),
        (
            "States.Array('a', 1, $.n, States.Array(true))",
            json!(["a", 1, 3, [true]]),
        ),
        (
            "States.ArrayPartition(States.ArrayRange(1, 5, 1), 2)",
            json!([[1, 2], [3, 4], [5]]),
        ),
        ("States.ArrayContains($.l, 'x')", json!(true)),
        ("States.ArrayContains($.l, 9)", json!(false)),
        ("States.ArrayRange(1, 9, 4)", json!([1, 5, 9])),
        ("States.ArrayRange(5, 1, -2)", json!([5, 3, 1])),
        ("States.ArrayRange(1, 0, 1)", json!([])),
        ("States.ArrayGetItem($.l, 4)", json!("x")),
        ("States.ArrayGetItem($.l, 0.4)", json!(1)),
        ("States.ArrayLength($.l)", json!(6)),
        ("States.ArrayLength($.l[?(@.a)])", json!(2)),
        ("States.ArrayUnique($.l)", json!([1, 2, {"a": 1}, "x"])),
        ("States.Base64Encode('Hello')", json!("SGVsbG8=")),
        ("States.Base64Decode('SGVsbG8=')", json!("Hello")),
        (
            "States.Hash('input data', 'MD5')",
            json!("812f45842bc6d66ee14572ce20db8e86"),
        ),
        (
            "States.Hash('input data', 'SHA-1')",
            json!("aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ),
        (
            "States.Hash('', 'SHA-256')",
            json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ),
        (
            "States.JsonMerge($.o, $.deep.o, false)",
            json!({"a": 1, "b": 2, "c": 3}),
        ),
        ("States.MathAdd($.n, -5)", json!(-2)),
        ("States.MathAdd(1.49, 1.5)", json!(3)),
        ("States.MathAdd(-1.49, -1.5)", json!(-2)),
        ("States.MathAdd(-1.51, 0)", json!(-2)),
        ("States.MathAdd(-0.5, 0.5)", json!(1)),
        ("States.MathAdd(2.5, 0)", json!(3)),
        ("States.StringSplit($.text, ',;')", json!(["a", "b", "c"])),
        ("States.StringSplit('1,2', '')", json!(["1,2"])),
        ("States.Format('a, (b) {}', $['name'])", json!("a, (b) Ada")),
        (
            "States.ArrayGetItem(States.StringSplit($$.Execution.Id, ':'), 7)",
            json!("run-1"),
        ),
    ] {
        assert_eq!(evaluated(call, input.clone()), expected, "{call}");
    }
    let long = evaluated("States.Hash('a', 'SHA-384')", json!({}));
    assert_eq!(long.as_str().unwrap().len(), 96);
    let long = evaluated("States.Hash($, 'SHA-512')", json!({}));
    assert_eq!(long.as_str().unwrap().len(), 128);
}

#[test]
fn what_a_function_cannot_do_fails_the_execution() {
    let long = "x".repeat(10_001);
    for call in [
        "States.Format('{} {}', 1)",
        "States.Format($.n, 1)",
        "States.StringToJson('nope')",
        "States.StringToJson($.n)",
        "States.ArrayPartition($.l, 0)",
        "States.ArrayPartition($.n, 1)",
        "States.ArrayContains($.n, 1)",
        "States.ArrayRange(1, 2, 0)",
        "States.ArrayRange(0, 1000, 1)",
        "States.ArrayGetItem($.l, 1)",
        "States.ArrayGetItem($.l, -1)",
        "States.ArrayUnique($.n)",
        "States.Base64Encode($.long)",
        "States.Base64Decode('%%')",
        "States.Base64Decode('/w==')",
        "States.Hash('a', 'CRC')",
        "States.JsonMerge($, $, true)",
        "States.JsonMerge($.l, $, false)",
        "States.MathRandom(5, 5)",
        "States.MathRandom(-9223372036854775808, 9223372036854775807)",
        "States.MathAdd(9223372036854775807, 1)",
        "States.MathAdd(1e300, 1)",
        "States.MathAdd('1', 1)",
        "States.StringSplit(1, ',')",
    ] {
        let state = json!({"Type": "Pass", "Parameters": {"r.$": call}});
        let input = json!({"n": 1, "l": [1], "long": long});
        let (error, cause) = run(&one(state), input).failure();
        assert_eq!(error, "States.IntrinsicFailure", "{call}");
        let expected = format!(
            "An error occurred while executing the state 'It' (entered at the event id #2). The \
             function '{call}' had the following error: "
        );
        assert!(cause.starts_with(&expected), "{cause}");
    }
}

#[test]
fn chance_comes_from_the_seed() {
    let state = json!({"Type": "Pass", "Parameters": {
        "a.$": "States.MathRandom(1, 7)", "b.$": "States.MathRandom(-3, 3)",
        "seeded.$": "States.MathRandom(0, 1000000, 5)", "uuid.$": "States.UUID()", "other.$": "States.UUID()",
    }});
    let first = run(&one(state.clone()), json!({})).output();
    assert_eq!(first, run(&one(state), json!({})).output());
    assert!((1..7).contains(&first["a"].as_i64().unwrap()));
    assert!((-3..3).contains(&first["b"].as_i64().unwrap()));
    let uuid = first["uuid"].as_str().unwrap();
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    assert_ne!(first["uuid"], first["other"]);
    assert_eq!(
        evaluated("States.MathRandom(0, 1000000, 5)", json!({})),
        first["seeded"]
    );
}
