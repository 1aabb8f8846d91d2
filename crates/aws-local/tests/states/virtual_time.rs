//! Waits and retries take no time, and the history shows when they would have been.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_local::states::{TaskRunner, Time};
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent};
use serde_json::{Value, json};
use states_language::TaskFailure;
use time::Duration;

use crate::bench::{START, bench_with, json, only, task, with_tasks};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

type Answers = VecDeque<Result<Value, TaskFailure>>;

/// Tasks that answer in this order.
fn answering(answers: impl Into<Answers>) -> Arc<dyn TaskRunner> {
    let answers = Mutex::new(answers.into());
    <dyn TaskRunner>::closure(move |_| {
        let answer = answers.lock().unwrap().pop_front().unwrap();
        Box::pin(async move { answer })
    })
}

fn failing(error: &str) -> Result<Value, TaskFailure> {
    Err(TaskFailure::new(error, "for a test"))
}

/// Seconds since the start of the test.
fn at(event: &HistoryEvent) -> f64 {
    let start = START.unix_timestamp_nanos() / 1_000_000;
    let start = i64::try_from(start).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a test of seconds")]
    let millis = (event.timestamp.to_millis().unwrap() - start) as f64;
    millis / 1_000.0
}

#[tokio::test]
async fn retries_back_off_without_waiting() {
    let answers = [
        failing("Busy"),
        failing("Busy"),
        failing("Busy"),
        Ok(json!("done")),
    ];
    let bench = with_tasks(answering(answers)).await;
    let retry = json!({"Retry": [{
        "ErrorEquals": ["Busy"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 4,
    }]});
    let ended = bench.run(&only(&task(FUNCTION, &retry)), &json!({})).await;
    assert_eq!(json(ended.output()), json!("done"));
    let history = bench.history(&ended.execution_arn).await;
    let scheduled: Vec<f64> = history
        .iter()
        .filter(|event| event.r#type.as_str() == "LambdaFunctionScheduled")
        .map(at)
        .collect();
    assert_eq!(scheduled, [0.0, 1.0, 3.0, 7.0]);
}

#[tokio::test]
async fn a_year_passes_at_once() {
    let bench = with_tasks(answering([])).await;
    let year = 31_536_000;
    let definition = only(&json!({"Type": "Wait", "Seconds": year, "End": true}));
    let ended = bench.run(&definition, &json!({})).await;
    let took = ended.stop_date.unwrap().secs() - ended.start_date.secs();
    assert_eq!(took, year);
    // Another execution begins at the service's time.
    let machine = ended.state_machine_arn;
    let next = bench.start(&machine, &json!({})).await;
    let next = bench.ended(&next).await;
    assert_eq!(next.start_date.secs(), START.unix_timestamp());
}

/// A task that waits by the execution's clock takes no time either, and a timeout comes before it.
#[tokio::test]
async fn tasks_that_only_wait_do_not_hold_time_up() {
    let tasks = <dyn TaskRunner>::closure(|call| {
        Box::pin(async move {
            let seconds = call.input["seconds"].as_i64().unwrap();
            let from = call.clock.now();
            call.clock.until(from + Duration::seconds(seconds)).await;
            Ok(json!((call.clock.now() - from).whole_seconds()))
        })
    });
    let bench = with_tasks(tasks).await;
    let limit = json!({"TimeoutSeconds": 60});
    let branch = |name: &str| json!({"StartAt": name, "States": {name: task(FUNCTION, &limit)}});
    let branches = json!([branch("A"), branch("B")]);
    let parallel = json!({"Type": "Parallel", "End": true, "Branches": branches});
    let machine = bench.create("both", &only(&parallel)).await;
    let run = bench.start(&machine, &json!({"seconds": 30})).await;
    let ended = bench.ended(&run).await;
    assert_eq!(json(ended.output()), json!([30, 30]));
    let run = bench.start(&machine, &json!({"seconds": 90})).await;
    let ended = bench.ended(&run).await;
    assert_eq!(ended.error(), Some("States.Timeout"));
    assert_eq!(
        ended.stop_date.unwrap().secs() - ended.start_date.secs(),
        60
    );
}

/// Real tasks are waited for: time does not jump over them to a timeout.
#[tokio::test]
async fn tasks_that_work_hold_time_up() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = Arc::clone(&gate);
    let tasks = <dyn TaskRunner>::closure(move |_| {
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            gate.notified().await;
            Ok(json!("worked"))
        })
    });
    let bench = with_tasks(tasks).await;
    let machine = bench
        .create("one", &only(&task(FUNCTION, &json!({"TimeoutSeconds": 1}))))
        .await;
    let run = bench.start(&machine, &json!({})).await;
    bench.happened("LambdaFunctionStarted").await;
    opened.notify_one();
    let ended = bench.ended(&run).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
    assert_eq!(ended.stop_date, Some(ended.start_date));
}

#[tokio::test]
async fn in_real_time_the_clock_is_waited_for() {
    let bench = bench_with(|setup| setup.time = Time::Real, |_| {}).await;
    let definition = only(&json!({"Type": "Wait", "Seconds": 10, "End": true}));
    let machine = bench.create("wait", &definition).await;
    let run = bench.start(&machine, &json!({})).await;
    bench.happened("WaitStateEntered").await;
    bench.clock.advance(Duration::seconds(9));
    let described = bench.client.describe_execution().execution_arn(&run).send();
    assert_eq!(described.await.unwrap().status, ExecutionStatus::Running);
    bench.clock.advance(Duration::seconds(1));
    let ended = bench.ended(&run).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
}
