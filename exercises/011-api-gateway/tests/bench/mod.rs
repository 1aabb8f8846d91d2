//! The two gates of exercise 011, the requests that go through both, and who sends them.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use ex011::{Customer, Decision, Gate, GwRequest, Millis, Plan, api, schema, settings};
use lambda_http::http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use workshop_testkit::{Hop, LAMBDA, Point, json, within};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::{
        Clock as _,
        gateway::{Api, Functions, Settings, Target},
    },
};

use crate::bootstrap::{App, handler};

pub(crate) const PROMPT: &str = "Name a river.";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:ask";
pub(crate) const TTL: Duration = Duration::from_mins(5);
pub(crate) const DAY: Millis = 24 * 60 * 60 * 1_000;

// ---- who asks

pub(crate) fn customer(id: &str, plan: Option<Plan>) -> Customer {
    Customer {
        id: id.to_owned(),
        key: key(id),
        plan,
    }
}

/// What a customer sends.
pub(crate) fn key(id: &str) -> String {
    format!("5a37c1e0-key-of-{id}")
}

pub(crate) fn plan(rate_per_s: f64, burst: u32) -> Plan {
    Plan {
        rate_per_s,
        burst,
        quota_per_day: 10_000,
    }
}

/// Two who have bought little, two who have bought much, one who has bought nothing.
pub(crate) fn customers() -> Vec<Customer> {
    vec![
        customer("ann", Some(plan(2.0, 5))),
        customer("bob", Some(plan(2.0, 5))),
        customer("max", Some(plan(100.0, 100))),
        customer("mia", Some(plan(100.0, 100))),
        customer("carl", None),
    ]
}

pub(crate) fn request(method: Method, path: &str, key: Option<&str>, body: &str) -> GwRequest {
    GwRequest {
        method,
        path: path.to_owned(),
        api_key: key.map(str::to_owned),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

pub(crate) fn post(key: Option<&str>, body: &str) -> GwRequest {
    request(Method::POST, "/ask", key, body)
}

/// A customer's good question.
pub(crate) fn asks(id: &str, prompt: &str) -> GwRequest {
    post(Some(&key(id)), &json!({ "prompt": prompt }).to_string())
}

/// A customer's request for a fact.
pub(crate) fn fact(id: &str, topic: &str) -> GwRequest {
    request(Method::GET, &format!("/facts/{topic}"), Some(&key(id)), "")
}

// ---- the two gates

/// Which gate stands in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Gate,
    ApiGateway,
}

pub(crate) const BOTH: [Which; 2] = [Which::Gate, Which::ApiGateway];

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gate => "your Gate",
            Self::ApiGateway => "API Gateway, as you configured it",
        })
    }
}

/// A gate, the function behind it, and Bedrock.
pub(crate) struct Bench {
    pub(crate) lab: AwsLab,
    app: App,
    front: Front,
}

pub(crate) enum Front {
    Gate(Box<Gate>),
    /// Below this path.
    ApiGateway(String),
}

/// What the client got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    text: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text)
    }
}

/// What your code gives, unless it panics: then the point fails with its words.
pub(crate) fn calm<T>(point: &Point, what: &str, yours: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(yours)).unwrap_or_else(|panic| {
        let says = panic.downcast_ref::<String>().cloned();
        let says = says.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
        let says = says.unwrap_or_default();
        // The starter's own words.
        if says.contains("011/") {
            resume_unwind(panic);
        }
        point.fail(what, format!("a panic: {says}"), "no panic");
    })
}

/// Your `Gate`.
pub(crate) fn gate(customers: &[Customer], cache_methods: &[Method], point: &Point) -> Gate {
    let schema = schema();
    calm(point, "Gate::new(…)", || {
        Gate::new(customers, &schema, TTL, cache_methods)
    })
}

/// The function in this process, asked by its ARN.
pub(crate) fn in_this_process(app: App) -> Arc<dyn Functions> {
    Arc::new(move |target: Target, event: Bytes| {
        let app = app.clone();
        async move {
            let raised = |error: &dyn fmt::Display| {
                Bytes::from(json!({ "errorMessage": error.to_string() }).to_string())
            };
            if target.arn != FUNCTION {
                return Err(raised(&format!("nobody knows {}", target.arn)));
            }
            let event = String::from_utf8_lossy(&event);
            let request = lambda_http::request::from_str(&event).map_err(|e| raised(&e))?;
            let response = handler(&app, request).await.map_err(|e| raised(&e))?;
            let body = String::from_utf8_lossy(response.body());
            let answer = json!({ "statusCode": response.status().as_u16(), "body": body });
            Ok(Bytes::from(answer.to_string()))
        }
    })
}

impl Bench {
    /// The gate keeps answers to `GET`.
    pub(crate) async fn start(which: Which, customers: &[Customer], point: &Point) -> Self {
        match which {
            Which::Gate => {
                let gate = gate(customers, &[Method::GET], point);
                Self::behind(gate).await
            }
            Which::ApiGateway => {
                Self::managed(customers, point, |_, app| in_this_process(app)).await
            }
        }
    }

    pub(crate) async fn behind(gate: Gate) -> Self {
        let (lab, app) = Self::function().await;
        let front = Front::Gate(Box::new(gate));
        Self { lab, app, front }
    }

    /// Amazon API Gateway with your document and your settings.
    pub(crate) async fn managed(
        customers: &[Customer],
        point: &Point,
        functions: impl FnOnce(&AwsLab, App) -> Arc<dyn Functions>,
    ) -> Self {
        let (lab, app) = Self::function().await;
        let document = calm(point, "api(…)", || api(FUNCTION)).to_string();
        let ttl = u32::try_from(TTL.as_secs()).expect("a short time");
        let settings = calm(point, "settings(…)", || settings(customers, ttl)).to_string();
        let read = Settings::read("settings(…)", &settings);
        let read = read.and_then(|settings| Api::read("api(…)", &document, settings));
        let api = read.unwrap_or_else(|refused| {
            point.fail(
                "importing your API",
                refused,
                "a document and settings that API Gateway takes",
            )
        });
        let functions = functions(&lab, app.clone());
        let front = Front::ApiGateway(lab.services().gateway.deploy(api, functions));
        Self { lab, app, front }
    }

    pub(crate) async fn function() -> (AwsLab, App) {
        let lab = AwsLab::start().await;
        let app = App {
            client: lab.client_at(&LAMBDA),
            model: lab.profile("haiku"),
        };
        (lab, app)
    }

    /// Milliseconds since 1970 on the lab's clock.
    fn now(&self) -> Millis {
        let now = self.lab.clock().now().unix_timestamp_nanos() / 1_000_000;
        now.try_into().expect("we are past 1970")
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = by.try_into().expect("a short time");
        self.lab.clock().advance(by);
    }

    /// Of the next day, so that no test runs into midnight.
    pub(crate) fn advance_to_noon(&self) {
        let until_noon = DAY + DAY / 2 - self.now() % DAY;
        self.advance(Duration::from_millis(until_noon));
    }

    /// Calls that reached Bedrock.
    pub(crate) fn calls(&self) -> usize {
        let calls = self.lab.calls().into_iter();
        calls.filter(|call| call.operation == "Converse").count()
    }

    /// What the last call to Bedrock asked.
    pub(crate) fn asked(&self) -> Option<String> {
        let calls = self.lab.calls().into_iter();
        let mut calls = calls.filter(|call| call.operation == "Converse");
        calls.next_back().map(|call| call.text())
    }

    /// One request and its answer.
    pub(crate) async fn send(&self, request: &GwRequest, point: &Point) -> Answer {
        let what = format!("{} {}", request.method, request.path);
        match &self.front {
            Front::Gate(gate) => {
                let answer = self.through(gate, request, point).await;
                self.lab.saw(Hop {
                    from: "CLIENT",
                    to: "APIGW",
                    what: &what,
                    status: answer.status,
                    request_id: "gate",
                });
                answer
            }
            // Its own journal tells who asked it.
            Front::ApiGateway(base) => {
                within(point, &what, over_http(&self.lab.url(), base, request)).await
            }
        }
    }

    /// Does what the gate says.
    pub(crate) async fn through(&self, gate: &Gate, request: &GwRequest, point: &Point) -> Answer {
        let now = self.now();
        let decision = calm(point, "Gate::decide(…)", || gate.decide(now, request));
        let (status, text) = match decision {
            Decision::Reject { status, .. } => (status, Bytes::from_static(b"refused")),
            Decision::Cached(kept) => (200, kept),
            Decision::Forward => {
                let (status, text) = within(point, "the function", self.forward(request)).await;
                let (now, kept) = (self.now(), text.clone());
                calm(point, "Gate::store(…)", || {
                    gate.store(now, request, status, kept)
                });
                (status, text)
            }
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        Answer { status, text }
    }

    pub(crate) async fn forward(&self, request: &GwRequest) -> (u16, Bytes) {
        let body = lambda_http::Body::Binary(request.body.to_vec());
        let to_function = lambda_http::http::Request::builder()
            .method(request.method.clone())
            .uri(&request.path)
            .body(body)
            .expect("a request");
        let response = handler(&self.app, to_function).await;
        let response = response.expect("the function answers");
        let status = response.status().as_u16();
        self.lab.saw(Hop {
            from: "APIGW",
            to: "LAMBDA",
            what: "Invoke",
            status,
            request_id: "gate",
        });
        (status, Bytes::copy_from_slice(response.body()))
    }

    /// Of so many requests, one right after the other: the statuses.
    pub(crate) async fn burst(&self, request: &GwRequest, count: usize, point: &Point) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.send(request, point).await.status);
        }
        statuses
    }
}

/// HTTP as plain as can be. The answer, and the id that the gateway gave it.
pub(crate) async fn over_http(url: &str, base: &str, request: &GwRequest) -> Answer {
    let host = url.strip_prefix("http://").expect("the lab's URL");
    let GwRequest { method, path, .. } = request;
    let mut head =
        format!("{method} {base}{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    if let Some(key) = &request.api_key {
        head += &format!("x-api-key: {key}\r\n");
    }
    if *method != Method::GET {
        head += "content-type: application/json\r\n";
    }
    head += &format!("content-length: {}\r\n\r\n", request.body.len());
    let mut tcp = TcpStream::connect(host).await.expect("the lab listens");
    let sent = [head.as_bytes(), &request.body].concat();
    tcp.write_all(&sent).await.expect("the lab listens");
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).await.expect("the lab answers");
    let answer = String::from_utf8_lossy(&bytes);
    let (head, text) = answer.split_once("\r\n\r\n").expect("HTTP");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("HTTP"),
        text: text.to_owned(),
    }
}

/// `200 ×5, 429 ×7`.
pub(crate) fn told(statuses: &[u16]) -> String {
    let runs = statuses.chunk_by(|a, b| a == b);
    let runs = runs.map(|run| format!("{} ×{}", run[0], run.len()));
    runs.collect::<Vec<_>>().join(", ")
}

#[track_caller]
pub(crate) fn statuses(point: &Point, what: &str, saw: &[u16], wanted: &[(u16, usize)]) {
    let runs = wanted.iter().filter(|(_, count)| *count > 0);
    let wanted: Vec<u16> = runs
        .flat_map(|(status, count)| std::iter::repeat_n(*status, *count))
        .collect();
    point.holds(what, saw == wanted, told(saw), told(&wanted));
}
