//! One emulator for one test.

use std::sync::Arc;

use aws_sdk_bedrockruntime::{Client, config};
use bedrock_emulator::{
    Config, Emulator,
    catalogue::{Catalogue, Model},
    journal::Usage,
    observe::{LogRecord, Series},
    script::Step,
    trace::TraceEvent,
};
use bedrock_endpoint::{Endpoint, Stats};
use serde_json::Value;

/// What a lab's emulator starts with; see [`Config`] for the meaning of each field. The default
/// answers at once, checks signatures and allows everything.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// IAM identity policies of the caller; empty: everything is allowed.
    pub policies: Vec<Value>,
    /// Switches model invocation logging off (in a lab it is on).
    pub logging_off: bool,
    /// Requests per minute and model.
    pub requests_per_minute: Option<u32>,
}

/// One emulator on a free loopback port, gone when dropped.
#[derive(Debug)]
pub struct Lab {
    endpoint: Endpoint,
}

/// One request that reached the emulator.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation's name: `Converse`, …
    pub operation: String,
    /// The model id or ARN in the path, percent-decoded.
    pub model: String,
    /// The JSON body; `null` when it is not JSON.
    pub body: Value,
    /// Request headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// The same for all attempts of one logical call (`amz-sdk-invocation-id`).
    pub invocation: String,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// Access key id, if it was signed.
    pub access_key_id: Option<String>,
    /// Region of the credential scope.
    pub scope_region: String,
    /// Service of the credential scope (`bedrock`).
    pub scope_service: String,
    /// Whether a session token came along.
    pub session: bool,
    /// Number of the TCP connection.
    pub connection: u64,
    /// HTTP status answered.
    pub status: u16,
    /// Error code answered.
    pub error: Option<String>,
    /// `x-amzn-RequestId` answered.
    pub request_id: String,
    /// Token usage answered.
    pub usage: Option<Usage>,
}

impl Lab {
    /// A lab with the default set-up.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A lab with another set-up.
    pub async fn with(setup: Setup) -> Self {
        let config = Config {
            policies: setup.policies,
            invocation_logging: !setup.logging_off,
            requests_per_minute: setup.requests_per_minute,
            latency: bedrock_emulator::emulator::Latency::none(),
            ..Config::default()
        };
        let emulator = Emulator::new(config).expect("the built-in catalogue is tested");
        let endpoint = Endpoint::bind(([127, 0, 0, 1], 0).into(), Arc::new(emulator))
            .await
            .expect("a loopback port is free");
        Self { endpoint }
    }

    /// An SDK client of this lab: region us-east-1, AWS's documentation key pair, SDK retries off.
    pub fn client(&self) -> Client {
        self.client_with(|c| c)
    }

    /// The same with changes.
    pub fn client_with(&self, change: impl FnOnce(config::Builder) -> config::Builder) -> Client {
        let config = config::Builder::new()
            .behavior_version(config::BehaviorVersion::latest())
            .endpoint_url(self.endpoint.url());
        Client::from_conf(change(config).build())
    }

    /// The current model of a tier (`haiku`, `sonnet`, `opus`).
    pub fn model(&self, alias: &str) -> &Model {
        let models = &self.catalogue().models;
        let found = models.iter().find(|m| m.alias.as_deref() == Some(alias));
        found.unwrap_or_else(|| panic!("models.toml has no model with the alias {alias}"))
    }

    /// The id to call for a tier: its inference profile for us-east-1 (`us.…`).
    pub fn profile(&self, alias: &str) -> String {
        format!("us.{}", self.model(alias).id)
    }

    /// The models.
    pub fn catalogue(&self) -> &Catalogue {
        self.endpoint.emulator().catalogue()
    }

    /// What the model says next, one step for each invocation.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.endpoint.emulator().script(steps);
    }

    /// Opens the gate of that name.
    pub fn open_gate(&self, name: &str) {
        self.endpoint.gates().open(name);
    }

    /// A handle for callbacks that open gates.
    pub fn gates(&self) -> bedrock_endpoint::Gates {
        self.endpoint.gates().clone()
    }

    /// The requests that arrived so far.
    pub fn calls(&self) -> Vec<Call> {
        Vec::new()
    }

    /// The diagram events of all requests so far.
    pub fn trace(&self) -> Vec<TraceEvent> {
        Vec::new()
    }

    /// Invocation log records so far.
    pub fn logs(&self) -> Vec<LogRecord> {
        self.endpoint.emulator().logs()
    }

    /// One CloudWatch metric of one model.
    pub fn metric(&self, name: &str, model_id: &str) -> Series {
        self.endpoint.emulator().metrics().get(name, model_id)
    }

    /// Connections and requests in flight.
    pub fn stats(&self) -> Stats {
        self.endpoint.stats()
    }
}
