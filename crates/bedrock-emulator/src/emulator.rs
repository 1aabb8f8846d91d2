//! The emulator and its configuration; what happens to one request is in `pipeline`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use serde_json::Value;
use time::{Date, OffsetDateTime};

use crate::{
    account::Account,
    catalogue::Catalogue,
    fault::FaultRule,
    identity::{Identities, Identity},
    journal::{Again, Entry, Record},
    logs,
    neighbour::Neighbour,
    observe::{
        Cost, Figures, LogFile, LogRecord, Logging, Metrics, Minute, ServiceMetric, log_files,
        log_record,
    },
    pipeline::{Pipeline, on_behalf::Listeners},
    policy::{Context, Decision, NamedPolicy, Policies, PolicyError},
    quota::Quotas,
    script::{Document, Rule, Step},
    tape::Tape,
    vpc_endpoint::Endpoints,
    wire::{Reply, Request},
};

/// How an emulator behaves. `Config::default()` is what `workshop emulator` starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Seed of every id and every sentence the emulator makes up.
    pub seed: u64,
    /// Region the emulator stands for; a scope of another region is accepted (one emulator
    /// serves all regions) and decides which inference profiles exist.
    pub region: String,
    /// The twelve-digit account id in ARNs and messages.
    pub account_id: String,
    /// Whether signatures are checked.
    pub auth: Auth,
    /// Key pairs that may sign.
    pub credentials: Vec<Credential>,
    /// Amazon Bedrock API keys (`AWS_BEARER_TOKEN_BEDROCK`) that are accepted.
    pub api_keys: Vec<ApiKey>,
    /// The calendar day that lifecycle rules see; `None`: the day of the request.
    pub today: Option<Date>,
    /// IAM identity policies (JSON documents) of the caller. Empty: everything is allowed.
    pub policies: Vec<Value>,
    /// Users and roles with policies of their own, of any account.
    pub identities: Vec<Identity>,
    /// Service control policies, by account: what no identity of the account may do.
    pub service_control_policies: Vec<(String, NamedPolicy)>,
    /// Whether model invocation logging is on from the start; on AWS somebody has to switch it on.
    pub invocation_logging: bool,
    /// The bucket that switched-on logging delivers to beside its log group; its files wait for
    /// [`Emulator::log_files`].
    pub log_bucket: Option<String>,
    /// Latency of answers; [`Latency::none`] in tests.
    pub latency: Latency,
    /// Requests per minute and model before `ThrottlingException`; `None`: no limit.
    pub requests_per_minute: Option<u32>,
    /// Quotas of requests and tokens, by model or profile; each account has its own.
    pub quotas: Quotas,
    /// Replaces every word of generated text by seeded random ones of other scripts and
    /// lengths: proves that tests do not depend on wording.
    pub scramble: bool,
    /// Services that answer beside Bedrock.
    pub neighbours: Vec<Arc<dyn Neighbour>>,
    /// Recordings that answer before the emulator does.
    pub tape: Option<Arc<Tape>>,
    /// How many journal entries, and how many invocation log records, are kept.
    pub journal_capacity: usize,
    /// How many bytes of requests and answers the journal keeps of each account. The newest request
    /// is kept however long it is.
    pub journal_bytes: usize,
}

/// Whether signatures are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// As on AWS: `SigV4` is verified, skew over five minutes is refused.
    Strict,
    /// Anything goes, also no `Authorization` at all.
    Off,
}

/// A key pair that may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `AKIA…` or, for temporary credentials, `ASIA…`.
    pub access_key_id: String,
    /// The secret the signature is made with.
    pub secret_access_key: String,
    /// The session token that must come along with temporary credentials.
    pub session_token: Option<String>,
    /// When temporary credentials stop working; `None`: never.
    pub expires_at: Option<OffsetDateTime>,
    /// The IAM ARN it belongs to.
    pub arn: String,
}

/// A long-term Amazon Bedrock API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// What stands after `Authorization: Bearer `: `ABSK…`.
    pub token: String,
    /// The IAM ARN it belongs to.
    pub arn: String,
}

/// How long a model takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Latency {
    /// Answers at once.
    None,
    /// As the catalogue says for each model: the time to the first token grows with the input,
    /// less with what is read from the prompt cache; then so many tokens a second.
    #[default]
    Model,
    /// The same for every model and input.
    Fixed {
        /// Milliseconds until the first token.
        first_token_ms: u32,
        /// Milliseconds for each further token.
        per_token_ms: u32,
    },
}

impl Latency {
    /// Answers at once.
    pub const fn none() -> Self {
        Self::None
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            auth: Auth::Strict,
            // AWS's own documentation example key pair.
            credentials: vec![Credential {
                access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
                session_token: None,
                expires_at: None,
                arn: "arn:aws:iam::123456789012:user/student".to_owned(),
            }],
            api_keys: Vec::new(),
            today: None,
            policies: Vec::new(),
            identities: Vec::new(),
            service_control_policies: Vec::new(),
            invocation_logging: false,
            log_bucket: None,
            latency: Latency::Model,
            requests_per_minute: None,
            quotas: Quotas::default(),
            scramble: false,
            neighbours: Vec::new(),
            tape: None,
            journal_capacity: 1_000,
            journal_bytes: 16 * 1024 * 1024,
        }
    }
}

/// The configuration or the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The model catalogue does not parse.
    #[error("the model catalogue {path} cannot be read")]
    Catalogue {
        /// Its path, or `models.toml (built in)`.
        path: String,
        /// What is wrong, with line and column.
        #[source]
        source: toml::de::Error,
    },
    /// An IAM policy cannot be used.
    #[error("the configured policies cannot be used")]
    Policy(#[from] PolicyError),
}

/// A Bedrock that answers from memory.
///
/// A cheap handle is `Arc<Emulator>`. Each account's state is behind a `std::sync::Mutex`, held for
/// microseconds and never across an await (there is none here). Methods without an account's name
/// are about [`Config::account_id`].
#[derive(Debug)]
pub struct Emulator {
    config: Config,
    catalogue: Catalogue,
    identities: RwLock<Identities>,
    accounts: Mutex<BTreeMap<String, Arc<Account>>>,
    home: Arc<Account>,
    seq: AtomicU64,
    /// Counts accounts made by the control API.
    made: AtomicU64,
    dials: RwLock<Dials>,
    pub(crate) listeners: Listeners,
    endpoints: Endpoints,
    /// Milliseconds since the Unix epoch; 0: not known yet.
    started: AtomicI64,
}

/// The settings that can change while the emulator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dials {
    /// See [`Config::seed`].
    pub seed: u64,
    /// See [`Config::today`].
    pub today: Option<Date>,
    /// See [`Config::latency`].
    pub latency: Latency,
}

impl Dials {
    fn of(config: &Config) -> Self {
        Self {
            seed: config.seed,
            today: config.today,
            latency: config.latency,
        }
    }
}

impl Emulator {
    /// An emulator with the built-in catalogue.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Self::with_catalogue(config, Catalogue::built_in()?)
    }

    /// An emulator with another catalogue.
    pub fn with_catalogue(config: Config, catalogue: Catalogue) -> Result<Self, ConfigError> {
        let policies = Policies::parse(&config.policies)?;
        for (account, _) in &config.service_control_policies {
            service_control(&config, account)?;
        }
        let control = service_control(&config, &config.account_id)?;
        let home = Arc::new(Account::new(&config.account_id, &config, policies, control));
        let accounts = BTreeMap::from([(config.account_id.clone(), Arc::clone(&home))]);
        Ok(Self {
            identities: RwLock::new(Identities::new(&config)?),
            accounts: Mutex::new(accounts),
            home,
            seq: AtomicU64::new(0),
            made: AtomicU64::new(0),
            dials: RwLock::new(Dials::of(&config)),
            listeners: Listeners::default(),
            endpoints: Endpoints::default(),
            started: AtomicI64::new(0),
            config,
            catalogue,
        })
    }

    /// Answers one request that arrived at `now`.
    pub fn handle(&self, request: &Request, now: OffsetDateTime) -> Reply {
        self.answer(Arc::new(request.clone()), now)
    }

    /// The same without a copy of the request.
    pub fn answer(&self, request: Arc<Request>, now: OffsetDateTime) -> Reply {
        Pipeline::new(self, request, now).run()
    }

    /// Refuses a request whose body was too long to be read; `request` comes without it.
    pub fn refuse_too_large(
        &self,
        request: Arc<Request>,
        limit: usize,
        now: OffsetDateTime,
    ) -> Reply {
        Pipeline::new(self, request, now).refuse_too_large(limit)
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The settings that can change, as they are now.
    pub fn dials(&self) -> Dials {
        *self.dials.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them, for requests from now on.
    pub fn turn(&self, dials: Dials) {
        *self.dials.write().unwrap_or_else(PoisonError::into_inner) = dials;
    }

    pub(crate) fn configured_dials(&self) -> Dials {
        Dials::of(&self.config)
    }

    /// Tells when it was started, which it cannot know by itself. Without this its first request is
    /// the start.
    pub fn started(&self, now: OffsetDateTime) {
        let ms = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let _ = self
            .started
            .compare_exchange(0, ms, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How long it has been running.
    pub(crate) fn uptime(&self, now: OffsetDateTime) -> time::Duration {
        self.started(now);
        let started = time::Duration::milliseconds(self.started.load(Ordering::Relaxed));
        now - (OffsetDateTime::UNIX_EPOCH + started)
    }

    /// Its catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Appends steps to the script.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.rules(steps.into_iter().map(Rule::from));
    }

    /// Appends rules to the script.
    pub fn rules(&self, rules: impl IntoIterator<Item = Rule>) {
        self.home.state().script.extend(rules, None);
    }

    /// Adds what a script file says: its replies and fault rules.
    pub fn load(&self, document: Document) {
        self.load_into(&Arc::clone(&self.home), document, None);
    }

    /// Appends fault rules.
    pub fn faults(&self, rules: impl IntoIterator<Item = FaultRule>) {
        self.home.faults.extend(rules, None);
    }

    /// The same for one account. Rules that name accounts go there instead. Times count from `since`.
    pub(crate) fn load_into(
        &self,
        account: &Arc<Account>,
        document: Document,
        since: Option<OffsetDateTime>,
    ) {
        let whose = |ids: &[String]| match ids {
            [] => vec![Arc::clone(account)],
            ids => ids.iter().map(|id| self.account(id)).collect(),
        };
        if let Some(strict) = document.strict {
            account.state().script.strict = strict;
        }
        for rule in document.replies {
            for account in whose(rule.accounts()) {
                account.state().script.extend([rule.clone()], since);
            }
        }
        for rule in document.faults {
            for account in whose(rule.accounts()) {
                account.faults.extend([rule.clone()], since);
            }
        }
    }

    /// How many scripted steps are still unused.
    pub fn script_left(&self) -> usize {
        self.home.state().script.left()
    }

    /// A copy of the journal, oldest first.
    pub fn journal(&self) -> Vec<Entry> {
        let records = self.home.state().journal.records();
        let entries = records.iter().map(|r| r.entry(&self.catalogue));
        entries.collect()
    }

    /// The journal's entry of that number, if it is still held.
    pub fn entry(&self, seq: u64) -> Option<Entry> {
        Some(self.record(seq)?.entry(&self.catalogue))
    }

    /// The request of that number as something to run again, if it is still held.
    pub fn again(&self, seq: u64) -> Option<Again> {
        Some(self.record(seq)?.again())
    }

    /// What all accounts have spent, by account, region, model and day.
    pub fn costs(&self) -> Vec<Cost> {
        let mut costs = Vec::new();
        for account in self.accounts() {
            let state = account.state();
            costs.extend(state.meters.spent().map(|(door, day, spent)| Cost {
                account: account.id.to_string(),
                region: door.region().to_owned(),
                model_id: door.id.clone(),
                model: door.model.clone(),
                day: day.to_string(),
                spent: *spent,
            }));
        }
        costs
    }

    /// Handles a request of the journal once more, as its caller.
    pub(crate) fn repeat(&self, record: &Record, now: OffsetDateTime) -> Reply {
        let request = Arc::clone(&record.request);
        Pipeline::new(self, request, now).repeats(record).run()
    }

    /// The journal's record of that number, in whichever account it is.
    pub(crate) fn record(&self, seq: u64) -> Option<Arc<Record>> {
        let accounts = self.accounts();
        let mut found = accounts
            .iter()
            .filter_map(|account| account.state().journal.find(seq));
        found.next()
    }

    /// Every account that was configured, created or called from.
    pub(crate) fn accounts(&self) -> Vec<Arc<Account>> {
        self.lock_accounts().values().cloned().collect()
    }

    /// Entries after that number, in the order of their numbers, of one account or all.
    pub fn entries_after(&self, seq: u64, account: Option<&str>) -> Vec<Entry> {
        let accounts = self.accounts().into_iter();
        let mut records: Vec<_> = accounts
            .filter(|held| account.is_none_or(|id| *held.id == *id))
            .flat_map(|held| held.state().journal.records())
            .filter(|record| record.seq > seq)
            .collect();
        records.sort_by_key(|record| record.seq);
        let entries = records.iter().map(|r| r.entry(&self.catalogue));
        entries.collect()
    }

    /// The entry of the request that got this reply, if it is still held.
    pub fn entry_of(&self, reply: &Reply) -> Option<Entry> {
        let account = self.lock_accounts().get(&*reply.account).cloned()?;
        let record = account.state().journal.find(reply.seq)?;
        Some(record.entry(&self.catalogue))
    }

    /// The invocation log records, oldest first; as many as the journal may hold.
    pub fn logs(&self) -> Vec<LogRecord> {
        let records = self.home.state().logs.records();
        records.iter().filter_map(|r| log_record(r)).collect()
    }

    /// Puts lines into a stream of CloudWatch Logs, as a service that writes its customers' logs does:
    /// group and stream are made when they are missing. `events` are milliseconds since the Unix epoch
    /// and texts. A line in the embedded metric format becomes metrics, as with `PutLogEvents`.
    pub fn put_log_events(
        &self,
        account: &str,
        region: &str,
        group: &str,
        stream: &str,
        events: impl IntoIterator<Item = (i64, String)>,
        now: OffsetDateTime,
    ) {
        let now = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let stream = logs::Stream {
            region,
            group,
            name: stream,
        };
        let events = events.into_iter().collect();
        logs::put_always(&self.account(account), stream, events, now);
    }

    /// Counts values of a service's own metric in CloudWatch, as AWS's services do for their customers.
    /// What there is no room for is left out.
    pub fn put_service_metrics(
        &self,
        account: &str,
        metrics: impl IntoIterator<Item = ServiceMetric>,
        at: OffsetDateTime,
    ) {
        let account = self.account(account);
        let mut state = account.state();
        for metric in metrics {
            state.meters.count(metric, at);
        }
    }

    /// Lets the services beside Bedrock tell what they have counted, for somebody who looks at the
    /// account's metrics.
    pub(crate) fn gather_metrics(&self, account: &Account) {
        for neighbour in &self.config.neighbours {
            // Told first, then kept: a service's lock and an account's are never held together.
            let told = neighbour.metrics(&account.id);
            if !told.is_empty() {
                let mut state = account.state();
                for (metric, at) in told {
                    state.meters.count(metric, at);
                }
            }
        }
    }

    /// The files of invocation log records that are due in a bucket since the last time, in S3's
    /// layout. Records that nobody asks for are lost beyond a thousand.
    pub fn log_files(&self) -> Vec<LogFile> {
        let mut files = Vec::new();
        for account in self.accounts() {
            let mut state = account.state();
            let deliveries = std::mem::take(&mut state.deliveries);
            for delivery in &deliveries {
                state.delivered(&delivery.record, "ModelInvocationLogsS3DeliverySuccess");
            }
            drop(state);
            files.extend(log_files(&deliveries));
        }
        files
    }

    /// One metric of `AWS/Bedrock`, minute by minute from `since` on (minutes since the Unix epoch), all
    /// models together.
    pub fn minutes(&self, metric: &str, since: i64) -> Vec<Minute> {
        self.home.state().meters.minutes(metric, since)
    }

    /// Every metric of every model since the start, as `(ModelId, metric, figures)`.
    pub fn figures(&self) -> Vec<(String, &'static str, Figures)> {
        self.home.state().meters.by_model()
    }

    /// The metrics so far.
    pub fn metrics(&self) -> Metrics {
        self.home.state().meters.totals()
    }

    /// Replaces the caller's IAM policies; an empty list allows everything. A document that cannot
    /// be understood changes nothing.
    pub fn set_policies(&self, policies: &[Value]) -> Result<(), PolicyError> {
        let policies = Policies::parse(policies)?;
        self.home.state().policies = policies;
        Ok(())
    }

    /// What the caller's policies say about one IAM action (`bedrock:InvokeModel`) on one resource
    /// ARN, as `aws iam simulate-principal-policy` would.
    pub fn decide(&self, action: &str, resource: &str) -> Decision {
        let region = resource.split(':').nth(3).filter(|r| !r.is_empty());
        let region = region.unwrap_or(&self.config.region);
        let context = Context {
            region,
            resource,
            ..Context::default()
        };
        let state = self.home.state();
        state.policies.decide(action, resource, &context)
    }

    /// Switches model invocation logging.
    pub fn set_invocation_logging(&self, on: bool) {
        let (id, bucket) = (&self.home.id, self.config.log_bucket.as_deref());
        self.home.state().logging = Logging::switched(on, id, bucket);
    }

    /// Lets a key pair sign from now on, of any account. An account that did not exist begins empty
    /// and allows everything.
    pub fn add_credential(&self, credential: Credential) {
        self.identities_mut().add(credential);
    }

    /// Accepts a long-term API key from now on.
    pub fn add_api_key(&self, key: ApiKey) {
        self.identities_mut().add_api_key(key);
    }

    /// Gives a user or role its policies, and a role its trust policy. A document that cannot be
    /// understood changes nothing.
    pub fn set_identity(&self, identity: &Identity) -> Result<(), PolicyError> {
        self.identities_mut().keep(identity)
    }

    /// Gives a VPC endpoint (`vpce-1a2b3c4d`) its policy: who may do what through it. A request comes
    /// through an endpoint if it is sent to the endpoint's own host name, and has `aws:SourceVpce`
    /// then. Without a policy everything passes, as on AWS.
    pub fn set_vpc_endpoint_policy(&self, id: &str, document: &Value) -> Result<(), PolicyError> {
        self.endpoints.set(id, document)
    }

    /// What the VPC endpoint that a request came through lets pass.
    pub(crate) fn endpoint_policies(&self, request: &Request) -> Policies {
        self.endpoints.policies(request)
    }

    /// The number of the next request.
    pub(crate) fn next_seq(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the next account that the control API makes.
    pub(crate) fn next_account(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Drops an account and everybody in it; `false` for the configured one, which stays.
    pub(crate) fn drop_account(&self, id: &str) -> bool {
        if id == &*self.home.id {
            return false;
        }
        self.identities_mut().forget_account(id);
        self.forget(id);
        self.lock_accounts().remove(id).is_some()
    }

    /// Lets the services beside Bedrock forget what they hold of an account.
    pub(crate) fn forget(&self, account: &str) {
        for neighbour in &self.config.neighbours {
            neighbour.forget(account);
        }
    }

    /// Who exists.
    pub(crate) fn identities(&self) -> RwLockReadGuard<'_, Identities> {
        self.identities
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Who exists, to change it.
    pub(crate) fn identities_mut(&self) -> RwLockWriteGuard<'_, Identities> {
        self.identities
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The account that requests belong to until their caller is known.
    pub(crate) fn home(&self) -> &Arc<Account> {
        &self.home
    }

    /// The account with this id; a new one is empty and allows everything.
    pub(crate) fn account(&self, id: &str) -> Arc<Account> {
        if id == &*self.home.id {
            return Arc::clone(&self.home);
        }
        let mut accounts = self.lock_accounts();
        if let Some(account) = accounts.get(id) {
            return Arc::clone(account);
        }
        let account = Arc::new(Account::new(
            id,
            &self.config,
            Policies::default(),
            // Checked when the emulator was made.
            service_control(&self.config, id).unwrap_or_default(),
        ));
        accounts.insert(id.to_owned(), Arc::clone(&account));
        account
    }

    fn lock_accounts(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service control policies of an account; none: everything is allowed.
fn service_control(config: &Config, account: &str) -> Result<Policies, PolicyError> {
    let all = config.service_control_policies.iter();
    let policies: Vec<NamedPolicy> = all
        .filter(|(id, _)| id == account)
        .map(|(_, policy)| policy.clone())
        .collect();
    if policies.is_empty() {
        return Ok(Policies::default());
    }
    Policies::named(&policies)
}
