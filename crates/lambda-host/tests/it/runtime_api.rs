//! What the Runtime API says to a runtime that does not keep to it.
//!
//! The function is a shell script that leaves its requests to us: it prints the API's address and
//! sleeps.
#![cfg(unix)]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
};

use lambda_host::{Host, Invocation, Invoked, LogEvent, Setup};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::fixture::{eventually, host_with, json};

/// A function whose runtime is the test.
struct Runtime {
    api: String,
    invoked: JoinHandle<Invoked>,
    host: Host,
    _folder: tempfile::TempDir,
}

impl Runtime {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bootstrap");
        let script = "#!/bin/sh\necho \"api=$AWS_LAMBDA_RUNTIME_API\"\nexec sleep 100000\n";
        std::fs::write(&program, script).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        let (address, mut addresses) = mpsc::unbounded_channel();
        let setup = Setup {
            log: (move |event: &LogEvent| {
                if let Some(api) = event.message.strip_prefix("api=") {
                    let _ = address.send(api.to_owned());
                }
            })
            .into(),
            ..Setup::default()
        };
        let host = host_with(setup, |config| config.program = program);
        let invoked = tokio::spawn({
            let host = host.clone();
            let invocation = Invocation {
                request_id: Some("the-id".to_owned()),
                ..Invocation::new(r#"{"a":1}"#)
            };
            async move { host.invoke("f", invocation).await.unwrap() }
        });
        Self {
            api: addresses.recv().await.unwrap(),
            invoked,
            host,
            _folder: folder,
        }
    }

    /// Status, headers and body as one text.
    async fn ask(&self, method: &str, path: &str, more: &str) -> String {
        let request = format!(
            "{method} /2018-06-01/{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}",
            self.api
        );
        let api = self.api.clone();
        tokio::task::spawn_blocking(move || {
            let mut connection = TcpStream::connect(api).unwrap();
            connection.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            let _ = connection.read_to_string(&mut answer);
            answer
        })
        .await
        .unwrap()
    }

    async fn next(&self) -> String {
        self.ask("GET", "runtime/invocation/next", "\r\n").await
    }

    async fn post(&self, path: &str, body: &str) -> String {
        let more = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.ask("POST", path, &more).await
    }

    /// Asks for the next event, which does not come, so that the first is over.
    async fn end(self) -> Invoked {
        let (api, host) = (self.api.clone(), self.host.clone());
        std::thread::spawn(move || {
            let mut connection = TcpStream::connect(&api).unwrap();
            let request =
                format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {api}\r\n\r\n");
            connection.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            let _ = connection.read_to_string(&mut answer);
        });
        let invoked = self.invoked.await.unwrap();
        host.close().await;
        invoked
    }
}

#[track_caller]
fn expect(answer: &str, status: &str, part: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert!(answer.contains(part), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_has_one_answer_under_its_own_id() {
    let runtime = Runtime::start().await;
    let early = runtime
        .post("runtime/invocation/the-id/response", "1")
        .await;
    expect(&early, "403", r#""errorType":"InvalidStateTransition""#);
    expect(
        &early,
        "403",
        "State transition from Started to InvocationResponse failed",
    );

    let event = runtime.next().await;
    expect(&event, "200", r#"{"a":1}"#);
    let lower = event.to_lowercase();
    for header in [
        "lambda-runtime-aws-request-id: the-id",
        "lambda-runtime-deadline-ms: ",
        "lambda-runtime-invoked-function-arn: arn:aws:lambda:",
        "lambda-runtime-trace-id: root=1-",
        "content-type: application/json",
    ] {
        assert!(lower.contains(header), "{header}: {event}");
    }

    let again = runtime.next().await;
    expect(
        &again,
        "403",
        "State transition from Running to Ready failed",
    );
    let wrong = runtime.post("runtime/invocation/other/response", "1").await;
    expect(
        &wrong,
        "400",
        r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#,
    );
    let late = runtime.post("runtime/init/error", "{}").await;
    expect(&late, "403", "InvalidStateTransition");

    let right = runtime
        .post("runtime/invocation/the-id/response", r#""yes""#)
        .await;
    expect(&right, "202", r#"{"status":"OK"}"#);
    let twice = runtime
        .post("runtime/invocation/the-id/response", r#""no""#)
        .await;
    expect(&twice, "403", "InvalidStateTransition");
    let error = runtime.post("runtime/invocation/the-id/error", "{}").await;
    expect(&error, "403", "InvocationErrorResponse");

    let invoked = runtime.end().await;
    assert_eq!(json(&invoked), "yes");
    assert_eq!(invoked.function_error, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_trailers_of_a_stream_is_the_functions_error() {
    let runtime = Runtime::start().await;
    runtime.next().await;
    // {"errorType":"Late"} in Base64.
    let answer = runtime
        .ask(
            "POST",
            "runtime/invocation/the-id/response",
            "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\
             Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n\
             4\r\npart\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.Late\r\n\
             Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJMYXRlIn0=\r\n\r\n",
        )
        .await;
    expect(&answer, "202", "OK");
    let invoked = runtime.end().await;
    assert_eq!(json(&invoked)["errorType"], "Late");
    assert!(invoked.function_error.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_have_names() {
    let runtime = Runtime::start().await;
    runtime.next().await;
    let api = runtime.api.clone();
    tokio::task::spawn_blocking(move || break_off(&api))
        .await
        .unwrap();
    let invoked = runtime.end().await;
    assert_eq!(json(&invoked)["errorType"], "Runtime.TruncatedResponse");

    let runtime = Runtime::start().await;
    runtime.next().await;
    let mode = "Lambda-Runtime-Function-Response-Mode: odd\r\nContent-Length: 1\r\n\r\n1";
    let answer = runtime
        .ask("POST", "runtime/invocation/the-id/response", mode)
        .await;
    expect(&answer, "400", "InvalidFunctionResponseMode");
    let invoked = runtime.end().await;
    assert_eq!(
        json(&invoked)["errorType"],
        "Runtime.InvalidResponseModeHeader"
    );
}

/// Sends half an answer, and returns when the API has noticed.
fn break_off(api: &str) {
    let mut connection = TcpStream::connect(api).unwrap();
    let head = "POST /2018-06-01/runtime/invocation/the-id/response HTTP/1.1\r\nHost: x\r\n\
                Expect: 100-continue\r\nContent-Length: 100\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    // It asks for the body: the answer has begun.
    let mut line = [0; 12];
    connection.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 100");
    connection.write_all(b"half").unwrap();
    drop(connection);
    eventually("the broken answer is noticed", || {
        let mut connection = TcpStream::connect(api).unwrap();
        let request = "POST /2018-06-01/runtime/invocation/the-id/error HTTP/1.1\r\nHost: x\r\n\
                       Connection: close\r\nContent-Length: 0\r\n\r\n";
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = connection.read_to_string(&mut answer);
        answer.contains("from RuntimeResponseSentState")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_are_not_found() {
    let runtime = Runtime::start().await;
    expect(&runtime.ask("GET", "ping", "\r\n").await, "200", "pong");
    expect(
        &runtime.ask("GET", "runtime/nothing", "\r\n").await,
        "404",
        "",
    );
    runtime.next().await;
    runtime
        .post("runtime/invocation/the-id/error", r#"{"errorType":"Mine"}"#)
        .await;
    let invoked = runtime.end().await;
    assert_eq!(json(&invoked)["errorType"], "Mine");
}
