//! One request from arrival to reply: route, authenticate, authorize, read, find the model,
//! validate, throttle, answer, record.

use std::time::Duration;

use bytes::Bytes;
use time::{Date, OffsetDateTime};

use crate::{
    answer_plan::{Answer, Ending},
    auth::{self, Principal},
    catalogue::{Catalogue, Resolved, Via},
    conversation::Conversation,
    emulator::{Config, State},
    error::{ApiError, Code},
    journal::{self, Entry},
    observe::Outcome,
    ops::{self, Encoded, Exchange, Input, Operation},
    policy::{Context, Decision, denial},
    rng::Rng,
    route::route,
    script::{Fault, Step},
    speak::Voice,
    trace::{TraceStatus, Tracer, edges},
    wire::{Body, Due, End, Reply, Request},
};

/// A request on its way.
pub(crate) struct Pipeline<'a> {
    config: &'a Config,
    catalogue: &'a Catalogue,
    state: &'a mut State,
    request: &'a Request,
    now: OffsetDateTime,
    rng: Rng,
    region: String,
    entry: Entry,
    tracer: Tracer,
}

/// How a request ends without a model's answer.
enum Stop {
    Error(ApiError),
    /// No answer at all.
    Silence(Fault),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

/// A model's answer, ready for the wire.
struct Answered {
    encoded: Encoded,
    usage: journal::Usage,
    stop: String,
    text: String,
}

impl<'a> Pipeline<'a> {
    pub(crate) fn new(
        config: &'a Config,
        catalogue: &'a Catalogue,
        state: &'a mut State,
        request: &'a Request,
        now: OffsetDateTime,
    ) -> Self {
        state.seq += 1;
        let mut rng = Rng::new(config.seed, &[state.seq]);
        let request_id = rng.uuid();
        let entry = Entry::arrived(state.seq, request, request_id, now);
        let region = entry.caller.region.clone();
        let note = format!("{} {}", request.method, request.target);
        let tracer = Tracer::new(&entry.request_id, entry.t, note);
        Self {
            config,
            catalogue,
            state,
            request,
            now,
            rng,
            region: region.unwrap_or_else(|| config.region.clone()),
            entry,
            tracer,
        }
    }

    pub(crate) fn run(mut self) -> Reply {
        let result = self.answer();
        let reply = match result {
            Ok(answered) => self.reply(answered),
            Err(Stop::Error(error)) => self.refuse(&error),
            Err(Stop::Silence(fault)) => self.stay_silent(&fault),
        };
        self.entry.trace = self.tracer.finish();
        self.state.journal.push(self.entry);
        reply
    }

    fn answer(&mut self) -> Result<Answered, Stop> {
        let route = route(&self.request.method, &self.request.target)?;
        let operation = route.operation;
        self.entry.operation = Some(operation.name().to_owned());
        self.entry.model = Some(route.model.clone());
        let principal = self.authenticate()?;
        self.authorize(&principal, operation, &route.model)?;
        let found = self.understand(operation, &route.model);
        let (input, resolved, conversation) = found.inspect_err(|error| self.refused(error))?;
        if !operation.invokes() {
            self.reached_bedrock(TraceStatus::Ok, operation.name().to_owned());
            return Ok(self.count(operation, &input, &resolved, &conversation));
        }
        self.invoke(&principal, operation, &input, &resolved, &conversation)
    }

    fn authenticate(&mut self) -> Result<Principal, ApiError> {
        let result = auth::authenticate(self.config, self.request, self.now);
        let (status, note) = match &result {
            Ok(principal) => (TraceStatus::Ok, principal.arn.clone()),
            Err(error) => (TraceStatus::Denied, summary(error)),
        };
        self.tracer.edge(edges::CC_USER, status, note);
        result
    }

    /// Every resource must be allowed: a profile, and the model in each region behind it.
    fn authorize(
        &mut self,
        principal: &Principal,
        operation: Operation,
        model: &str,
    ) -> Result<(), ApiError> {
        let result = self.decide(principal, operation, model);
        let (status, note) = match &result {
            Ok(()) => (TraceStatus::Ok, operation.iam_action().to_owned()),
            Err(error) => (TraceStatus::Denied, summary(error)),
        };
        self.tracer.edge(edges::USER_POLICY, status, note);
        result
    }

    fn decide(
        &self,
        principal: &Principal,
        operation: Operation,
        model: &str,
    ) -> Result<(), ApiError> {
        let resolved = self.catalogue.find(model, &self.region);
        let resources = match &resolved {
            Some(found) => {
                let account = &self.config.account_id;
                self.catalogue.resources(found, &self.region, account)
            }
            None if model.starts_with("arn:") => vec![model.to_owned()],
            None => vec![format!(
                "arn:aws:bedrock:{}::foundation-model/{model}",
                self.region
            )],
        };
        let profile = resolved.filter(|r| r.via != Via::OnDemand);
        let mut asked: Vec<(&str, &str)> = Vec::new();
        if principal.bearer {
            asked.push(("bedrock:CallWithBearerToken", "*"));
        }
        let action = operation.iam_action();
        asked.extend(resources.iter().map(|resource| (action, resource.as_str())));
        for (action, resource) in asked {
            let mut context = Context::new(&self.region, Some(&principal.arn), resource);
            if profile.is_some() {
                context = context.with("bedrock:InferenceProfileArn", &resources[0]);
            }
            if principal.bearer {
                context = context.with("bedrock:BearerTokenType", "LONG_TERM");
            }
            if let Some(tier) = self.request.header("x-amzn-bedrock-service-tier") {
                context = context.with("bedrock:ServiceTier", tier);
            }
            let decision = self.state.policies.decide(action, resource, &context);
            if decision != Decision::Allow {
                return Err(denial(decision, &principal.arn, action, resource));
            }
        }
        Ok(())
    }

    /// Reads the body, finds the model and checks the content.
    fn understand(
        &mut self,
        operation: Operation,
        model: &str,
    ) -> Result<(Input, Resolved<'a>, Conversation), ApiError> {
        let input = Input::parse(operation, &self.request.body)?;
        let today = self.today();
        let resolved = if operation == Operation::CountTokens {
            self.catalogue
                .resolve_for_counting(model, &self.region, today)?
        } else {
            self.catalogue.resolve(model, &self.region, today)?
        };
        let conversation = input.check(resolved.model).inspect_err(|error| {
            let id = resolved.metric_id();
            if operation.invokes() {
                self.state.metrics.put_error(&id, error);
            }
        })?;
        Ok((input, resolved, conversation))
    }

    fn today(&self) -> Date {
        self.config.today.unwrap_or_else(|| self.now.date())
    }

    fn count(
        &mut self,
        operation: Operation,
        input: &Input,
        resolved: &Resolved<'_>,
        conversation: &Conversation,
    ) -> Answered {
        let answer = Answer::nothing();
        let encoded = self.encode(operation, input, resolved, conversation, &answer);
        Answered {
            encoded,
            usage: journal::Usage::default(),
            stop: String::new(),
            text: String::new(),
        }
    }

    fn invoke(
        &mut self,
        principal: &Principal,
        operation: Operation,
        input: &Input,
        resolved: &Resolved<'_>,
        conversation: &Conversation,
    ) -> Result<Answered, Stop> {
        let id = resolved.metric_id();
        let spoken = self.throttle(resolved).and_then(|()| {
            let voice = Voice {
                seed: self.config.seed,
                scramble: self.config.scramble,
                max_output: resolved.model.max_output,
            };
            self.speak(voice, operation, conversation)
        });
        let answer = match spoken {
            Ok(answer) => answer,
            Err(Stop::Error(error)) => {
                self.state.metrics.put_error(&id, &error);
                self.failed(resolved, &error);
                self.metrics_put();
                self.log(principal, operation, resolved, &Outcome::failed(&error));
                return Err(Stop::Error(error));
            }
            Err(silence) => return Err(silence),
        };
        let encoded = self.encode(operation, input, resolved, conversation, &answer);
        self.reached_bedrock(TraceStatus::Ok, id.clone());
        if let Some(node) = &resolved.model.node {
            let usage = answer.usage;
            let (status, note) = match &encoded.exception {
                Some(error) => (trace_status(error), summary(error)),
                None => (
                    TraceStatus::Ok,
                    format!("{} tokens in, {} out", usage.input, usage.output),
                ),
            };
            self.tracer.model(node, status, note);
        }
        self.state
            .metrics
            .put_answer(&id, operation.streams(), &answer, &encoded);
        self.metrics_put();
        let outcome = Outcome::answered(&encoded, answer.usage);
        self.log(principal, operation, resolved, &outcome);
        Ok(Answered {
            encoded,
            usage: answer.usage,
            stop: answer.stop.clone(),
            text: answer.text(),
        })
    }

    fn throttle(&mut self, resolved: &Resolved<'_>) -> Result<(), Stop> {
        let Some(limit) = self.config.requests_per_minute else {
            return Ok(());
        };
        if self.state.buckets.take(&resolved.model.id, limit, self.now) {
            return Ok(());
        }
        let fault = Fault::Throttling {
            retry_after_ms: None,
        };
        Err(fault_stop(fault))
    }

    /// The next step of the script, or an answer of our own.
    fn speak(
        &mut self,
        voice: Voice,
        operation: Operation,
        conversation: &Conversation,
    ) -> Result<Answer, Stop> {
        let answer = match self.state.script.pop_front() {
            None => voice.generate(conversation)?,
            Some(Step::Fault(fault)) => return Err(fault_stop(fault)),
            Some(Step::Say(pieces)) => voice.recite(conversation, pieces),
        };
        match &answer.ending {
            // Outside a stream an exception is the whole reply.
            Ending::Fault(fault) if !operation.streams() => Err(fault_stop(fault.clone())),
            _ => Ok(answer),
        }
    }

    fn encode(
        &mut self,
        operation: Operation,
        input: &Input,
        resolved: &Resolved<'_>,
        conversation: &Conversation,
        answer: &Answer,
    ) -> Encoded {
        let exchange = Exchange {
            model: resolved.model,
            input,
            conversation,
            answer,
            latency: self.config.latency,
            rng: self.rng.clone(),
        };
        ops::encode(operation, exchange)
    }

    fn log(
        &mut self,
        principal: &Principal,
        operation: Operation,
        resolved: &Resolved<'_>,
        outcome: &Outcome<'_>,
    ) {
        if !self.state.invocation_logging {
            return;
        }
        let arns = self
            .catalogue
            .resources(resolved, &self.region, &self.config.account_id);
        let record = outcome.record(
            self.request,
            &self.entry,
            operation.name(),
            &principal.arn,
            &self.config.account_id,
            &self.region,
            resolved,
            &arns,
            self.now,
        );
        if self.state.logs.len() >= self.config.journal_capacity.max(1) {
            self.state.logs.pop_front();
        }
        self.state.logs.push_back(record);
        let note = "model invocation log".to_owned();
        self.tracer.edge(edges::BR_CW, TraceStatus::Ok, note);
    }

    fn metrics_put(&mut self) {
        let note = "AWS/Bedrock".to_owned();
        self.tracer.edge(edges::BR_METRICS, TraceStatus::Ok, note);
    }

    fn reached_bedrock(&mut self, status: TraceStatus, note: String) {
        self.tracer.edge(edges::POLICY_BR, status, note);
    }

    /// Bedrock refused before any model was reached.
    fn refused(&mut self, error: &ApiError) {
        self.reached_bedrock(trace_status(error), summary(error));
    }

    /// Bedrock or the model failed.
    fn failed(&mut self, resolved: &Resolved<'_>, error: &ApiError) {
        let by_model = matches!(error.code(), Code::ModelError | Code::ModelTimeout);
        match &resolved.model.node {
            Some(node) if by_model => {
                self.reached_bedrock(TraceStatus::Ok, resolved.metric_id());
                self.tracer.model(node, trace_status(error), summary(error));
            }
            _ => self.refused(error),
        }
    }

    fn reply(&mut self, answered: Answered) -> Reply {
        let Answered {
            encoded,
            usage,
            stop,
            text,
        } = answered;
        let mut headers = vec![
            ("Content-Type", encoded.content_type.to_owned()),
            ("x-amzn-RequestId", self.entry.request_id.clone()),
        ];
        headers.extend(encoded.headers);
        self.entry.status = match &encoded.body {
            Body::Disconnect { .. } => 0,
            Body::Whole { .. } | Body::Frames { .. } => 200,
        };
        if let Some(error) = &encoded.exception {
            self.entry.error = Some(error.code().name().to_owned());
            self.entry.message = Some(error.message().to_owned());
        }
        let complete = !matches!(
            &encoded.body,
            Body::Disconnect { .. } | Body::Frames { end: End::Cut, .. }
        );
        if !stop.is_empty() && complete && encoded.exception.is_none() {
            self.entry.stop_reason = Some(stop);
            self.entry.usage = Some(usage);
            self.entry.text = Some(text);
        }
        Reply {
            status: 200,
            headers,
            body: encoded.body,
            seq: self.entry.seq,
        }
    }

    fn refuse(&mut self, error: &ApiError) -> Reply {
        self.entry.status = error.code().status();
        self.entry.error = Some(error.code().name().to_owned());
        self.entry.message = Some(error.message().to_owned());
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("x-amzn-RequestId", self.entry.request_id.clone()),
        ];
        headers.extend(error.headers());
        Reply {
            status: error.code().status(),
            headers,
            body: Body::Whole {
                due: crate::script::AT_ONCE,
                bytes: error.body().into(),
            },
            seq: self.entry.seq,
        }
    }

    fn stay_silent(&mut self, fault: &Fault) -> Reply {
        let (body, note) = if *fault == Fault::Hang {
            let bytes = Bytes::new();
            let due = Due::Never;
            (Body::Whole { due, bytes }, "no answer")
        } else {
            let due = Due::After(Duration::ZERO);
            (Body::Disconnect { due }, "connection closed")
        };
        self.reached_bedrock(TraceStatus::Throttled, note.to_owned());
        self.entry.status = 0;
        self.entry.message = Some(note.to_owned());
        Reply {
            status: 200,
            headers: Vec::new(),
            body,
            seq: self.entry.seq,
        }
    }
}

fn fault_stop(fault: Fault) -> Stop {
    match ops::fault_error(&fault, false) {
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

fn summary(error: &ApiError) -> String {
    format!("{} {}", error.code().status(), error.code().name())
}
