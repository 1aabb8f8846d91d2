//! A model invocation: read it, find the model, check the content, throttle, let the model speak,
//! encode what it said.

use std::sync::Arc;

use super::{Pipeline, Stop, evidence::trace_status, question::LetIn};
use crate::{
    answer_plan::Answer,
    catalogue::Resolved,
    conversation::Conversation,
    error::ApiError,
    fault::Stage,
    guardrail::{self, Guarding},
    invoke_request::check_headers,
    journal::{Measured, Usage},
    mantle,
    ops::{self, Encoded, Exchange, Input, Operation},
    quota::{Exceeded, Limits},
    service::Service,
    signature::Signer,
    trace::{Note, TraceStatus, edges},
};

/// A model invocation that was let in.
pub(super) struct Invocation<'i> {
    pub(super) operation: Operation,
    pub(super) input: &'i Input,
    pub(super) resolved: &'i Resolved<'i>,
    pub(super) conversation: &'i Conversation,
}

/// A model's answer, encoded.
pub(super) struct Answered {
    pub(super) encoded: Encoded,
    pub(super) usage: Usage,
    pub(super) stop: String,
}

/// Why the model has not spoken.
pub(super) enum Spoken {
    /// It will not.
    Not(Stop),
    /// Another one will; so much is used up already.
    Later(Usage),
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

impl<'a> Pipeline<'a> {
    /// An operation on a model.
    pub(super) fn ask(&mut self, operation: Operation, model: &str) -> Result<Answered, Stop> {
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
        self.guard = self.guarding(operation, &input)?;
        let usage = match self.invoke(&invocation) {
            Ok(answered) => return Ok(answered),
            Err(Spoken::Not(stop)) => return Err(stop),
            Err(Spoken::Later(usage)) => usage,
        };
        let max_tokens = conversation.max_tokens;
        self.question = Some(Box::new(LetIn {
            operation,
            model: model.to_owned(),
            max_tokens: max_tokens.unwrap_or(resolved.model.max_output),
            input,
            conversation,
            usage,
        }));
        Err(Stop::Ask)
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

    /// The guardrail that the request names; its use was a permission of its own.
    fn guarding(
        &mut self,
        operation: Operation,
        input: &Input,
    ) -> Result<Option<Guarding>, ApiError> {
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
        let ahead = named.ahead && operation.streams();
        Ok(Some(Guarding::new(
            version,
            (named.trace, ahead),
            input,
            self.rng.clone(),
        )))
    }

    /// The answer of an operation that needs a model's numbers, but not its words.
    fn count(&mut self, invocation: &Invocation<'_>) -> Answered {
        Answered {
            encoded: self.encode(invocation, &Answer::nothing()),
            usage: Usage::default(),
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

    /// What follows when the model has spoken.
    pub(super) fn conclude(
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
        let [input, output] = self.guard.as_ref().map_or([None; 2], Guarding::looks);
        self.guarded(input);
        let kept_out = input.is_some_and(|(blocked, _)| blocked);
        if resolved.model.node.is_some() && !kept_out {
            let (status, note) = match &encoded.exception {
                Some(error) => (trace_status(error), error.into()),
                None => (TraceStatus::Ok, Note::Tokens),
            };
            self.tracer.model(status, note);
        }
        self.guarded(output);
        self.record.measured = Some(Measured {
            usage: answer.usage,
            latency_ms: encoded.latency_ms,
            first_token_ms: encoded.first_token_ms,
        });
        self.metrics_put();
        self.log();
    }

    /// Whether model invocation logging writes the request down.
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
}
