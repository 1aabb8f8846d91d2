//! Executions: started once, stopped, listed, told page by page.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_local::states::TaskRunner;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::json;

use crate::bench::{ACCOUNT, Bench, bench, json, only, refused, task, with_tasks};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// Counts tasks that are under way.
struct Working(Arc<AtomicUsize>);

impl Working {
    fn one(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tasks that never end, and how many there are.
fn endless() -> (Arc<dyn TaskRunner>, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let tasks = <dyn TaskRunner>::closure(move |_| {
        let working = Working::one(&counted);
        Box::pin(async move {
            let _working = working;
            std::future::pending().await
        })
    });
    (tasks, count)
}

async fn none_left(count: &AtomicUsize) {
    while count.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
}

async fn running(bench: &Bench) -> String {
    let machine = bench
        .create("endless", &only(&task(FUNCTION, &json!({}))))
        .await;
    let run = bench.start(&machine, &json!({})).await;
    bench.happened("LambdaFunctionStarted").await;
    run
}

#[tokio::test]
async fn stopping_ends_the_task_and_tells_why() {
    let (tasks, count) = endless();
    let bench = with_tasks(tasks).await;
    let run = running(&bench).await;
    let stop = bench.client.stop_execution().execution_arn(&run);
    stop.error("Enough").cause("by hand").send().await.unwrap();
    let ended = bench.ended(&run).await;
    none_left(&count).await;
    assert_eq!(ended.status, ExecutionStatus::Aborted);
    assert_eq!(
        (ended.error(), ended.cause()),
        (Some("Enough"), Some("by hand"))
    );
    let history = bench.history(&run).await;
    let last = history.last().unwrap();
    assert_eq!(last.r#type.as_str(), "ExecutionAborted");
    assert_eq!(last.previous_event_id, 0);
    // Once more changes nothing.
    let stop = bench.client.stop_execution().execution_arn(&run);
    let again = stop.error("Later").send().await.unwrap();
    assert_eq!(Some(again.stop_date), ended.stop_date);
}

#[tokio::test]
async fn nothing_runs_on_when_its_account_is_forgotten() {
    let (tasks, count) = endless();
    let bench = with_tasks(tasks).await;
    let run = running(&bench).await;
    aws_local::json_service::JsonService::forget(&bench.services.states, ACCOUNT);
    none_left(&count).await;
    let gone = bench
        .client
        .describe_execution()
        .execution_arn(&run)
        .send()
        .await;
    assert_eq!(refused(gone).0, "ExecutionDoesNotExist");
    let machines = bench.client.list_state_machines().send().await.unwrap();
    assert!(machines.state_machines.is_empty());
}

#[tokio::test]
async fn nothing_runs_on_when_the_service_is_gone() {
    let (tasks, count) = endless();
    let bench = with_tasks(tasks).await;
    running(&bench).await;
    drop(bench);
    none_left(&count).await;
}

#[tokio::test]
async fn an_execution_is_started_once() {
    let (tasks, _) = endless();
    let bench = with_tasks(tasks).await;
    let machine = bench
        .create("endless", &only(&task(FUNCTION, &json!({}))))
        .await;
    let start = |input: &'static str| {
        let start = bench.client.start_execution().state_machine_arn(&machine);
        start.name("once").input(input).send()
    };
    let first = start("{}").await.unwrap();
    assert_eq!(
        first.execution_arn,
        "arn:aws:states:us-east-1:123456789012:execution:endless:once"
    );
    let second = start("{}").await.unwrap();
    assert_eq!(second.start_date, first.start_date);
    let (code, text) = refused(start(r#"{"other":1}"#).await);
    assert_eq!(code, "ExecutionAlreadyExists");
    assert_eq!(
        text,
        format!("Execution Already Exists: '{}'", first.execution_arn)
    );
    // Neither when it is over.
    let stop = bench
        .client
        .stop_execution()
        .execution_arn(&first.execution_arn);
    stop.send().await.unwrap();
    assert_eq!(refused(start("{}").await).0, "ExecutionAlreadyExists");
}

#[tokio::test]
async fn lists_come_in_pages_the_newest_first() {
    let bench = bench().await;
    let pass = only(&json!({"Type": "Pass", "End": true}));
    let machine = bench.create("machine", &pass).await;
    for name in ["a", "b", "c", "d", "e"] {
        let start = bench.client.start_execution().state_machine_arn(&machine);
        let run = start.name(name).send().await.unwrap().execution_arn;
        bench.ended(&run).await;
    }
    let list = || bench.client.list_executions().state_machine_arn(&machine);
    let mut pages = list().max_results(2).into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(run) = pages.next().await {
        names.push(run.unwrap().name);
    }
    assert_eq!(names, ["e", "d", "c", "b", "a"]);
    let failed = list().status_filter(ExecutionStatus::Failed).send().await;
    assert!(failed.unwrap().executions.is_empty());

    let all: Vec<i64> = {
        let run = "arn:aws:states:us-east-1:123456789012:execution:machine:a";
        let history = || bench.client.get_execution_history().execution_arn(run);
        let mut ids = Vec::new();
        let mut token = None;
        loop {
            let page = history()
                .max_results(3)
                .reverse_order(true)
                .set_next_token(token);
            let page = page.send().await.unwrap();
            ids.extend(page.events.iter().map(|event| event.id));
            token = page.next_token;
            if token.is_none() {
                break ids;
            }
        }
    };
    assert_eq!(all, [4, 3, 2, 1]);
}

#[tokio::test]
async fn data_can_be_left_out() {
    let bench = bench().await;
    let pass = only(&json!({"Type": "Pass", "End": true}));
    let ended = bench.run(&pass, &json!({"secret": 1})).await;
    assert_eq!(json(ended.output()), json!({"secret": 1}));
    assert_eq!(
        ended.redrive_status_reason(),
        Some("Execution is SUCCEEDED and cannot be redriven")
    );
    let history = bench.client.get_execution_history();
    let history = history
        .execution_arn(&ended.execution_arn)
        .include_execution_data(false);
    let history = history.send().await.unwrap();
    let entered = history.events[1].state_entered_event_details().unwrap();
    assert_eq!((entered.name(), entered.input()), ("Only", None));
    let described = bench
        .client
        .describe_execution()
        .execution_arn(&ended.execution_arn);
    let described = described
        .included_data("METADATA_ONLY".into())
        .send()
        .await
        .unwrap();
    assert_eq!((described.input(), described.output()), (None, None));
}

/// For whoever is in the same process, without asking again and again.
#[tokio::test]
async fn an_end_can_be_waited_for() {
    let bench = bench().await;
    let definition = only(&json!({"Type": "Wait", "Seconds": 60, "End": true}));
    let machine = bench.create("wait", &definition).await;
    let run = bench.start(&machine, &json!({})).await;
    bench.services.states.ended(ACCOUNT, &run).await;
    let described = bench.client.describe_execution().execution_arn(&run).send();
    assert_eq!(described.await.unwrap().status, ExecutionStatus::Succeeded);
    // Nothing to wait for.
    bench.services.states.ended(ACCOUNT, "nobody's").await;
}
