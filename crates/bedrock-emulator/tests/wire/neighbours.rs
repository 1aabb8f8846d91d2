//! Services beside Bedrock: found by their own routes, let in as Bedrock's callers are, written into
//! the same journal.

use std::{
    future::Future as _,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bedrock_emulator::{
    Begun, Config, Emulator, Request,
    error::ApiError,
    neighbour::{About, Answer, Neighbour, Outcome, OwnCode, Protocol, Visit},
};
use serde_json::{Value, json};

use crate::bench::{json as body, now, with};

static ECHO: About = About {
    name: "Echo",
    signing_name: Some("echo"),
    protocol: Protocol::AwsJson10,
    node: Some("ECHO"),
    from_client: Some("CLIENT-ECHO"),
};

static TOO_LOUD: OwnCode =
    OwnCode::new("TooLoudException", 400).on_the_wire("com.example.echo#TooLoudException");

/// Says what it is told; `Wait` answers at its second look.
#[derive(Debug, Default)]
struct Echo {
    forgotten: Mutex<Vec<String>>,
}

impl Neighbour for Echo {
    fn about(&self) -> &'static About {
        &ECHO
    }

    fn operation(&self, request: &Request) -> Option<Result<&'static str, ApiError>> {
        match request.header("x-amz-target")?.strip_prefix("Echo.")? {
            "Say" => Some(Ok("Say")),
            "Wait" => Some(Ok("Wait")),
            _ => Some(Err(TOO_LOUD.error("no such operation"))),
        }
    }

    fn permissions(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        let account = &visit.account;
        vec![(
            "echo:Say",
            format!("arn:aws:echo:{}:{account}:wall", visit.region),
        )]
    }

    fn answer(&self, visit: Visit) -> Outcome {
        let told = visit.json::<Value>().and_then(|said| {
            if said["text"] == "LOUD" {
                return Err(TOO_LOUD.error("Not so loud.").with("Volume", json!(11)));
            }
            let body = json!({ "said": said["text"], "account": *visit.account });
            Ok(Answer::json("application/x-amz-json-1.0", &body))
        });
        if visit.operation == "Say" {
            return told.into();
        }
        let mut looked = false;
        Outcome::Later(Box::pin(std::future::poll_fn(move |_| {
            if std::mem::replace(&mut looked, true) {
                Poll::Ready(told.clone())
            } else {
                Poll::Pending
            }
        })))
    }

    fn forget(&self, account: &str) {
        self.forgotten.lock().unwrap().push(account.to_owned());
    }
}

fn emulator(change: impl FnOnce(&mut Config)) -> (Arc<Emulator>, Arc<Echo>) {
    let echo = Arc::new(Echo::default());
    let emulator = with(|config| {
        config.neighbours = vec![Arc::clone(&echo) as Arc<dyn Neighbour>];
        change(config);
    });
    (Arc::new(emulator), echo)
}

fn post(path: &str, target: Option<&str>, body: &Value) -> Request {
    let mut headers = vec![("host".to_owned(), "127.0.0.1:4566".to_owned())];
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    headers.extend(target.map(|target| ("x-amz-target".to_owned(), target.to_owned())));
    Request {
        method: "POST".to_owned(),
        target: path.to_owned(),
        headers: headers.into(),
        body: body.to_string().into(),
        connection: 1,
    }
}

fn said(operation: &str, body: &Value) -> Request {
    post("/", Some(&format!("Echo.{operation}")), body)
}

#[test]
fn a_neighbour_answers_and_the_journal_tells_it() {
    let (emulator, _) = emulator(|_| {});
    let reply = emulator.handle(&said("Say", &json!({ "text": "hello" })), now());
    assert_eq!(reply.status, 200);
    assert_eq!(body(&reply)["said"], "hello");
    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.operation.as_deref(), Some("Say"));
    let lit = entry.trace.iter().find(|event| event.node == "ECHO");
    let edge = lit.and_then(|event| event.edge.as_deref());
    assert_eq!(edge, Some("CLIENT-ECHO"), "{:?}", entry.trace);
}

#[test]
fn its_own_errors_go_out_as_it_writes_them() {
    let (emulator, _) = emulator(|_| {});
    let reply = emulator.handle(&said("Say", &json!({ "text": "LOUD" })), now());
    assert_eq!(reply.status, 400);
    assert_eq!(
        body(&reply),
        json!({
            "__type": "com.example.echo#TooLoudException",
            "message": "Not so loud.",
            "Volume": 11,
        })
    );
    let unknown = emulator.handle(&said("Sing", &json!({})), now());
    assert_eq!(body(&unknown)["message"], "no such operation");
    let nobody = post("/", Some("Nobody.Home"), &json!({}));
    assert!(emulator.handle(&nobody, now()).status >= 400);
}

#[test]
fn a_policy_decides_about_it_too() {
    let (emulator, _) = emulator(|config| {
        config.policies = vec![json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "bedrock:*", "Resource": "*" }],
        })];
    });
    let reply = emulator.handle(&said("Say", &json!({ "text": "hello" })), now());
    let message = body(&reply)["Message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("not authorized to perform: echo:Say"),
        "{message}"
    );
    assert!(message.contains(":wall"), "{message}");
}

#[test]
fn an_answer_may_take_its_time_and_who_leaves_is_told() {
    let (emulator, _) = emulator(|_| {});
    let request = Arc::new(said("Wait", &json!({ "text": "later" })));
    let Begun::Wait(waiting) = emulator.receive(Arc::clone(&request), now()) else {
        panic!("answered at once");
    };
    assert!(emulator.journal().is_empty());
    let mut reply = pin!(waiting.reply());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(reply.as_mut().poll(&mut cx).is_pending());
    let Poll::Ready(reply) = reply.as_mut().poll(&mut cx) else {
        panic!("still waiting");
    };
    assert_eq!(body(&reply)["said"], "later");
    assert_eq!(emulator.journal().len(), 1);

    drop(emulator.receive(request, now()));
    let gone = emulator.journal().pop().unwrap();
    assert_eq!((gone.seq, gone.status), (2, 0));
    // A front end without time to wait says so.
    let reply = emulator.handle(&said("Wait", &json!({})), now());
    assert_eq!(reply.status, 500);
}

#[test]
fn a_reset_reaches_it() {
    let (emulator, echo) = emulator(|_| {});
    let reset = post("/_workshop/reset", None, &json!({}));
    assert_eq!(emulator.handle(&reset, now()).status, 200);
    assert_eq!(*echo.forgotten.lock().unwrap(), ["123456789012"]);
}
