//! One emulator with all services for one test, and HTTP as plain as can be.

use std::{
    fmt::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_local::{
    Clock, Services, SystemClock,
    lambda::{EventSource, Function},
};
use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
};
use bedrock_endpoint::Endpoint;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";

/// A wrong service could wait for ever; then the test fails instead. Also the most that a process may
/// take to start on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Bench {
    pub(crate) services: Services,
    pub(crate) endpoint: Endpoint,
}

/// What came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// This crate's example, which cargo builds before its tests.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("aws-local-function");
    let hint =
        "cargo builds it with `cargo test -p aws-local` and `cargo build -p aws-local --examples`";
    assert!(program.exists(), "{} is missing: {hint}", program.display());
    program
}

/// A function with more time than Lambda's default: the machine may be busy.
pub(crate) fn function(name: &str) -> Function {
    Function {
        timeout: PATIENCE,
        ..Function::new(name, program())
    }
}

impl Bench {
    /// An emulator that asks for no signature, with the function `ask`.
    pub(crate) async fn start() -> Self {
        Self::start_with(Arc::new(SystemClock), |_| {}).await
    }

    pub(crate) async fn start_with(
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let services = Services::new(clock);
        let mut config = Config {
            neighbours: services.neighbours(),
            auth: Auth::Off,
            latency: Latency::none(),
            ..Config::default()
        };
        change(&mut config);
        let emulator = Arc::new(Emulator::new(config).unwrap());
        let endpoint = Endpoint::bind((Ipv4Addr::LOCALHOST, 0).into(), emulator).await;
        let endpoint = endpoint.unwrap();
        services.connect(endpoint.emulator(), &endpoint.url());
        services.lambda.create(function("ask")).unwrap();
        Self { services, endpoint }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        tokio::time::timeout(
            PATIENCE * 2,
            exchange(&self.endpoint, method, target, headers, body),
        )
        .await
        .expect("an answer")
    }

    /// Invokes `ask`.
    pub(crate) async fn invoke(&self, headers: &[(&str, &str)], event: &Value) -> Answer {
        let target = "/2015-03-31/functions/ask/invocations";
        self.send("POST", target, headers, &event.to_string()).await
    }

    /// An operation of a JSON service.
    pub(crate) async fn call(&self, target: &str, body: &Value) -> Value {
        let headers = [("x-amz-target", target)];
        let answer = self.send("POST", "/", &headers, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.body.is_empty() {
            return Value::Null;
        }
        answer.json()
    }

    /// The queue `jobs`, with one for what is received more than twice.
    pub(crate) async fn queues(&self, attributes: &[(&str, &str)]) {
        self.call("AmazonSQS.CreateQueue", &json!({ "QueueName": "dead" }))
            .await;
        let dead = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:dead");
        let policy = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 2 }).to_string();
        let mut all = json!({ "RedrivePolicy": policy, "VisibilityTimeout": "60" });
        for (name, value) in attributes {
            all[*name] = json!(value);
        }
        let body = json!({ "QueueName": "jobs", "Attributes": all });
        self.call("AmazonSQS.CreateQueue", &body).await;
    }

    pub(crate) async fn enqueue(&self, bodies: &[&str]) {
        let entries: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(n, body)| json!({ "Id": format!("m{n}"), "MessageBody": body }))
            .collect();
        let url = url("jobs");
        let body = json!({ "QueueUrl": url, "Entries": entries });
        let sent = self.call("AmazonSQS.SendMessageBatch", &body).await;
        assert_eq!(sent["Successful"].as_array().unwrap().len(), bodies.len());
    }

    /// Messages that wait, are in flight.
    pub(crate) async fn counts(&self, queue: &str) -> (u64, u64) {
        let asked = json!({ "QueueUrl": url(queue), "AttributeNames": ["All"] });
        let told = self.call("AmazonSQS.GetQueueAttributes", &asked).await;
        let count = |name: &str| told["Attributes"][name].as_str().unwrap().parse().unwrap();
        (
            count("ApproximateNumberOfMessages"),
            count("ApproximateNumberOfMessagesNotVisible"),
        )
    }

    /// The lines of `ask`'s log.
    pub(crate) async fn log(&self) -> Vec<String> {
        let asked = json!({ "logGroupName": "/aws/lambda/ask" });
        let headers = [("x-amz-target", "Logs_20140328.FilterLogEvents")];
        let answer = self.send("POST", "/", &headers, &asked.to_string()).await;
        if answer.status != 200 {
            return Vec::new();
        }
        let told = answer.json();
        let events = told["events"].as_array().unwrap().iter();
        events
            .map(|e| e["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Looks again and again until what another process does is done.
    pub(crate) async fn until(&self, what: &str, mut done: impl AsyncFnMut(&Self) -> bool) {
        let looked = tokio::time::timeout(PATIENCE, async {
            while !done(self).await {
                tokio::task::yield_now().await;
            }
        });
        assert!(
            looked.await.is_ok(),
            "never: {what}; the log: {:#?}",
            self.log().await
        );
    }

    pub(crate) fn map(&self, change: impl FnOnce(&mut EventSource)) -> String {
        let mut source = EventSource::new("jobs", "ask");
        source.report_batch_item_failures = true;
        change(&mut source);
        self.services.lambda.map(source).unwrap()
    }
}

pub(crate) fn url(queue: &str) -> String {
    format!("http://127.0.0.1/{ACCOUNT}/{queue}")
}

async fn exchange(
    endpoint: &Endpoint,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {}\r\n",
        endpoint.addr()
    );
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let length = body.len();
    let request = format!("{head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
