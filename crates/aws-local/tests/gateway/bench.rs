//! An endpoint with one API, functions in this process, and a client that shows every byte.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use aws_local::{
    ManualClock,
    gateway::{Api, Gateway, Seen, Settings, Target},
};
use bedrock_emulator::{Config, Emulator, journal::Entry};
use bedrock_endpoint::Endpoint;
use bytes::Bytes;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What a function does with an event.
type Body = dyn Fn(&Value) -> Result<Value, Value> + Send + Sync;

pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) endpoint: Endpoint,
    pub(crate) gateway: Gateway,
    /// Below which the API answers.
    pub(crate) base: String,
    events: Arc<Mutex<Vec<(Target, Value)>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// 22 November 2026, 13:00:00 UTC.
pub(crate) fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_352_400).unwrap()
}

/// A REST API whose methods all go to the function `chat`, which returns its event's path and body.
pub(crate) async fn rest(paths: Value, settings: Value) -> Bench {
    let document = document(paths);
    bench(document, settings, Config::default(), |event| {
        let told = json!({ "path": event["path"], "body": event["body"] });
        Ok(json!({ "statusCode": 200, "body": told.to_string() }))
    })
    .await
}

/// The same with a function of the test's own.
pub(crate) async fn function(
    paths: Value,
    settings: Value,
    body: impl Fn(&Value) -> Result<Value, Value> + Send + Sync + 'static,
) -> Bench {
    bench(document(paths), settings, Config::default(), body).await
}

pub(crate) async fn bench(
    document: Value,
    settings: Value,
    config: Config,
    body: impl Fn(&Value) -> Result<Value, Value> + Send + Sync + 'static,
) -> Bench {
    let clock = ManualClock::at(start());
    let gateway = Gateway::new(Arc::new(clock.clone()));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    gateway.watch(Arc::new(move |one: &Seen| {
        heard.lock().unwrap().push(one.clone());
    }));
    let config = Config {
        neighbours: gateway.neighbours(),
        ..config
    };
    let emulator = Arc::new(Emulator::new(config).unwrap());
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let endpoint = Endpoint::bind(anywhere, emulator).await.unwrap();
    gateway.connect(endpoint.emulator());
    let settings = Settings::read("settings.json", &settings.to_string()).unwrap();
    let api = Api::read("api.json", &document.to_string(), settings).unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let base = gateway.deploy(
        api,
        Arc::new(in_process(Arc::clone(&events), Arc::new(body))),
    );
    Bench {
        clock,
        endpoint,
        gateway,
        base,
        events,
        seen,
    }
}

fn in_process(
    events: Arc<Mutex<Vec<(Target, Value)>>>,
    body: Arc<Body>,
) -> impl Fn(Target, Bytes) -> std::pin::Pin<Box<dyn Future<Output = Result<Bytes, Bytes>> + Send>>
{
    move |target, event| {
        let event: Value = serde_json::from_slice(&event).unwrap();
        events.lock().unwrap().push((target, event.clone()));
        let answer = body(&event);
        Box::pin(async move {
            // The test says so: nobody ever answers.
            if answer == Ok(json!("never")) {
                std::future::pending::<()>().await;
            }
            let bytes = |value: Value| Bytes::from(value.to_string());
            answer.map(bytes).map_err(bytes)
        })
    }
}

pub(crate) fn document(paths: Value) -> Value {
    json!({
        "openapi": "3.0.1",
        "info": { "title": "chat", "version": "1" },
        "paths": paths,
        "components": { "securitySchemes": {
            "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" },
            "sigv4": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
        } },
        "x-amazon-apigateway-request-validators": {
            "all": { "validateRequestBody": true, "validateRequestParameters": true },
        },
    })
}

/// An operation of a REST API with more members.
pub(crate) fn to_chat(more: Value) -> Value {
    operation("1.0", more)
}

pub(crate) fn operation(version: &str, more: Value) -> Value {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:chat";
    let mut operation = json!({
        "responses": { "200": { "description": "OK" } },
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": format!(
                "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
            ),
            "payloadFormatVersion": version,
        },
    });
    for (name, value) in more.as_object().unwrap() {
        if name == "integration" {
            for (name, value) in value.as_object().unwrap() {
                operation["x-amazon-apigateway-integration"][name] = value.clone();
            }
        } else {
            operation[name] = value.clone();
        }
    }
    operation
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Status and body.
    pub(crate) fn pair(&self) -> (u16, &str) {
        (self.status, self.text())
    }
}

impl Bench {
    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        self.send("GET", path, headers, b"").await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
        self.send("POST", path, headers, body.as_bytes()).await
    }

    /// A request below the API.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Got {
        let target = format!("{}{path}", self.base);
        self.raw(method, &target, headers, body).await
    }

    /// A request to anywhere on the port.
    pub(crate) async fn raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Got {
        let addr = self.endpoint.addr();
        let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        let named = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !named("host") {
            let _ = write!(request, "Host: {addr}\r\n");
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let _ = write!(request, "Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        let mut tcp = TcpStream::connect(addr).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        // Who refuses a long body may close before its end.
        let _ = tcp.write_all(body).await;
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).await.unwrap();
        parse(&answer)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The events that functions got.
    pub(crate) fn events(&self) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events.iter().map(|(_, event)| event.clone()).collect()
    }

    /// The functions that got them.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let events = self.events.lock().unwrap();
        events.iter().map(|(target, _)| target.clone()).collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn entry(&self) -> Entry {
        self.endpoint.emulator().journal().pop().unwrap()
    }

    /// The gateway's part of what lit up for the last request: node and edge, with status.
    pub(crate) fn lit(&self) -> Vec<(String, String)> {
        let trace = self.entry().trace.into_iter();
        let trace = trace.filter(|event| ["APIGW", "LAMBDA"].contains(&event.node.as_str()));
        let lit = trace.map(|event| {
            let place = event.edge.unwrap_or(event.node);
            (place, format!("{:?}", event.status))
        });
        lit.collect()
    }
}

fn parse(answer: &[u8]) -> Got {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    Got {
        status,
        headers: headers.collect(),
        body: answer[end + 4..].to_vec(),
    }
}
