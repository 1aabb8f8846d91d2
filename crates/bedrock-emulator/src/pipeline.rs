//! One request from arrival to reply: route, authenticate, authorize, then either answer from what
//! the account holds, or read, find the model, validate, throttle, let the model speak, record.
//!
//! The account's lock is taken for one step at a time; nothing is composed while it is held.

mod access;
pub(crate) mod question;
mod replay;

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use time::{Date, OffsetDateTime};

use crate::{
    account::Account,
    answer_plan::{Answer, Ending},
    auth,
    cache::Prefixes,
    catalogue::{Family, LifecycleState, Resolved},
    conversation::Conversation,
    emulator::{Config, Dials, Emulator},
    error::{ApiError, Code},
    fault::{Blow, Stage},
    guardrail::{self, Guarding},
    identity::Principal,
    invoke_request::check_headers,
    journal::{self, Measured, Record},
    mantle,
    observe::Sample,
    ops::{self, Encoded, Exchange, Input, Operation, Took},
    quota::{self, Exceeded, Limits, Reservation},
    rng::Rng,
    route::{self, Route, route},
    script::{Asked, Fault, Raw, Step},
    service::{Call, Plain, Protocol, Service, Told},
    signature::Signer,
    speak::Voice,
    trace::{Note, TraceStatus, Tracer, edges},
    wire::{Body, Due, End, Reply, Request},
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
    /// What it is asked, once it is known.
    question: Option<Box<question::LetIn>>,
    /// How long the answer took, if that was measured.
    took: Option<Took>,
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
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

/// Why the model has not spoken.
enum Spoken {
    /// It will not.
    Not(Stop),
    /// Another one will; so much is used up already.
    Later(journal::Usage),
}

impl From<ApiError> for Spoken {
    fn from(error: ApiError) -> Self {
        Self::Not(error.into())
    }
}

impl From<Stop> for Spoken {
    fn from(stop: Stop) -> Self {
        Self::Not(stop)
    }
}

/// An answer, ready for the wire.
enum Ready {
    /// A model's.
    Model(Box<Answered>),
    /// A [`Plain`] operation's.
    Plain(Told),
    /// A recording's.
    Recorded(replay::Played),
}

struct Answered {
    encoded: Encoded,
    usage: journal::Usage,
    stop: String,
}

/// A model invocation that was let in.
struct Invocation<'i> {
    operation: Operation,
    input: &'i Input,
    resolved: &'i Resolved<'i>,
    conversation: &'i Conversation,
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
            question: None,
            took: None,
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

    fn end(&mut self, result: Result<Ready, Stop>) -> Reply {
        match result {
            Ok(Ready::Model(answered)) => self.reply(*answered),
            Ok(Ready::Plain(told)) => self.tell(told),
            Ok(Ready::Recorded(played)) => self.send_recorded(played),
            Err(Stop::Error(error)) => self.refuse(&error),
            Err(Stop::Silence(fault)) => self.stay_silent(&fault),
            Err(Stop::Raw(raw)) => self.pass_on(raw),
            Err(Stop::Ask) => unreachable!("whoever sets `asks` sees to it"),
        }
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

    /// What a request leaves behind, under one lock: metrics, the journal's record, a log record.
    fn leave(mut self, reply: Reply) -> Reply {
        let asked = self.asked.take();
        let asked = asked.filter(|(operation, _)| operation.invokes());
        let asked = asked.map(|(operation, resolved)| {
            let sample = self.sample(operation, &resolved);
            (resolved, sample)
        });
        let mut record = self.record;
        record.answered(&reply);
        record.region = self.region;
        record.account = Arc::clone(&self.account.id);
        record.trace = self.tracer.finish();
        let catalogue = self.emulator.catalogue();
        let mut state = self.account.state();
        if let Some(reservation) = self.reservation.take() {
            let used = asked.as_ref().map_or(0, |(_, sample)| sample.quota_tokens);
            let latency = record.measured.map_or(0, |measured| measured.latency_ms);
            let end = self.now + Duration::from_millis(latency);
            state.buckets.settle(&reservation, used, end);
        }
        if let Some((resolved, sample)) = asked {
            let (region, account) = (&record.region, &self.account.id);
            let door = state
                .meters
                .put(&resolved, catalogue, region, account, &sample);
            record.door = Some(door);
        }
        // Asking the control API is not an event of the account.
        if record.service != Some(Service::Workshop) {
            let logged = self.logged;
            state.keep(Arc::new(record), logged);
        }
        drop(state);
        reply
    }

    fn sample(&self, operation: Operation, resolved: &Resolved<'_>) -> Sample {
        let measured = self.record.measured;
        let usage = measured.map(|measured| measured.usage).unwrap_or_default();
        let state = self
            .emulator
            .catalogue()
            .state(resolved.model, self.today());
        Sample {
            minute: self.now.unix_timestamp().div_euclid(60),
            day: self.now.date(),
            streams: operation.streams(),
            legacy: state == LifecycleState::Legacy,
            measured,
            quota_tokens: quota::tokens(usage, resolved.model.quotas.output_burndown),
            micro_usd: resolved.cost_micro_usd(usage),
            error: self.record.error,
        }
    }

    fn answer(&mut self) -> Result<Ready, Stop> {
        if let Some(tape) = &self.config().tape
            && let Some(recorded) = self.replay(tape)?
        {
            return Ok(recorded);
        }
        match route(&self.request)? {
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
            let rules = account.rules(&principal);
            let asked = vec![(permission.action, resource)];
            self.permit(&principal, rules, asked, None, Vec::new())?;
            self.strike_early(None)?;
            self.reached_bedrock(TraceStatus::Ok, Note::Words(operation.name));
        }
        let told = (operation.answer)(&mut call);
        if let Some(inquiry) = call.inquiry.take() {
            self.record.inquiry = Some(inquiry);
        }
        Ok(told?)
    }

    /// An operation on a model.
    fn ask(&mut self, operation: Operation, model: &str) -> Result<Answered, Stop> {
        let service = operation.service();
        self.record.service = Some(service);
        self.record.operation = Some(operation.name());
        self.record.model = Some(model.to_owned());
        let principal = self.authenticate(service)?;
        self.authorize(&principal, operation, model)?;
        let found = self.understand(operation, model);
        let (input, resolved, conversation) = found.inspect_err(|error| self.refused(error))?;
        let invocation = Invocation {
            operation,
            input: &input,
            resolved: &resolved,
            conversation: &conversation,
        };
        if !operation.invokes() {
            self.strike_early(Some(&resolved))?;
            self.reached_bedrock(TraceStatus::Ok, Note::Words(operation.name()));
            return Ok(self.count(&invocation));
        }
        self.guard = self.guarding(&input)?;
        let usage = match self.invoke(&invocation) {
            Ok(answered) => return Ok(answered),
            Err(Spoken::Not(stop)) => return Err(stop),
            Err(Spoken::Later(usage)) => usage,
        };
        let max_tokens = conversation.max_tokens;
        self.question = Some(Box::new(question::LetIn {
            operation,
            model: model.to_owned(),
            max_tokens: max_tokens.unwrap_or(resolved.model.max_output),
            input,
            conversation,
            usage,
        }));
        Err(Stop::Ask)
    }

    fn config(&self) -> &'a Config {
        self.emulator.config()
    }

    /// What fault rules do to this request: a failure at once, or something that waits for the answer
    /// in `self.blow`.
    fn strike(
        &mut self,
        resolved: Option<&Resolved<'_>>,
        stage: Stage,
        streams: bool,
    ) -> Result<(), Stop> {
        let account = Arc::clone(&self.account);
        if !account.faults.armed() {
            return Ok(());
        }
        let request = Arc::clone(&self.request);
        let operation = self.record.operation.unwrap_or_default();
        let model = self.record.model.clone();
        let found = model.as_deref();
        let found = found.and_then(|m| self.emulator.catalogue().find(m, &self.region));
        let mut asked = Asked::new(operation, &request, self.now);
        asked.model = model.as_deref();
        asked.resolved = resolved.or(found.as_ref());
        let Some(blow) = account.faults.strike(&asked, stage, self.dials.seed) else {
            return Ok(());
        };
        self.record.fault = Some(blow.names.clone());
        let waits = streams && blow.after_frames.is_some();
        let at_once = blow.strike.clone().filter(|_| !waits);
        self.blow = Some(blow);
        at_once.map_or(Ok(()), |fault| Err(fault_stop(fault)))
    }

    /// The same for an operation that invokes no model.
    fn strike_early(&mut self, resolved: Option<&Resolved<'_>>) -> Result<(), Stop> {
        let result = self.strike(resolved, Stage::Bedrock, false);
        result.inspect_err(|stop| {
            if let Stop::Error(error) = stop {
                self.refused(error);
            }
        })
    }

    /// When an answer leaves that takes no time of its own.
    fn at_once(&self) -> Due {
        Due::After(
            self.blow
                .as_ref()
                .map_or(Duration::ZERO, |blow| blow.latency),
        )
    }

    /// Reads the body, finds the model and checks the content.
    fn understand(
        &mut self,
        operation: Operation,
        model: &str,
    ) -> Result<(Input, Resolved<'a>, Conversation), ApiError> {
        if model.is_empty() {
            return Err(mantle::no_model(&self.request.body));
        }
        let mut input = Input::parse(operation, &self.request.body)?;
        if let Input::Invoke(request) = &mut input {
            check_headers(&self.request)?;
            request.add_betas(self.request.header("anthropic-beta"));
        }
        let today = self.today();
        let catalogue = self.emulator.catalogue();
        let own = self.account.application_profiles(model);
        let resolved = operation.resolve(catalogue, model, &self.region, today, &own)?;
        self.asked = Some((operation, resolved.clone()));
        let length = self.request.body.len();
        let conversation = input.check(operation, resolved.model, length)?;
        if operation.invokes() && resolved.model.provider == "anthropic" {
            let signer = Signer::new(self.dials.seed);
            let checked = signer.check(&conversation);
            checked.map_err(|altered| input.surface().model(altered.message()))?;
        }
        Ok((input, resolved, conversation))
    }

    fn today(&self) -> Date {
        self.dials.today.unwrap_or_else(|| self.now.date())
    }

    fn count(&mut self, invocation: &Invocation<'_>) -> Answered {
        Answered {
            encoded: self.encode(invocation, &Answer::nothing()),
            usage: journal::Usage::default(),
            stop: String::new(),
        }
    }

    fn invoke(&mut self, invocation: &Invocation<'_>) -> Result<Answered, Spoken> {
        let resolved = invocation.resolved;
        let streams = invocation.operation.streams();
        let spoken = self
            .throttle(invocation)
            .and_then(|()| self.strike(Some(resolved), Stage::Bedrock, streams))
            .map_err(Spoken::Not)
            .and_then(|()| self.speak(invocation));
        let spoken = match spoken {
            Ok(answer) => Ok(answer),
            Err(Spoken::Not(stop)) => Err(stop),
            Err(later) => return Err(later),
        };
        self.conclude(invocation, spoken).map_err(Spoken::Not)
    }

    /// What follows when the model has spoken.
    fn conclude(
        &mut self,
        invocation: &Invocation<'_>,
        spoken: Result<Answer, Stop>,
    ) -> Result<Answered, Stop> {
        let resolved = invocation.resolved;
        let answer = match spoken {
            Ok(answer) => answer,
            Err(Stop::Error(error)) => {
                self.failed(resolved, &error);
                self.metrics_put();
                self.log();
                return Err(Stop::Error(error));
            }
            Err(silence) => return Err(silence),
        };
        let mut encoded = self.encode(invocation, &answer);
        if let Some(blow) = &self.blow {
            let exception = blow.land_on(&mut encoded.body, invocation.operation.exception());
            encoded.exception = exception.or(encoded.exception);
        }
        self.settle(resolved, &answer, &encoded);
        Ok(Answered {
            encoded,
            usage: answer.usage,
            stop: answer.stop,
        })
    }

    /// The guardrail that the request names; its use was a permission of its own.
    fn guarding(&mut self, input: &Input) -> Result<Option<Guarding>, ApiError> {
        let request = Arc::clone(&self.request);
        let Some(named) = guardrail::named(input, &request) else {
            return Ok(None);
        };
        let found = self
            .account
            .state()
            .guardrails
            .named(named.id, named.version);
        let version = found.inspect_err(|error| self.refused(error))?;
        Ok(Some(Guarding::new(
            version,
            named.trace,
            input,
            self.rng.clone(),
        )))
    }

    /// Lets the request in, or answers that there were too many, or too many tokens.
    fn throttle(&mut self, invocation: &Invocation<'_>) -> Result<(), Stop> {
        let (resolved, conversation) = (invocation.resolved, invocation.conversation);
        let config = self.config();
        if config.requests_per_minute.is_none() && config.quotas.off() {
            return Ok(());
        }
        let mut state = self.account.state();
        if let Some(limit) = config.requests_per_minute {
            let limits = Limits {
                requests_per_minute: Some(limit),
                ..Limits::default()
            };
            let taken = state.buckets.take(&resolved.model.id, &limits, 0, self.now);
            taken.map_err(Exceeded::error)?;
        }
        // Everything that goes in counts, cached or not, until the answer ends (inferred).
        let reserve = || {
            let output = conversation.max_tokens.unwrap_or(resolved.model.max_output);
            u64::from(conversation.input_tokens()) + u64::from(output)
        };
        let admitted = state
            .buckets
            .admit(&config.quotas, resolved, reserve, self.now);
        self.reservation = admitted.map_err(Exceeded::error)?;
        Ok(())
    }

    /// The next step of the script, or an answer of our own, if no other model is asked for it.
    fn speak(&mut self, invocation: &Invocation<'_>) -> Result<Answer, Spoken> {
        let Invocation {
            operation,
            conversation,
            resolved,
            ..
        } = *invocation;
        if let Some(guard) = &mut self.guard
            && let Some(blocked) = guard.input(conversation)
        {
            return Ok(blocked);
        }
        let voice = Voice::new(
            self.config(),
            self.dials.seed,
            resolved.model,
            operation.streams(),
        );
        let step = self.scripted(invocation)?;
        let embeds = resolved.model.family.embeds();
        // Fault rules and guardrails change answers that are known as a whole.
        let whole = embeds || self.blow.is_some() || self.guard.is_some();
        let later = self.asks && step.is_none() && !whole;
        let mut answer = match step {
            None | Some(Step::Say(_)) if embeds => {
                let tokens = ops::embedding_tokens(conversation, resolved.model);
                Answer::embedding(tokens)
            }
            None if later => Answer {
                usage: journal::Usage::new(conversation.input_tokens(), 0),
                ..Answer::nothing()
            },
            None => voice.generate(conversation)?,
            Some(Step::Fault(fault)) => return Err(fault_stop(fault).into()),
            Some(Step::Raw(raw)) => return Err(Stop::Raw(raw).into()),
            Some(Step::Say(pieces)) => voice.recite(conversation, pieces),
        };
        if resolved.model.family == Family::Nova {
            ops::whole_tool_inputs(&mut answer.beats);
        }
        if !answer.usage_scripted
            && let Some(prefixes) = Prefixes::of(resolved.model, conversation)
        {
            let mut state = self.account.state();
            let usage = &mut answer.usage;
            state.prompt_cache.settle(&prefixes, self.now, usage);
        }
        if let Some(guard) = &mut self.guard {
            guard.output(conversation, &mut answer);
        }
        match &answer.ending {
            _ if later => Err(Spoken::Later(answer.usage)),
            // Outside a stream an exception is the whole reply.
            Ending::Fault(fault) if !operation.streams() => Err(fault_stop(fault.clone()).into()),
            _ => Ok(answer),
        }
    }

    /// What the script says to this invocation.
    fn scripted(&mut self, invocation: &Invocation<'_>) -> Result<Option<Step>, Stop> {
        let operation = invocation.operation.name();
        let mut asked = Asked::new(operation, &self.request, self.now);
        asked.model = self.record.model.as_deref();
        asked.resolved = Some(invocation.resolved);
        asked.conversation = Some(invocation.conversation);
        let Some(mut line) = self.account.state().script.next(&asked)? else {
            return Ok(None);
        };
        if !Arc::ptr_eq(&self.account, self.emulator.home()) {
            line.name_gates_after(&self.account.id);
        }
        self.record.script = line.rule;
        Ok(Some(line.step))
    }

    fn encode(&mut self, invocation: &Invocation<'_>, answer: &Answer) -> Encoded {
        let exchange = Exchange {
            model: invocation.resolved.model,
            input: invocation.input,
            conversation: invocation.conversation,
            answer,
            latency: self.dials.latency,
            took: self.took,
            seed: self.dials.seed,
            guard: self.guard.as_ref(),
            rng: self.rng.clone(),
        };
        ops::encode(invocation.operation, exchange)
    }

    /// What an answer leaves behind: light on the diagram, what it took, a log record.
    fn settle(&mut self, resolved: &Resolved<'_>, answer: &Answer, encoded: &Encoded) {
        self.reached_bedrock(TraceStatus::Ok, Note::ModelId);
        if resolved.model.node.is_some() {
            let (status, note) = match &encoded.exception {
                Some(error) => (trace_status(error), error.into()),
                None => (TraceStatus::Ok, Note::Tokens),
            };
            self.tracer.model(status, note);
        }
        self.record.measured = Some(Measured {
            usage: answer.usage,
            latency_ms: encoded.latency_ms,
            first_token_ms: encoded.first_token_ms,
        });
        self.metrics_put();
        self.log();
    }

    fn log(&mut self) {
        // AWS's guide offers invocation logging for the runtime's endpoint only.
        if self.record.service == Some(Service::Mantle) {
            return;
        }
        let state = self.account.state();
        let config = state.logging.of(&self.region);
        self.logged = config.is_some();
        self.record.bodies = config.is_some_and(|config| config.text_data_delivery_enabled);
        drop(state);
        if self.logged {
            let note = Note::Words("model invocation log");
            self.tracer.edge(edges::BR_CW, TraceStatus::Ok, note);
        }
    }

    fn metrics_put(&mut self) {
        let note = Note::Words("AWS/Bedrock");
        self.tracer.edge(edges::BR_METRICS, TraceStatus::Ok, note);
    }

    fn reached_bedrock(&mut self, status: TraceStatus, note: Note) {
        self.tracer.edge(edges::POLICY_BR, status, note);
    }

    /// Bedrock refused before any model was reached.
    fn refused(&mut self, error: &ApiError) {
        self.reached_bedrock(trace_status(error), error.into());
    }

    /// Bedrock or the model failed.
    fn failed(&mut self, resolved: &Resolved<'_>, error: &ApiError) {
        let by_model = matches!(error.code(), Code::ModelError | Code::ModelTimeout);
        match &resolved.model.node {
            Some(_) if by_model => {
                self.reached_bedrock(TraceStatus::Ok, Note::ModelId);
                self.tracer.model(trace_status(error), error.into());
            }
            _ => self.refused(error),
        }
    }

    fn reply(&mut self, answered: Answered) -> Reply {
        let Answered {
            encoded,
            usage,
            stop,
        } = answered;
        let mut headers = vec![
            ("Content-Type", encoded.content_type.to_owned()),
            ("x-amzn-RequestId", self.record.request_id.clone()),
        ];
        headers.extend(encoded.headers);
        headers.extend(self.anthropic_request_id());
        self.record.status = match &encoded.body {
            Body::Disconnect { .. } => 0,
            Body::Whole { .. } | Body::Frames { .. } => 200,
        };
        if let Some(error) = &encoded.exception {
            self.record.error = Some(error.code());
            self.record.message = Some(error.message().to_owned());
        }
        let complete = !matches!(
            &encoded.body,
            Body::Disconnect { .. } | Body::Frames { end: End::Cut, .. }
        );
        if !stop.is_empty() && complete && encoded.exception.is_none() {
            self.record.stop_reason = Some(stop);
            self.record.usage = Some(usage);
        }
        Reply {
            status: 200,
            headers,
            body: encoded.body,
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    /// Under which name Anthropic's clients look for the request's id.
    fn anthropic_request_id(&self) -> Option<(&'static str, String)> {
        (self.protocol == Protocol::Anthropic).then(|| {
            let id = mantle::request_id_of(&self.record.request_id);
            ("request-id", id)
        })
    }

    fn tell(&mut self, told: Told) -> Reply {
        self.record.status = told.status;
        let mut headers = vec![
            ("Content-Type", told.content_type.to_owned()),
            ("x-amzn-RequestId", self.record.request_id.clone()),
        ];
        headers.extend(self.protocol.header());
        Reply {
            status: told.status,
            headers,
            body: Body::Whole {
                due: self.at_once(),
                bytes: told.body,
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    fn refuse(&mut self, error: &ApiError) -> Reply {
        self.record.status = error.status(self.protocol);
        self.record.error = Some(error.code());
        self.record.message = Some(error.message().to_owned());
        let mut headers = vec![
            (
                "Content-Type",
                ApiError::content_type(self.protocol).to_owned(),
            ),
            ("x-amzn-RequestId", self.record.request_id.clone()),
        ];
        headers.extend(error.headers(self.protocol));
        headers.extend(self.anthropic_request_id());
        Reply {
            status: error.status(self.protocol),
            headers,
            body: Body::Whole {
                due: self.at_once(),
                bytes: error.bytes(self.protocol, &self.record.request_id),
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    /// An answer that is not Bedrock's: no request id, no error type.
    fn pass_on(&mut self, raw: Raw) -> Reply {
        self.reached_bedrock(
            TraceStatus::Throttled,
            Note::Words("somebody else's answer"),
        );
        self.record.status = raw.status;
        Reply {
            status: raw.status,
            headers: vec![("Content-Type", raw.content_type)],
            body: Body::Whole {
                due: self.at_once(),
                bytes: raw.body.into(),
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    fn stay_silent(&mut self, fault: &Fault) -> Reply {
        let (body, note) = if *fault == Fault::Hang {
            let bytes = Bytes::new();
            let due = Due::Never;
            (Body::Whole { due, bytes }, "no answer")
        } else {
            let due = self.at_once();
            (Body::Disconnect { due }, "connection closed")
        };
        self.reached_bedrock(TraceStatus::Throttled, Note::Words(note));
        self.record.status = 0;
        self.record.message = Some(note.to_owned());
        Reply {
            status: 200,
            headers: Vec::new(),
            body,
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }
}

fn fault_stop(fault: Fault) -> Stop {
    match fault.error(false) {
        Some(error) => Stop::Error(error),
        None => Stop::Silence(fault),
    }
}

/// Amber for what a retry may cure, red for what it cannot.
fn trace_status(error: &ApiError) -> TraceStatus {
    match error.code().status() {
        408 | 424 | 429 | 500.. => TraceStatus::Throttled,
        _ => TraceStatus::Denied,
    }
}
