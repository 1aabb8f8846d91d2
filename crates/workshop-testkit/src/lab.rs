//! One emulator for one test.

use std::{
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::SystemTime,
};

use aws_sdk_bedrockruntime::{
    Client,
    config::{self, BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_http_client::Builder as HttpClient;
use bedrock_emulator::{
    Config, ConfigError, Emulator,
    catalogue::{Catalogue, Model},
    emulator::{Credential, Latency},
    fault::FaultRule,
    identity::Identity,
    journal::Entry,
    neighbour::{Actor, Neighbour},
    observe::{LogRecord, Series},
    policy::{NamedPolicy, PolicyError},
    script::{Document, Rule, Step},
    trace::TraceEvent,
};
use bedrock_endpoint::{Clock, Endpoint, Gates, Hooks, Stats};
use serde_json::{Value, json};
use tokio::{
    runtime::{self, Runtime},
    sync::watch,
};

use crate::{Call, Hop, Observer, events::EventLog, trial::Trial};

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
    /// The region of the lab and its clients; `None`: us-east-1.
    pub region: Option<String>,
    /// Gives the caller temporary credentials (an `ASIA…` key and a session token).
    pub temporary_credentials: bool,
    /// What time it is for the emulator and for the lab's clients. The default is the system's time.
    pub clock: Clock,
    /// Other services on the same port.
    pub neighbours: Vec<Arc<dyn Neighbour>>,
}

/// One emulator on a free loopback port, gone when dropped.
///
/// It runs on threads of its own: code under test that blocks its thread cannot stop it.
#[derive(Debug)]
#[must_use = "the emulator is gone as soon as the lab is dropped"]
pub struct Lab {
    endpoint: Endpoint,
    clock: Clock,
    lights: Lights,
    /// Changes with every answer.
    answered: watch::Receiver<()>,
}

/// Lights a lab's diagram: [`Lab::saw`] for whoever is not there yet, or elsewhere. Clones are the same.
#[derive(Debug, Clone)]
pub struct Lights {
    seen: Arc<Mutex<Vec<TraceEvent>>>,
    log: Option<Arc<EventLog>>,
}

impl Lights {
    /// For the test on this thread.
    fn of_this_test() -> Self {
        Self {
            seen: Arc::default(),
            log: EventLog::of_this_test().map(Arc::new),
        }
    }

    /// Notes what was seen, and what it was an answer to: an operation and the status of its answer.
    pub fn note(&self, operation: &str, status: u16, trace: Vec<TraceEvent>) {
        if let Some(log) = &self.log {
            log.append_light(operation, status, &trace);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(trace);
    }
}

/// The models the emulator knows, without a lab.
pub fn models() -> &'static Catalogue {
    static MODELS: LazyLock<Catalogue> =
        LazyLock::new(|| Trial::of_this_run().catalogue(built_in(Catalogue::built_in())));
    &MODELS
}

/// The catalogue is compiled in and tested where it stands.
fn built_in<T>(made: Result<T, ConfigError>) -> T {
    made.expect("the built-in catalogue is valid")
}

/// Shared by all labs of a test binary; it ends with the process.
fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("lab")
            .enable_all()
            .build()
            .expect("two threads can be started")
    });
    &RUNTIME
}

/// The lab's time as the SDK asks for it.
#[derive(Debug)]
struct LabTime(Clock);

impl TimeSource for LabTime {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

impl Setup {
    fn into_config(self) -> Config {
        let mut config = Config {
            policies: self.policies,
            invocation_logging: !self.logging_off,
            requests_per_minute: self.requests_per_minute,
            neighbours: self.neighbours,
            latency: Latency::none(),
            ..Config::default()
        };
        if let Some(region) = self.region {
            config.region = region;
        }
        if self.temporary_credentials {
            for credential in &mut config.credentials {
                credential.access_key_id = credential.access_key_id.replacen("AKIA", "ASIA", 1);
                credential.session_token = Some("workshop-session-token".to_owned());
            }
        }
        Trial::of_this_run().change(&mut config);
        config
    }
}

impl Lab {
    /// A lab with the default set-up.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A lab with another set-up.
    ///
    /// # Panics
    ///
    /// If the set-up cannot be used (a policy that IAM would refuse) or no loopback port is free.
    pub async fn with(setup: Setup) -> Self {
        let opening = Self::opening(setup);
        opening.await
    }

    /// Not an `async fn`, whose body is compiled anew in every program that awaits it: this one brings a
    /// whole HTTP server along, most of what the compiler has to do after an edit. In a box it is
    /// compiled here.
    #[inline(never)]
    fn opening(setup: Setup) -> Pin<Box<dyn Future<Output = Self> + Send>> {
        Box::pin(Self::open(setup))
    }

    async fn open(setup: Setup) -> Self {
        let clock = setup.clock.clone();
        // Read once for all labs of a process: reading the catalogue takes longer than everything else here.
        let emulator = Emulator::with_catalogue(setup.into_config(), models().clone());
        let emulator = built_in(emulator);
        let lights = Lights::of_this_test();
        let (answers, answered) = watch::channel(());
        let log = lights.log.clone();
        let hooks = Hooks {
            after: Some(Box::new(move |entry| {
                if let Some(log) = &log {
                    log.append(entry);
                }
                answers.send_replace(());
            })),
            ..Hooks::default()
        };
        let loopback = ([127, 0, 0, 1], 0).into();
        let socket = bedrock_endpoint::Setup {
            clock: clock.clone(),
            hooks,
            ..bedrock_endpoint::Setup::default()
        };
        let endpoint = runtime()
            .spawn(Endpoint::open(loopback, Arc::new(emulator), socket))
            .await
            .expect("binding does not panic")
            .expect("a loopback port is free");
        Self {
            endpoint,
            clock,
            lights,
            answered,
        }
    }

    /// An SDK client of this lab: the lab's region (us-east-1) and key pair (AWS's documentation
    /// example), SDK retries off. Each client has its own connections.
    pub fn client(&self) -> Client {
        self.client_with(|c| c)
    }

    /// The same with changes.
    pub fn client_with(&self, change: impl FnOnce(config::Builder) -> config::Builder) -> Client {
        let lab = self.endpoint.emulator().config();
        let signer = &lab.credentials[0];
        let credentials = Credentials::new(
            &signer.access_key_id,
            &signer.secret_access_key,
            signer.session_token.clone(),
            None,
            "lab",
        );
        let config = config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().build_http())
            .endpoint_url(self.url())
            .region(Region::new(lab.region.clone()))
            .credentials_provider(credentials)
            .time_source(self.time_source())
            .retry_config(RetryConfig::disabled());
        Client::from_conf(change(config).build())
    }

    /// The emulator itself, without the socket.
    pub fn emulator(&self) -> &Arc<Emulator> {
        self.endpoint.emulator()
    }

    /// The time of the lab's [`Setup`], for clients: a signature has to be of the emulator's time.
    pub fn time_source(&self) -> SharedTimeSource {
        SharedTimeSource::new(LabTime(self.clock.clone()))
    }

    /// Where the emulator listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.endpoint.url()
    }

    /// The current model of a tier (`haiku`, `sonnet`, `opus`).
    ///
    /// # Panics
    ///
    /// If there is no such tier.
    pub fn model(&self, alias: &str) -> &Model {
        let found = self.catalogue().by_alias(alias);
        found.unwrap_or_else(|| panic!("models.toml has no model with the alias {alias}"))
    }

    /// The id to call for a tier: its inference profile for the lab's region (`us.…`), or the base
    /// id of a model that has none there.
    ///
    /// # Panics
    ///
    /// If there is no such tier.
    pub fn profile(&self, alias: &str) -> String {
        let region = &self.emulator().config().region;
        let found = self.catalogue().id_to_call(alias, region);
        found.unwrap_or_else(|| panic!("models.toml has no model with the alias {alias}"))
    }

    /// The models.
    pub fn catalogue(&self) -> &Catalogue {
        self.endpoint.emulator().catalogue()
    }

    /// What the model says next, one step for each invocation.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.endpoint.emulator().script(steps);
    }

    /// What the model says to which requests. Steps and rules stand in one list: the first that is
    /// about a request and has an answer left gives it.
    ///
    /// ```
    /// # async fn test() {
    /// use workshop_testkit::{Lab, Rule, Step, Text, When};
    ///
    /// let lab = Lab::start().await;
    /// lab.rules([Rule::when(When::any().prompt(Text::contains("weather")))
    ///     .then_always(Step::text("It is sunny."))]);
    /// # }
    /// ```
    pub fn rules(&self, rules: impl IntoIterator<Item = Rule>) {
        self.endpoint.emulator().rules(rules);
    }

    /// Which requests fail or are slow, beside any script.
    ///
    /// ```
    /// # async fn test() {
    /// use workshop_testkit::{Fault, FaultRule, Lab};
    ///
    /// let lab = Lab::start().await;
    /// lab.faults([FaultRule::new(Fault::ServiceUnavailable).count(2)]);
    /// # }
    /// ```
    pub fn faults(&self, rules: impl IntoIterator<Item = FaultRule>) {
        self.endpoint.emulator().faults(rules);
    }

    /// Adds a script in TOML, as in a file for `workshop emulator --script`: replies and fault rules,
    /// also of other accounts (`when.account`).
    ///
    /// ```
    /// # async fn test() {
    /// let lab = workshop_testkit::Lab::start().await;
    /// lab.load(
    ///     r#"
    ///     [[reply]]
    ///     text = "It is sunny."
    ///     "#,
    /// );
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the script cannot be read, with line, key and cure.
    pub fn load(&self, toml: &str) {
        let document = Document::from_toml(toml);
        let document = document.unwrap_or_else(|mistake| panic!("{mistake}"));
        self.endpoint.emulator().load(document);
    }

    /// A client of another account of this lab. An account shares nothing with the others: its
    /// quotas, caches, script and faults are its own, and everything is allowed.
    ///
    /// ```
    /// # async fn test() {
    /// let lab = workshop_testkit::Lab::start().await;
    /// let theirs = lab.client_of("111122223333");
    /// # drop(theirs);
    /// assert!(lab.calls_of("111122223333").is_empty());
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If `account` is no account id: twelve digits.
    pub fn client_of(&self, account: &str) -> Client {
        let digits = account.bytes().all(|byte| byte.is_ascii_digit());
        assert!(
            digits && account.len() == 12,
            "{account:?}: an AWS account id has twelve digits"
        );
        // Base 32 has no 0 and 1: the account's digits go on as letters.
        let id = account.bytes().map(|byte| char::from(byte - b'0' + b'A'));
        let credential = Credential {
            access_key_id: format!("AKIA{}LABS", id.collect::<String>()),
            secret_access_key: format!("lab-secret-of-account-{account}"),
            session_token: None,
            expires_at: None,
            arn: format!("arn:aws:iam::{account}:user/lab"),
        };
        let (key, secret) = (
            credential.access_key_id.clone(),
            credential.secret_access_key.clone(),
        );
        self.endpoint.emulator().add_credential(credential);
        let credentials = Credentials::new(key, secret, None, None, "lab");
        self.client_with(|config| config.credentials_provider(credentials))
    }

    /// The temporary credentials of a role that this actor works in: what a Lambda function finds in
    /// its environment. Requests signed with them light the diagram from the actor's node, and the
    /// lab's policies decide about them. For code in this process take [`Lab::client_at`].
    pub fn role_of(&self, actor: &'static Actor) -> Credential {
        let emulator = self.endpoint.emulator();
        let name = actor.node.to_lowercase();
        let role = format!("arn:aws:iam::{}:role/{name}", emulator.config().account_id);
        emulator.assume_role_for_service(&role, &name, Some(actor), self.clock.now())
    }

    /// A client as the code at that node of a diagram has it: [`Lab::client`], signing as
    /// [the actor's role](Lab::role_of).
    ///
    /// ```
    /// # async fn test() {
    /// use workshop_testkit::{LAMBDA, Lab};
    ///
    /// let lab = Lab::start().await;
    /// let in_the_function = lab.client_at(&LAMBDA);
    /// # drop(in_the_function);
    /// # }
    /// ```
    pub fn client_at(&self, actor: &'static Actor) -> Client {
        let role = self.role_of(actor);
        let (key, secret) = (role.access_key_id, role.secret_access_key);
        let credentials = Credentials::new(key, secret, role.session_token, None, "lab");
        self.client_with(|config| config.credentials_provider(credentials))
    }

    /// Notes what a part of the student's system answered: light for a pattern's diagram.
    pub fn saw(&self, hop: Hop<'_>) {
        let t = self.clock.now().unix_timestamp_nanos() / 1_000_000;
        let trace = hop.trace(i64::try_from(t).unwrap_or_default());
        self.lights.note(hop.what, hop.status, trace);
    }

    /// A handle that lights this lab's diagram.
    pub fn lights(&self) -> Lights {
        self.lights.clone()
    }

    /// The requests of one account so far, in the order of arrival.
    pub fn calls_of(&self, account: &str) -> Vec<Call> {
        let entries = self.endpoint.emulator().entries_after(0, Some(account));
        entries.into_iter().map(Call::from).collect()
    }

    /// How many scripted steps are still unused.
    pub fn script_left(&self) -> usize {
        self.endpoint.emulator().script_left()
    }

    /// Opens the gate of that name.
    pub fn open_gate(&self, name: &str) {
        self.endpoint.gates().open(name);
    }

    /// A handle for callbacks that open gates.
    pub fn gates(&self) -> Gates {
        self.endpoint.gates().clone()
    }

    /// Replaces the caller's IAM identity policies; empty: everything is allowed.
    ///
    /// # Panics
    ///
    /// If IAM would refuse one of them, with the reason.
    pub fn set_policies(&self, policies: impl IntoIterator<Item = Value>) {
        let policies: Vec<Value> = policies.into_iter().collect();
        let set = self.endpoint.emulator().set_policies(&policies);
        set.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Makes a role, or changes it, and tells its ARN. Whoever belongs to the lab's account may assume
    /// it, as far as their own policies allow. Without `policies` it has its account's.
    ///
    /// ```
    /// # async fn test() {
    /// let lab = workshop_testkit::Lab::start().await;
    /// let role = lab.role("ask", []).unwrap();
    /// assert_eq!(role, "arn:aws:iam::123456789012:role/ask");
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What IAM would refuse a policy for.
    pub fn role(
        &self,
        name: &str,
        policies: impl IntoIterator<Item = Value>,
    ) -> Result<String, PolicyError> {
        let account = &self.endpoint.emulator().config().account_id;
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            }],
        });
        self.role_trusting(name, trust, policies)
    }

    /// The same, for whom that trust policy trusts.
    ///
    /// # Errors
    ///
    /// What IAM would refuse a policy for.
    pub fn role_trusting(
        &self,
        name: &str,
        trust: Value,
        policies: impl IntoIterator<Item = Value>,
    ) -> Result<String, PolicyError> {
        let emulator = self.endpoint.emulator();
        let account = &emulator.config().account_id;
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        let policies: Vec<NamedPolicy> = policies
            .into_iter()
            .enumerate()
            .map(|(i, document)| NamedPolicy {
                name: format!("policy {}", i + 1),
                document,
            })
            .collect();
        emulator.set_identity(&Identity {
            arn: arn.clone(),
            policies: (!policies.is_empty()).then_some(policies),
            trust_policy: Some(trust),
            max_session_seconds: None,
        })?;
        Ok(arn)
    }

    /// Gives a VPC endpoint (`vpce-1a2b3c4d`) its policy. A request comes through an endpoint if it is
    /// sent to one of the endpoint's own host names.
    ///
    /// # Errors
    ///
    /// What AWS would refuse the policy for.
    pub fn set_vpc_endpoint_policy(&self, id: &str, document: &Value) -> Result<(), PolicyError> {
        let emulator = self.endpoint.emulator();
        emulator.set_vpc_endpoint_policy(id, document)
    }

    /// Makes a guardrail of the lab's account, with a draft and version 1. `definition` is the body of
    /// `CreateGuardrail`; `id` is lower-case letters and digits.
    ///
    /// ```
    /// # async fn test() {
    /// use workshop_testkit::{Lab, json};
    ///
    /// let lab = Lab::start().await;
    /// let definition = json!({
    ///     "name": "no-names",
    ///     "blockedInputMessaging": "Please ask something else.",
    ///     "blockedOutputsMessaging": "That answer was held back.",
    ///     "wordPolicyConfig": { "wordsConfig": [{ "text": "Atlantis" }] },
    /// });
    /// lab.add_guardrail("names0000001", &definition);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If AWS would refuse the definition, with the reason.
    pub fn add_guardrail(&self, id: &str, definition: &Value) {
        let emulator = self.endpoint.emulator();
        let added = emulator.add_guardrail(id, definition, self.clock.now());
        added.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Switches model invocation logging.
    pub fn set_logging(&self, on: bool) {
        self.endpoint.emulator().set_invocation_logging(on);
    }

    /// The requests that arrived so far, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.journal().into_iter().map(Call::from).collect()
    }

    /// Waits until `done` says so of the requests that arrived so far: it is asked at once, and again
    /// after each answer, for as long as nobody drops this. What a model says behind a gate counts as
    /// answered.
    ///
    /// ```
    /// # async fn test() {
    /// let lab = workshop_testkit::Lab::start().await;
    /// let asked = lab.until(|calls| calls.iter().any(|call| call.operation == "Converse"));
    /// # drop(asked);
    /// # }
    /// ```
    pub async fn until(&self, mut done: impl FnMut(&[Call]) -> bool) {
        let mut answered = self.answered.clone();
        loop {
            answered.mark_unchanged();
            if done(&self.calls()) {
                return;
            }
            // The endpoint lives, and with it the sender.
            let _ = answered.changed().await;
        }
    }

    /// The same as the core's own journal entries.
    pub fn journal(&self) -> Vec<Entry> {
        self.endpoint.emulator().journal()
    }

    /// The diagram events of all requests so far, then everything else that was [seen](Lab::saw).
    pub fn trace(&self) -> Vec<TraceEvent> {
        let journal = self.journal().into_iter();
        let seen = self.lights.seen.lock();
        let seen = seen.unwrap_or_else(PoisonError::into_inner);
        let journal = journal.flat_map(|entry| entry.trace);
        journal.chain(seen.iter().cloned()).collect()
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

    /// What an operator sees from outside: identity, logs, metrics.
    pub fn observer(&self) -> Observer {
        Observer::new(Arc::clone(self.endpoint.emulator()))
    }
}
