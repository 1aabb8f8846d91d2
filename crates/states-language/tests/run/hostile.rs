//! Definitions and data that want to break the interpreter: bounds with AWS's names, and no panic.
//!
//! The functions of the fuzz targets meet the kept corpus (`fuzz/corpus`) and repeatable changes of it.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use states_language::{EventType, StateMachine, limits};

use crate::bench::{LAMBDA, begin, one, run, run_with, start};

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a library of its own, where it is public")]
mod targets;

/// How many changed copies of each file are tried. libFuzzer tries more.
const CHANGES: u64 = 60;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files: Vec<_> = fs::read_dir(folder.join(target))
        .expect("a corpus for each target")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    let read = |file| fs::read(file).expect("a readable file");
    files.into_iter().map(read).collect()
}

/// Runs a target over its corpus and over changes of it, the same ones every time.
fn hammer(name: &str, target: fn(&[u8])) {
    let seeds = corpus(name);
    for (number, seed) in (1..).zip(&seeds) {
        target(seed);
        for change in 0..CHANGES {
            let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (change << 32) ^ number);
            let mut data = seed.clone();
            for _ in 0..=dice.below(3) {
                mutate(&mut data, &seeds, &mut dice);
            }
            let shown = String::from_utf8_lossy(&data).into_owned();
            let run = std::panic::catch_unwind(|| target(&data));
            assert!(run.is_ok(), "{name}: {shown}");
        }
    }
}

/// What readers of definitions and expressions trip over.
const PIECES: [&[u8]; 20] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"true",
    b"1e308",
    b"-1",
    b"18446744073709551615",
    b"\\ud800",
    b"\xff\xfe",
    b"$",
    b"$$.Map.Item.Value",
    b"..",
    b"[*]",
    b"[?(@.a)]",
    b"States.Array(",
    b"\"Next\":\"A\",",
    b"\"End\":true,",
    b"\"States.ALL\"",
    b"\"Type\":\"Map\",",
];

fn mutate(data: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(data.len() + 1);
    let to = at + dice.below(data.len() - at + 1).min(64);
    match dice.below(6) {
        0 => drop(data.splice(at..to, PIECES[dice.below(PIECES.len())].iter().copied())),
        1 => drop(data.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
        2 => drop(data.drain(at..to)),
        3 => {
            let twice = data[at..to].to_vec();
            data.splice(at..at, twice);
        }
        4 => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len() + 1);
            data.truncate(at);
            data.extend_from_slice(&other[from..]);
        }
        _ => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
    }
}

/// The same throws in the same order (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.max(1)).expect("a size");
        usize::try_from(self.0 % limit).expect("below a size")
    }
}

#[test]
fn any_definition() {
    hammer("definition", targets::definition);
}

#[test]
fn any_expression() {
    hammer("expression", targets::expression);
}

/// Any JSON of the right shape: every field of every state type with some value, right or wrong.
#[test]
fn any_fields() {
    const NAMES: [&str; 32] = [
        "Type",
        "Next",
        "End",
        "Resource",
        "Retry",
        "Catch",
        "InputPath",
        "OutputPath",
        "ResultPath",
        "Parameters",
        "ResultSelector",
        "Choices",
        "Default",
        "Seconds",
        "SecondsPath",
        "Timestamp",
        "TimestampPath",
        "Result",
        "Error",
        "Cause",
        "ErrorPath",
        "CausePath",
        "Branches",
        "ItemsPath",
        "ItemProcessor",
        "Iterator",
        "MaxConcurrency",
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "Credentials",
        "Comment",
        "QueryLanguage",
    ];
    let branch = json!({"StartAt": "Z", "States": {"Z": {"Type": "Succeed"}}});
    let values = [
        json!("Task"),
        json!("Pass"),
        json!("Wait"),
        json!("Choice"),
        json!("Map"),
        json!("Parallel"),
        json!("Fail"),
        json!("Succeed"),
        json!("A"),
        json!("B"),
        json!("$"),
        json!("$.a"),
        json!("$$"),
        json!(LAMBDA),
        json!(true),
        json!(null),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!([]),
        json!({}),
        json!([branch]),
        branch,
        json!({"x.$": "$"}),
        json!({"x.$": "States.UUID()"}),
        json!([{"ErrorEquals": ["States.ALL"], "Next": "B"}]),
        json!([{"ErrorEquals": ["E"]}]),
        json!([{"Variable": "$.a", "IsPresent": true, "Next": "B"}]),
        json!("2024-01-01T00:00:00Z"),
    ];
    let mut dice = Dice(42);
    let (mut valid, mut refused) = (0, 0);
    for _ in 0..4_000 {
        let mut state = json!({"Type": values[dice.below(8)], "Next": "B"});
        for _ in 0..dice.below(5) {
            state[NAMES[dice.below(NAMES.len())]] = values[dice.below(values.len())].clone();
        }
        let definition =
            json!({"StartAt": "A", "States": {"A": state, "B": {"Type": "Pass", "End": true}}});
        match StateMachine::parse(&definition.to_string()) {
            Ok(_) => {
                valid += 1;
                targets::definition(format!("{definition}\n\n{{\"a\": [1, 2]}}").as_bytes());
            }
            Err(found) => {
                refused += 1;
                assert!(!found.is_empty(), "{definition}");
            }
        }
    }
    assert!(valid > 100 && refused > 100, "{valid} {refused}");
}

#[test]
fn an_endless_loop_ends_with_the_history() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "C"}], "Default": "A"},
        "C": {"Type": "Succeed"},
    }});
    let ended = run(&definition, json!({}));
    let history = ended.execution.history();
    assert_eq!(history.len(), 25_000);
    assert_eq!(history[24_999].event_type, EventType::ExecutionFailed);
    assert_eq!(history[24_999].previous_event_id, 24_999);
    let cause = "The execution reached the maximum number of history events (25000).";
    assert_eq!(
        ended.failure(),
        ("States.Runtime".to_owned(), cause.to_owned())
    );
}

#[test]
fn one_poll_makes_a_limited_number_of_steps() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "C"}], "Default": "B"},
        "B": {"Type": "Pass", "Next": "A"},
        "C": {"Type": "Succeed"},
    }});
    let mut execution = start(&definition, json!({}));
    for polls in 1..=3 {
        execution.poll(begin());
        assert_eq!(
            execution.history().len(),
            1 + 2 * polls * limits::STEPS_PER_POLL
        );
        assert_eq!(execution.next_deadline(), Some(begin()));
    }
}

#[test]
fn a_task_that_overflows_the_history_is_never_handed_out() {
    let definition = json!({"StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": LAMBDA, "Next": "A"},
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "C"}], "Default": "T"},
        "C": {"Type": "Succeed"},
    }});
    let ended = run_with(&definition, json!({}), |_| json!({}).into());
    assert_eq!(ended.execution.history().len(), 25_000);
    assert!(ended.execution.is_over());
    // A start, then five events of a task and two of a choice for each round; event 24,999 enters the
    // task once more, which has no room left to be scheduled.
    assert_eq!(ended.tasks.len(), 24_998 / 7);
}

/// Each of them ends with an error of AWS's.
#[test]
fn what_grows_is_stopped() {
    let twice = |value: Value| {
        json!({"StartAt": "A", "States": {
            "A": {"Type": "Pass", "Parameters": value, "Next": "B"},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "C"}], "Default": "A"},
            "C": {"Type": "Succeed"},
        }})
    };
    let many: serde_json::Map<String, Value> = (0..5_000)
        .map(|n| (format!("m{n}.$"), json!("$")))
        .collect();
    let calls = format!(
        "States.Format('{}'{})",
        "{}".repeat(2_000),
        ", $".repeat(2_000)
    );
    let long = json!("x".repeat(200_000));
    for (definition, input, error) in [
        (
            twice(json!({"a.$": "$", "b.$": "$"})),
            json!({}),
            "States.DataLimitExceeded",
        ),
        (twice(json!({"deeper.$": "$"})), json!({}), "States.Runtime"),
        (
            twice(Value::Object(many)),
            long.clone(),
            "States.DataLimitExceeded",
        ),
        (
            twice(json!({"a.$": calls})),
            long.clone(),
            "States.DataLimitExceeded",
        ),
        (
            twice(json!({"a.$": "States.Array($, $, $, $, $, $, $)"})),
            long,
            "States.DataLimitExceeded",
        ),
    ] {
        let ended = run(&definition, input);
        assert_eq!(ended.failure().0, error);
    }
}

#[test]
fn a_search_through_deep_data_ends() {
    let mut deep = json!({"leaf": "x".repeat(20_000)});
    for _ in 0..90 {
        deep = json!({"down": deep, "n": [1, 2, 3]});
    }
    for path in [
        "$..*",
        "$..down",
        "$..n[0,0,0,0]",
        "$..[?(@.n)]",
        "$..*[?(@.n)]",
    ] {
        let state = json!({"Type": "Pass", "Parameters": {"all.$": path}});
        let ended = run(&one(state), deep.clone());
        assert!(ended.execution.is_over(), "{path}");
    }
}

#[test]
fn a_long_history_says_what_it_does_not_keep() {
    // Every round puts out a new text of 260 KB: 25,000 events would be gigabytes.
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "ResultPath": "$.id", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "C"}], "Default": "A"},
        "C": {"Type": "Succeed"},
    }});
    let mut execution = start(&definition, json!({"load": "x".repeat(260_000)}));
    execution.poll(begin());
    execution.poll(begin());
    let kept: Vec<bool> = execution
        .history()
        .iter()
        .filter_map(|event| {
            Some(
                event.to_json().get("stateExitedEventDetails")?["outputDetails"]["truncated"]
                    == true,
            )
        })
        .collect();
    assert!(!kept[0] && kept[kept.len() - 1]);
}
