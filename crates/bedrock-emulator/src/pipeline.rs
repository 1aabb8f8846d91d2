//! One request from arrival to reply: route, authenticate, authorize, then either answer from what
//! the account holds, or read, find the model, validate, throttle, let the model speak, record.
//!
//! In the order of a request's way: `replay` (a recording answers), `access` (who calls, may they),
//! `invoke` and `words` (a model invocation and what is said), `question` (another model says it),
//! `visit` (a service beside Bedrock answers), `on_behalf` (and asks others by itself), `reply` (what goes on the wire), `leave` (what stays behind). On the whole way: `faults` and
//! `evidence` (light on the diagram).
//!
//! The account's lock is taken for one step at a time; nothing is composed while it is held.

mod access;
mod evidence;
mod faults;
mod invoke;
mod leave;
pub(crate) mod on_behalf;
pub(crate) mod question;
mod replay;
mod reply;
pub(crate) mod visit;
mod words;

use std::{borrow::Cow, sync::Arc};

use time::{Date, OffsetDateTime};

use self::{invoke::Answered, replay::Played, visit::Later};
use crate::{
    account::Account,
    auth,
    catalogue::Resolved,
    emulator::{Config, Dials, Emulator},
    error::{ApiError, Code},
    fault::Blow,
    guardrail::Guarding,
    identity::Principal,
    journal::Record,
    neighbour,
    ops::{Operation, Took},
    policy::Rules,
    quota::Reservation,
    rng::Rng,
    route::{self, Route, route},
    script::{Fault, Raw},
    service::{Call, Plain, Protocol, Service, Told},
    trace::{Note, TraceStatus, Tracer},
    wire::{Due, Reply, Request},
    workshop::guard,
};

/// A request on its way.
pub(crate) struct Pipeline<'a> {
    emulator: &'a Emulator,
    request: Arc<Request>,
    now: OffsetDateTime,
    rng: Rng,
    region: String,
    account: Arc<Account>,
    record: Record,
    tracer: Tracer,
    /// The model invocation that this is, once its model is found.
    asked: Option<(Operation, Resolved<'a>)>,
    /// The caller of the request that this one repeats.
    known: Option<Arc<Principal>>,
    /// Tokens that it holds of its quota.
    reservation: Option<Reservation>,
    /// Whether model invocation logging writes it down.
    logged: bool,
    protocol: Protocol,
    /// What fault rules do to this request.
    blow: Option<Blow>,
    /// Whether another model may be asked for the words.
    asks: bool,
    /// Whether the answer may take its time.
    waits: bool,
    /// What it is asked, once it is known.
    question: Option<Box<question::LetIn>>,
    /// How long the answer took, if that was measured.
    took: Option<Took>,
    /// What the script waits for before the failure that is the whole answer.
    held: Option<Due>,
    /// The guardrail around the invocation, if it names one.
    guard: Option<Guarding>,
    dials: Dials,
}

/// How a request ends without an answer of its operation.
enum Stop {
    Error(ApiError),
    /// No answer at all.
    Silence(Fault),
    /// Somebody else's answer.
    Raw(Raw),
    /// No answer yet: another model is asked.
    Ask,
    /// No answer yet: a service beside Bedrock takes its time.
    Wait(Later),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

/// An answer, ready for the wire.
enum Ready {
    /// A model's.
    Model(Box<Answered>),
    /// A [`Plain`] operation's.
    Plain(Told),
    /// A recording's.
    Recorded(Played),
    /// A service's beside Bedrock.
    Visit(neighbour::Answer),
}

impl<'a> Pipeline<'a> {
    pub(crate) fn new(emulator: &'a Emulator, request: Arc<Request>, now: OffsetDateTime) -> Self {
        // Who looks at the emulator must not change what it answers to others.
        let seq = if request.target.starts_with(guard::PREFIX) {
            0
        } else {
            emulator.next_seq()
        };
        let config = emulator.config();
        let dials = emulator.dials();
        let mut rng = Rng::new(dials.seed, &[seq]);
        let request_id = rng.uuid();
        let region = auth::region(&request);
        let region = region.map_or_else(|| config.region.clone(), Cow::into_owned);
        let account = Arc::clone(emulator.home());
        let id = Arc::clone(&account.id);
        let record = Record::arrived(seq, Arc::clone(&request), request_id, id, now);
        let protocol = route::protocol(&request);
        Self {
            emulator,
            request,
            now,
            rng,
            region,
            account,
            record,
            tracer: Tracer::new(),
            asked: None,
            known: None,
            reservation: None,
            logged: false,
            protocol,
            blow: None,
            asks: false,
            waits: false,
            question: None,
            took: None,
            held: None,
            guard: None,
            dials,
        }
    }

    /// The same request as that record's, from the same caller, whose signature has aged.
    pub(crate) fn repeats(mut self, record: &Record) -> Self {
        self.record.replay_of = Some(record.seq);
        self.known.clone_from(&record.principal);
        self
    }

    pub(crate) fn run(mut self) -> Reply {
        let result = self.answer();
        let reply = self.end(result);
        self.leave(reply)
    }

    pub(crate) fn refuse_too_large(mut self, limit: usize) -> Reply {
        if let Ok(Route::Model { operation, model }) = route(&self.request) {
            self.record.operation = Some(operation.name());
            self.record.model = Some(model);
        }
        let message = format!("the request body is larger than {limit} bytes");
        let error = ApiError::bedrock(Code::RequestEntityTooLarge, message);
        self.refused(&error);
        let reply = self.refuse(&error);
        self.leave(reply)
    }

    fn answer(&mut self) -> Result<Ready, Stop> {
        if let Some(tape) = &self.config().tape
            && let Some(recorded) = self.replay(tape)?
        {
            return Ok(recorded);
        }
        let route = match route(&self.request) {
            Ok(route) => route,
            Err(unknown) => return self.visit(unknown),
        };
        match route {
            Route::Model { operation, model } => {
                let answered = self.ask(operation, &model)?;
                Ok(Ready::Model(Box::new(answered)))
            }
            Route::Plain {
                service,
                operation,
                labels,
            } => Ok(Ready::Plain(self.plain(service, operation, labels)?)),
        }
    }

    /// An operation that asks no model.
    fn plain(
        &mut self,
        service: Service,
        operation: &'static Plain,
        labels: Vec<String>,
    ) -> Result<Told, Stop> {
        self.protocol = service.protocol(self.protocol);
        self.record.service = Some(service);
        self.record.operation = Some(operation.name);
        if service == Service::Workshop {
            guard::admit(&self.request)?;
        }
        let principal = self.authenticate(service)?;
        let (account, request) = (Arc::clone(&self.account), Arc::clone(&self.request));
        let region = self.region.clone();
        let mut call = Call {
            emulator: self.emulator,
            account: &account,
            principal: &principal,
            caller: Arc::clone(&principal),
            inquiry: None,
            looked: None,
            region: &region,
            request: &request,
            request_id: self.record.request_id.clone(),
            labels,
            now: self.now,
            today: self.today(),
            rng: self.rng.clone(),
        };
        if let Some(permission) = &operation.permission {
            let resource = (permission.resource)(&call);
            let rules = self.rules(&principal);
            let asked = vec![(permission.action, resource)];
            self.permit(&principal, rules, asked, None, Vec::new())?;
            self.strike_early(None)?;
            self.reached_bedrock(TraceStatus::Ok, Note::Words(operation.name));
        }
        if service == Service::Monitoring {
            self.emulator.gather_metrics(&account);
        }
        let told = (operation.answer)(&mut call);
        if let Some(inquiry) = call.inquiry.take() {
            self.record.inquiry = Some(inquiry);
        }
        self.guarded(call.looked.take());
        match service {
            Service::Sts => self.told_by_sts(told),
            _ => Ok(told?),
        }
    }

    /// The policies that decide about this caller on this way.
    fn rules(&self, principal: &Principal) -> Rules {
        let mut rules = self.account.rules(principal);
        rules.endpoint = self.emulator.endpoint_policies(&self.request);
        rules
    }

    fn config(&self) -> &'a Config {
        self.emulator.config()
    }

    fn today(&self) -> Date {
        self.dials.today.unwrap_or_else(|| self.now.date())
    }
}
