//! Nothing outlives the host.
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::{answer, eventually, exists, host, program, runs, try_invoke};

/// A function's process, its child in its group, and a child that left the group.
async fn family(host: &lambda_host::Host) -> [u64; 3] {
    let first = answer(host, r#"{"do":"count"}"#).await["pid"]
        .as_u64()
        .unwrap();
    let child = answer(host, r#"{"do":"grandchild"}"#)
        .await
        .as_u64()
        .unwrap();
    let left = answer(host, r#"{"do":"grandchild","leave":true}"#).await;
    [first, child, left.as_u64().unwrap()]
}

#[tokio::test]
async fn close_waits_until_all_are_gone() {
    let host = host(|_| {});
    let family = family(&host).await;
    assert!(family.iter().all(|pid| runs(*pid)));
    host.close().await;
    assert!(!exists(family[0]), "the environment, as a zombie perhaps");
    assert!(family.iter().all(|pid| !runs(*pid)), "{family:?}");
    let refused = try_invoke(&host, "{}").await.unwrap_err();
    assert_eq!(refused.code(), "ServiceException");
    host.close().await;
}

#[tokio::test]
async fn a_drop_ends_all() {
    let host = host(|_| {});
    let family = family(&host).await;
    drop(host);
    eventually("the environment is reaped", || !exists(family[0]));
    eventually("the others end", || family.iter().all(|pid| !runs(*pid)));
}

#[tokio::test]
async fn what_runs_when_the_host_closes_gets_an_answer() {
    let (hanging, mut hangs) = tokio::sync::mpsc::unbounded_channel();
    let setup = lambda_host::Setup {
        log: (move |event: &lambda_host::LogEvent| {
            if event.message == "hanging" {
                let _ = hanging.send(());
            }
        })
        .into(),
        ..lambda_host::Setup::default()
    };
    let host = crate::fixture::host_with(setup, |_| {});
    let running = tokio::spawn({
        let host = host.clone();
        async move { try_invoke(&host, r#"{"do":"hang"}"#).await }
    });
    hangs.recv().await.unwrap();
    host.close().await;
    let ended = running.await.unwrap().unwrap_err();
    assert_eq!(ended.code(), "ServiceException");
}

#[test]
fn a_runtime_that_goes_first_leaves_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let host = host(|_| {});
    let family = runtime.block_on(family(&host));
    drop(runtime);
    drop(host);
    eventually("the environment is reaped", || !exists(family[0]));
    eventually("the others end", || family.iter().all(|pid| !runs(*pid)));
}

#[test]
fn kill_9_of_the_parent_ends_all() {
    a_parent_that_ends_by(Signal::KILL);
}

#[test]
fn ctrl_c_of_the_parent_ends_all() {
    a_parent_that_ends_by(Signal::INT);
}

/// No destructor runs after either.
fn a_parent_that_ends_by(signal: Signal) {
    let mut parent = Command::new(program("lambda-host-parent"))
        .arg(program("lambda-host-function"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let family: Vec<u64> = lines
        .take(3)
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            let pid = line.get("pid").unwrap_or(&line);
            pid.as_u64().unwrap()
        })
        .collect();
    assert_eq!(family.len(), 3);
    assert!(family.iter().all(|pid| runs(*pid)), "{family:?}");
    kill_process(Pid::from_child(&parent), signal).unwrap();
    parent.wait().unwrap();
    eventually("all of them end", || family.iter().all(|pid| !runs(*pid)));
}

#[tokio::test]
async fn an_environment_that_was_killed_while_idle_is_replaced() {
    let host = host(|_| {});
    let pid = answer(&host, r#"{"do":"count"}"#).await["pid"]
        .as_u64()
        .unwrap();
    let number = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(number, Signal::KILL).unwrap();
    eventually("it is reaped", || !exists(pid));
    // Reaped a moment before the host hears of it: that event may still meet the dead environment.
    let next = crate::fixture::invoke(&host, r#"{"do":"count"}"#).await;
    if next.function_error.is_none() {
        assert!(next.report.cold);
    }
    assert!(answer(&host, r#"{"do":"count"}"#).await["pid"].is_u64());
    host.close().await;
}
