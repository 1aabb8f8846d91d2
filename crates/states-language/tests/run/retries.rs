//! When a task is tried again.

use serde_json::{Value, json};

use crate::bench::{Answer, LAMBDA, Run, one, run_with};

fn task(retry: &Value) -> Value {
    json!({"Type": "Task", "Resource": LAMBDA, "Retry": retry})
}

fn times(run: &Run) -> Vec<f64> {
    run.tasks.iter().map(|(seconds, _)| *seconds).collect()
}

#[track_caller]
fn starts_at(retry: &Value, error: &'static str, expected: &[f64]) {
    let ended = run_with(&one(task(retry)), json!({}), |_| Answer::Failure(error));
    assert_eq!(times(&ended), expected);
    assert_eq!(ended.failure(), (error.to_owned(), "because".to_owned()));
}

#[test]
fn intervals() {
    let all = json!(["States.ALL"]);
    for (retry, expected) in [
        (json!({"ErrorEquals": all}), &[0.0, 1.0, 3.0, 7.0] as &[f64]),
        (
            json!({"ErrorEquals": all, "BackoffRate": 1.0, "IntervalSeconds": 5, "MaxAttempts": 2}),
            &[0.0, 5.0, 10.0],
        ),
        (
            json!({"ErrorEquals": all, "BackoffRate": 1.5, "IntervalSeconds": 2}),
            &[0.0, 2.0, 5.0, 9.5],
        ),
        (
            json!({"ErrorEquals": all, "IntervalSeconds": 2, "MaxDelaySeconds": 3, "MaxAttempts": 4}),
            &[0.0, 2.0, 5.0, 8.0, 11.0],
        ),
        (json!({"ErrorEquals": all, "MaxAttempts": 0}), &[0.0]),
        (json!({"ErrorEquals": ["Other"]}), &[0.0]),
        (
            json!({"ErrorEquals": ["Other", "Busy"], "MaxAttempts": 1}),
            &[0.0, 1.0],
        ),
        (
            json!({"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1}),
            &[0.0, 1.0],
        ),
    ] {
        starts_at(&json!([retry]), "Busy", expected);
    }
    // The first that takes the error counts, each for itself.
    starts_at(
        &json!([
            {"ErrorEquals": ["Busy"], "MaxAttempts": 1, "IntervalSeconds": 7},
            {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5},
        ]),
        "Busy",
        &[0.0, 7.0],
    );
    // What cannot go on is never tried again.
    starts_at(
        &json!([{"ErrorEquals": ["States.ALL"]}]),
        "States.Runtime",
        &[0.0],
    );
}

#[test]
fn each_retrier_counts_for_itself() {
    let retry = json!([
        {"ErrorEquals": ["A"], "MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 2},
        {"ErrorEquals": ["B"], "MaxAttempts": 2, "IntervalSeconds": 10, "BackoffRate": 2},
    ]);
    let mut errors = ["A", "B", "A", "B"].into_iter();
    let ended = run_with(&one(task(&retry)), json!({}), |_| match errors.next() {
        Some(error) => Answer::Failure(error),
        None => json!("done").into(),
    });
    assert_eq!(ended.output(), json!("done"));
    assert_eq!(times(&ended), [0.0, 1.0, 11.0, 13.0, 33.0]);
}

#[test]
fn a_timeout_is_tried_again_and_the_count_is_in_the_context() {
    let mut state = task(&json!([{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 2}]));
    state["TimeoutSeconds"] = json!(10);
    state["Parameters"] = json!({"attempt.$": "$$.State.RetryCount"});
    let ended = run_with(&one(state), json!({}), |task| {
        if task.input["attempt"] == 2 {
            json!("third").into()
        } else {
            Answer::Silence
        }
    });
    assert_eq!(ended.output(), json!("third"));
    assert_eq!(times(&ended), [0.0, 11.0, 23.0]);
    assert_eq!(ended.cancelled.len(), 2);
}

#[test]
fn attempts_begin_anew_when_a_state_is_entered_again() {
    let definition = json!({"StartAt": "Work", "States": {
        "Work": {"Type": "Task", "Resource": LAMBDA, "Next": "Again",
            "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]},
        "Again": {"Type": "Choice", "Default": "Done", "Choices": [
            {"Variable": "$", "NumericLessThan": 2, "Next": "Work"}]},
        "Done": {"Type": "Succeed"},
    }});
    let mut calls = 0;
    let ended = run_with(&definition, json!(0), |task| {
        calls += 1;
        if calls % 2 == 1 {
            Answer::Failure("E")
        } else {
            json!(task.input.as_i64().unwrap() + 1).into()
        }
    });
    assert_eq!(ended.output(), json!(2));
    assert_eq!(times(&ended), [0.0, 1.0, 1.0, 2.0]);
}

#[test]
fn jitter_stays_within_the_delay() {
    let retry = json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "BackoffRate": 1, "MaxAttempts": 20, "JitterStrategy": "FULL"}]);
    let run = || run_with(&one(task(&retry)), json!({}), |_| Answer::Failure("E"));
    let times = times(&run());
    assert_eq!(times, self::times(&run()), "the same for the same seed");
    let delays: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(delays.iter().all(|delay| (0.0..=100.0).contains(delay)));
    assert!(delays.iter().any(|delay| *delay < 30.0));
    assert!(delays.iter().any(|delay| *delay > 70.0));
}

#[test]
fn a_failed_map_is_tried_again_as_a_whole() {
    let state = json!({"Type": "Map", "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
        "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": LAMBDA, "End": true}}}});
    let mut failed = false;
    let ended = run_with(&one(state), json!([1, 2]), |task| {
        if *task.input == json!(2) && !failed {
            failed = true;
            return Answer::Failure("E");
        }
        (*task.input).clone().into()
    });
    assert_eq!(ended.output(), json!([1, 2]));
    assert_eq!(times(&ended), [0.0, 0.0, 1.0, 1.0]);
}
