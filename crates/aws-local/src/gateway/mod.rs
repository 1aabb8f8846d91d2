//! Amazon API Gateway's front: an OpenAPI document becomes an HTTP API in front of Lambda functions.
//!
//! An [`Api`] is read from a document with API Gateway's extensions and from [`Settings`] for what a
//! document does not hold: the stage, API keys, usage plans. [`Gateway::deploy`] puts it on the
//! emulator's port:
//!
//! - below `/_aws/execute-api/{api}/{stage}/…`, or
//! - by host name, `{api}.execute-api.{region}.…`, with `/{stage}/…` below it. A path that is an
//!   operation of Bedrock stays Bedrock's, so prefer the first.
//!
//! REST APIs get events in format 1.0 and have keys, plans, validation and a cache. HTTP APIs get 1.0
//! or 2.0 and have none of these. Whatever a document says and is not emulated is a [`Diagnostic`]:
//! authorizers, mapping templates, mock and HTTP integrations, gateway responses, resource policies,
//! CORS of HTTP APIs. Nobody signs, except for methods with `AWS_IAM`.
//!
//! The account-wide limit of 10,000 requests a second is not emulated.
//!
//! Read in this order: `settings`, `openapi` with `operation` and `schema` (reading), [`Api`] (what
//! comes of it), `route`, `gate` (the order of things), `limits`, `cache`, `event` and `response` (the
//! proxy integration), `refusal` (AWS's own answers), `access_log`, `seen` and `cloudwatch` (what remains of a request).

mod access_log;
mod api;
mod cache;
mod cloudwatch;
mod diagnostic;
mod event;
mod exchange;
mod function;
mod gate;
mod limits;
mod openapi;
mod operation;
mod refusal;
mod response;
mod route;
mod schema;
mod seen;
mod settings;
mod stage;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bedrock_emulator::{
    Emulator, Request,
    error::ApiError,
    neighbour::{About, Neighbour, Outcome, OwnCode, Protocol, Visit},
};

pub use self::{
    api::{Api, Target},
    diagnostic::{Diagnostic, Diagnostics},
    function::{Functions, Invoking, NotInvoked, Returned},
    seen::{Seen, Watcher},
    settings::{
        AccessLogSettings, ApiKey, MethodSetting, Period, ProtocolType, Quota, Settings, Stage,
        Throttle, Unauthorized, UsagePlan,
    },
};
use self::{
    exchange::Exchange,
    refusal::{Kind, Refusal},
    route::{Address, address},
};
use crate::Clock;

/// The one thing that is done to an API: `execute-api:Invoke`.
const INVOKE: &str = "Invoke";

static OPEN: About = About {
    name: "API Gateway",
    signing_name: None,
    protocol: Protocol::RestJson,
    node: Some("APIGW"),
    from_client: Some("CLIENT-APIGW"),
};

static SIGNED: About = About {
    signing_name: Some("execute-api"),
    ..OPEN
};

/// 404: AWS has no host of that name; these words are ours.
static NO_API: OwnCode = OwnCode::new("NotFoundException", 404);

/// The APIs that are deployed. Clones share them.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    watchers: RwLock<Vec<Watcher>>,
    deployments: AtomicU64,
    /// By API and stage.
    stages: RwLock<BTreeMap<(String, String), Arc<stage::Stage>>>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages = self.shared.stages.read();
        let stages = stages.unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Gateway")
            .field("stages", &stages.keys())
            .finish()
    }
}

impl Gateway {
    /// A gateway without APIs, with the time that this clock tells.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                watchers: RwLock::default(),
                deployments: AtomicU64::new(0),
                stages: RwLock::default(),
            }),
        }
    }

    /// Tells this watcher, too, how each request to an API that is deployed from now on ended.
    pub fn watch(&self, watcher: Watcher) {
        let watchers = self.shared.watchers.write();
        let mut watchers = watchers.unwrap_or_else(PoisonError::into_inner);
        watchers.push(watcher);
    }

    /// Tells which emulator keeps the access logs and the metrics of the APIs that are deployed from now
    /// on.
    pub fn connect(&self, emulator: &Arc<Emulator>) {
        self.watch(cloudwatch::watcher(Arc::downgrade(emulator)));
    }

    /// Puts an API on the port, in the place of an earlier one with the same id and stage: with full
    /// buckets and an empty cache. Returns the path below which it answers.
    pub fn deploy(&self, api: Api, functions: Arc<dyn Functions>) -> String {
        let key = (api.id().to_owned(), api.stage().to_owned());
        let path = match api.stage() {
            "$default" => format!("{}{}", route::PREFIX, api.id()),
            stage => format!("{}{}/{stage}", route::PREFIX, api.id()),
        };
        let shared = &self.shared;
        let number = shared.deployments.fetch_add(1, Ordering::Relaxed) + 1;
        let watchers = shared.watchers.read();
        let watchers = watchers.unwrap_or_else(PoisonError::into_inner).clone();
        let clock = Arc::clone(&shared.clock);
        let stage = stage::Stage::new(api, number, functions, clock, watchers);
        let mut stages = shared
            .stages
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        stages.insert(key, Arc::new(stage));
        path
    }

    /// Takes a stage off the port; `false`: there was none.
    pub fn remove(&self, api: &str, stage: &str) -> bool {
        let mut stages = self
            .shared
            .stages
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        stages.remove(&(api.to_owned(), stage.to_owned())).is_some()
    }

    /// `FlushStageCache`: nothing is kept any more; `false`: there is no such stage.
    pub fn flush_cache(&self, api: &str, stage: &str) -> bool {
        let found = self.stage(api, stage);
        if let Some(stage) = &found {
            stage.state().cache = cache::Cache::default();
        }
        found.is_some()
    }

    /// What goes into [`bedrock_emulator::Config::neighbours`]: methods that anybody may call, and
    /// those that ask for a signature.
    pub fn neighbours(&self) -> Vec<Arc<dyn Neighbour>> {
        let door = |signed| Door {
            gateway: self.clone(),
            signed,
        };
        vec![Arc::new(door(false)), Arc::new(door(true))]
    }

    fn stage(&self, api: &str, stage: &str) -> Option<Arc<stage::Stage>> {
        let stages = self
            .shared
            .stages
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        stages
            .get(&(api.to_owned(), stage.to_owned()))
            .map(Arc::clone)
    }

    /// The stage that an address means, and the path below it.
    fn find<'a>(&self, address: &Address<'a>) -> Option<(Arc<stage::Stage>, &'a str)> {
        let (name, below) = route::stage(address.below);
        let named = self.stage(address.api, name).map(|stage| (stage, below));
        named.or_else(|| Some((self.stage(address.api, "$default")?, address.below)))
    }

    /// Whether the method that a request means asks for a signature.
    fn asks_for_signature(&self, address: &Address<'_>, http_method: &str) -> bool {
        self.find(address).is_some_and(|(stage, path)| {
            let found = route::find(&stage.api, http_method, path);
            found.is_some_and(|found| stage.api.methods[found.method].signed)
        })
    }

    /// There is no such stage: in AWS's words if the API exists, in ours if not.
    fn nothing_there(&self, address: &Address<'_>) -> ApiError {
        let stages = self
            .shared
            .stages
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let api = stages.iter().find(|((api, _), _)| api == address.api);
        if let Some((_, stage)) = api {
            let names = stages.keys().filter(|(api, _)| api == address.api);
            let names: Vec<&str> = names.map(|(_, stage)| stage.as_str()).collect();
            let why = format!("the API has the stages {}", names.join(", "));
            let refusal = Refusal::because(Kind::AccessDenied, why);
            return refusal.error(stage.api.is_rest(), Vec::new(), Vec::new());
        }
        let mut names: Vec<&str> = stages.keys().map(|(api, _)| api.as_str()).collect();
        names.dedup();
        NO_API.error(format!(
            "Bedrock Workshop: no API '{}' is deployed; there are: {}",
            address.api,
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        ))
    }
}

/// A gateway as the emulator sees it.
#[derive(Debug)]
struct Door {
    gateway: Gateway,
    /// For the methods that ask for a signature.
    signed: bool,
}

impl Neighbour for Door {
    fn about(&self) -> &'static About {
        if self.signed { &SIGNED } else { &OPEN }
    }

    fn operation(&self, request: &Request) -> Option<Result<&'static str, ApiError>> {
        let address = address(request)?;
        // Who has not signed at all is refused by the open door, in API Gateway's words.
        let has_signed =
            request.header("authorization").is_some() || address.query.contains("X-Amz-Signature=");
        let signed = has_signed && self.gateway.asks_for_signature(&address, &request.method);
        (signed == self.signed).then_some(Ok(INVOKE))
    }

    fn permissions(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        if !self.signed {
            return Vec::new();
        }
        let address = address(&visit.request);
        let found = address.and_then(|address| self.gateway.find(&address));
        let Some((stage, path)) = found else {
            return vec![("execute-api:Invoke", "*".to_owned())];
        };
        let settings = &stage.api.settings;
        let (region, account, api) = (&settings.region, &settings.account_id, stage.api.id());
        let (name, method) = (stage.api.stage(), &visit.request.method);
        let arn = format!("arn:aws:execute-api:{region}:{account}:{api}/{name}/{method}{path}");
        let mut asked = vec![("execute-api:Invoke", arn.clone())];
        let method = route::find(&stage.api, method, path).map(|found| found.method);
        let caching = method.and_then(|method| stage.api.methods[method].caching);
        let fails = caching.is_some_and(|c| c.bypass == Some(Unauthorized::FailWith403));
        if fails && gate::wants_bypass(&visit.request) {
            asked.push(("execute-api:InvalidateCache", arn));
        }
        asked
    }

    fn answer(&self, mut visit: Visit) -> Outcome {
        let request = Arc::clone(&visit.request);
        let Some(address) = address(&request) else {
            return Outcome::Now(Err(NO_API.error("the request names no API")));
        };
        let Some((stage, path)) = self.gateway.find(&address) else {
            return Outcome::Now(Err(self.gateway.nothing_there(&address)));
        };
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        let mut exchange = Exchange::new(stage, &mut visit, path, address.query.to_owned());
        exchange.caller = self.signed.then_some(visit.caller);
        gate::pass(exchange)
    }

    fn forget(&self, account: &str) {
        let stages = self.gateway.shared.stages.read();
        let stages = stages.unwrap_or_else(PoisonError::into_inner);
        let own = stages
            .values()
            .filter(|s| s.api.settings.account_id == account);
        own.for_each(|stage| stage.forget());
    }
}
