//! One emulator with Step Functions for one test, and the real SDK's client.

use std::{
    fmt::Debug,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_local::{
    ManualClock, Services,
    lambda::Function,
    states::{ExecutionEvent, Listener, Setup, States, TaskRunner, Time},
};
use aws_sdk_sfn::{
    Client,
    config::{BehaviorVersion, Builder, Credentials, Region, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::describe_execution::DescribeExecutionOutput,
    types::{HistoryEvent, StateMachineType},
};
use aws_smithy_http_client::Builder as HttpClient;
use bedrock_emulator::{
    Begun, Config, Emulator, Request,
    emulator::{Auth, Latency},
};
use bedrock_endpoint::Endpoint;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/workflow";

/// Where every test's time begins: noon of 22 November 2026, UTC.
pub(crate) const START: OffsetDateTime = match OffsetDateTime::from_unix_timestamp(1_795_348_800) {
    Ok(start) => start,
    Err(_) => panic!("a moment of this century"),
};

pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) services: Services,
    pub(crate) endpoint: Endpoint,
    pub(crate) client: Client,
    events: Mutex<UnboundedReceiver<ExecutionEvent>>,
    pub(crate) seen: Mutex<Vec<ExecutionEvent>>,
}

/// With AWS's integrations, in virtual time.
pub(crate) async fn bench() -> Bench {
    bench_with(|_| {}, |_| {}).await
}

/// With closures for tasks.
pub(crate) async fn with_tasks(tasks: Arc<dyn TaskRunner>) -> Bench {
    bench_with(|setup| setup.tasks = Some(tasks), |_| {}).await
}

pub(crate) async fn bench_with(
    setup: impl FnOnce(&mut Setup),
    config: impl FnOnce(&mut Config),
) -> Bench {
    let clock = ManualClock::at(START);
    let (heard, events) = unbounded_channel();
    let mut chosen = Setup {
        clock: Arc::new(clock.clone()),
        time: Time::Virtual,
        listener: Listener::new(move |event| drop(heard.send(event.clone()))),
        ..Setup::default()
    };
    setup(&mut chosen);
    let mut services = Services::new(Arc::new(clock.clone()));
    services.states = States::new(chosen);
    let mut configured = Config {
        neighbours: services.neighbours(),
        latency: Latency::none(),
        ..Config::default()
    };
    config(&mut configured);
    let emulator = Arc::new(Emulator::new(configured).unwrap());
    let endpoint = Endpoint::bind((Ipv4Addr::LOCALHOST, 0).into(), Arc::clone(&emulator));
    let endpoint = endpoint.await.unwrap();
    services.connect(&emulator, &endpoint.url());
    let signer = &endpoint.emulator().config().credentials[0];
    let (id, secret) = (&signer.access_key_id, &signer.secret_access_key);
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .http_client(HttpClient::new().build_http())
        .endpoint_url(endpoint.url())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(id, secret, None, None, "bench"))
        .retry_config(RetryConfig::disabled());
    Bench {
        clock,
        services,
        client: Client::from_conf(config.build()),
        endpoint,
        events: Mutex::new(events),
        seen: Mutex::default(),
    }
}

/// For requests without a signature.
pub(crate) async fn open() -> Bench {
    bench_with(|_| {}, |config| config.auth = Auth::Off).await
}

impl Bench {
    pub(crate) fn emulator(&self) -> &Arc<Emulator> {
        self.endpoint.emulator()
    }

    pub(crate) async fn create(&self, name: &str, definition: &Value) -> String {
        self.create_as(name, definition, StateMachineType::Standard)
            .await
    }

    pub(crate) async fn create_as(
        &self,
        name: &str,
        definition: &Value,
        kind: StateMachineType,
    ) -> String {
        let created = self
            .client
            .create_state_machine()
            .name(name)
            .role_arn(ROLE)
            .r#type(kind)
            .definition(definition.to_string())
            .send()
            .await;
        created.unwrap().state_machine_arn
    }

    pub(crate) async fn start(&self, machine: &str, input: &Value) -> String {
        let started = self
            .client
            .start_execution()
            .state_machine_arn(machine)
            .input(input.to_string())
            .send()
            .await;
        started.unwrap().execution_arn
    }

    /// Waits for an event that fits, of any execution.
    pub(crate) async fn event(
        &self,
        mut fits: impl FnMut(&ExecutionEvent) -> bool,
    ) -> ExecutionEvent {
        loop {
            let next = std::future::poll_fn(|cx| self.events.lock().unwrap().poll_recv(cx));
            let event = next.await.unwrap();
            self.seen.lock().unwrap().push(event.clone());
            if fits(&event) {
                return event;
            }
        }
    }

    /// The event of that type.
    pub(crate) async fn happened(&self, kind: &str) -> ExecutionEvent {
        self.event(|event| event.event.event_type.as_str() == kind)
            .await
    }

    /// Waits for an execution's end.
    pub(crate) async fn ended(&self, arn: &str) -> DescribeExecutionOutput {
        self.event(|event| {
            let kind = event.event.event_type.as_str();
            &*event.execution_arn == arn
                && kind.starts_with("Execution")
                && kind != "ExecutionStarted"
        })
        .await;
        let described = self.client.describe_execution().execution_arn(arn).send();
        described.await.unwrap()
    }

    /// Creates, starts, waits.
    pub(crate) async fn run(&self, definition: &Value, input: &Value) -> DescribeExecutionOutput {
        let machine = self.create("machine", definition).await;
        let arn = self.start(&machine, input).await;
        self.ended(&arn).await
    }

    pub(crate) async fn history(&self, arn: &str) -> Vec<HistoryEvent> {
        let history = self.client.get_execution_history().execution_arn(arn);
        let history = history.max_results(1_000).send().await.unwrap();
        history.events
    }

    /// The types of a history.
    pub(crate) async fn types(&self, arn: &str) -> Vec<String> {
        let history = self.history(arn).await;
        let types = history.iter().map(|event| event.r#type.as_str().to_owned());
        types.collect()
    }

    /// A request without a signature, in this process: status and body.
    pub(crate) async fn ask(&self, operation: &str, body: &Value) -> (u16, String) {
        let headers = [
            ("host", "127.0.0.1:4566".to_owned()),
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target", format!("AWSStepFunctions.{operation}")),
        ];
        let request = Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: headers.into(),
            body: body.to_string().into(),
            connection: 1,
        };
        let reply = match self.emulator().receive(Arc::new(request), START) {
            Begun::Reply(reply) => reply,
            Begun::Wait(waiting) => waiting.reply().await,
            Begun::Ask(_) => panic!("no model is asked"),
        };
        let text = String::from_utf8(reply.body.bytes().to_vec()).unwrap();
        (reply.status, text)
    }
}

/// A function called as the step that it is, with so much time.
pub(crate) fn function(step: &str, timeout: Duration) -> Function {
    let mut function = Function::new(step, program());
    function.timeout = timeout;
    function.environment.insert("STEP".into(), step.into());
    function
}

/// The example program of this crate's tests.
fn program() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let profile = deps.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("states-function");
    assert!(
        program.exists(),
        "cargo builds it with `cargo test -p aws-local` and `cargo build -p aws-local --examples`"
    );
    program
}

pub(crate) fn json(text: Option<&str>) -> Value {
    serde_json::from_str(text.unwrap()).unwrap()
}

pub(crate) fn task(resource: &str, more: &Value) -> Value {
    let mut task = json!({"Type": "Task", "Resource": resource, "End": true});
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

/// A machine of one state called `Only`.
pub(crate) fn only(state: &Value) -> Value {
    json!({"StartAt": "Only", "States": {"Only": state}})
}

/// Code and text of the error with which a call must end.
pub(crate) fn refused<T: Debug, E>(result: Result<T, SdkError<E>>) -> (String, String)
where
    E: ProvideErrorMetadata + Debug,
{
    let error = result.expect_err("the call must be refused");
    let service = error.as_service_error().expect("by the service");
    let (code, text) = (service.code().unwrap_or_default(), service.message());
    (code.to_owned(), text.unwrap_or_default().to_owned())
}
