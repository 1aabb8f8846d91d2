//! The operations, one file each, and what they share.

mod converse;
mod converse_stream;
mod count_tokens;
mod invoke_model;
mod invoke_model_with_response_stream;
mod messages;
mod messages_count_tokens;

mod nova;
mod titan_text;

mod cohere_embed;
mod embed;
mod nova_embed;
mod titan_embed;

use bytes::Bytes;
use time::Date;

use crate::{
    answer_plan::{Answer, Beat, Ending},
    catalogue::{ApplicationProfile, Catalogue, Family, Model, Resolved},
    conversation::Conversation,
    converse_request::ConverseRequest,
    emulator::Latency,
    error::ApiError,
    guardrail::{Guarding, Members},
    invoke_request::InvokeRequest,
    mantle, other_rules,
    pace::Pace,
    refusal::Refusal,
    rng::Rng,
    rules::{Case, Surface},
    script::Fault,
    service::Service,
    wire::{Body, Due, End, Frame, Header},
};

use count_tokens::CountTokensRequest;
pub(crate) use embed::input_tokens as embedding_tokens;
pub(crate) use nova::whole_tool_inputs;

/// An operation of Bedrock Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Converse,
    ConverseStream,
    InvokeModel,
    InvokeModelWithResponseStream,
    CountTokens,
    /// Anthropic's own path, whole.
    Messages,
    /// The same as a stream.
    MessagesStream,
    /// Anthropic's own count.
    MessagesCountTokens,
}

impl Operation {
    /// From the last path segment.
    pub(crate) fn of_action(action: &str) -> Option<Self> {
        Some(match action {
            "converse" => Self::Converse,
            "converse-stream" => Self::ConverseStream,
            "invoke" => Self::InvokeModel,
            "invoke-with-response-stream" => Self::InvokeModelWithResponseStream,
            "count-tokens" => Self::CountTokens,
            _ => return None,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Converse => "Converse",
            Self::ConverseStream => "ConverseStream",
            Self::InvokeModel => "InvokeModel",
            Self::InvokeModelWithResponseStream => "InvokeModelWithResponseStream",
            Self::CountTokens => "CountTokens",
            Self::Messages => "Messages",
            Self::MessagesStream => "MessagesStream",
            Self::MessagesCountTokens => "MessagesCountTokens",
        }
    }

    /// The IAM action; there is none called `bedrock:Converse`.
    pub(crate) const fn iam_action(self) -> &'static str {
        match self {
            Self::Converse | Self::InvokeModel => "bedrock:InvokeModel",
            Self::ConverseStream | Self::InvokeModelWithResponseStream => {
                "bedrock:InvokeModelWithResponseStream"
            }
            Self::CountTokens => "bedrock:CountTokens",
            // AWS's managed policy for this endpoint names no other action that infers or counts.
            Self::Messages | Self::MessagesStream | Self::MessagesCountTokens => {
                "bedrock-mantle:CreateInference"
            }
        }
    }

    pub(crate) const fn streams(self) -> bool {
        matches!(
            self,
            Self::ConverseStream | Self::InvokeModelWithResponseStream | Self::MessagesStream
        )
    }

    /// Whether a model answers, so that scripts, quotas, logs and metrics apply.
    pub(crate) const fn invokes(self) -> bool {
        !matches!(self, Self::CountTokens | Self::MessagesCountTokens)
    }

    /// The service it belongs to.
    pub(crate) const fn service(self) -> Service {
        match self {
            Self::Messages | Self::MessagesStream | Self::MessagesCountTokens => Service::Mantle,
            _ => Service::Runtime,
        }
    }

    /// How an exception is told inside its stream.
    pub(crate) const fn exception(self) -> fn(&ApiError) -> Bytes {
        match self {
            Self::MessagesStream => mantle::error_event,
            _ => crate::frames::exception,
        }
    }

    /// What the model is for this operation.
    pub(crate) fn resolve<'c>(
        self,
        catalogue: &'c Catalogue,
        model: &str,
        region: &str,
        today: Date,
        own: &[ApplicationProfile],
    ) -> Result<Resolved<'c>, ApiError> {
        match self {
            Self::CountTokens => catalogue.resolve_for_counting(model, region, today),
            Self::Messages | Self::MessagesStream | Self::MessagesCountTokens => {
                catalogue.resolve_for_messages(model, region, today)
            }
            _ => catalogue.resolve_among(model, region, today, own),
        }
    }
}

/// A request body, read as far as its operation reads it before it looks at the model.
#[derive(Debug)]
pub(crate) enum Input {
    Converse(Box<ConverseRequest>),
    Invoke(InvokeRequest),
    CountTokens(Box<CountTokensRequest>),
}

impl Input {
    /// The JSON's shape.
    pub(crate) fn parse(operation: Operation, body: &Bytes) -> Result<Self, ApiError> {
        Ok(match operation {
            Operation::Converse | Operation::ConverseStream => {
                Self::Converse(Box::new(ConverseRequest::parse(body)?))
            }
            Operation::InvokeModel | Operation::InvokeModelWithResponseStream => {
                Self::Invoke(InvokeRequest::new(body.clone()))
            }
            Operation::Messages | Operation::MessagesStream => {
                Self::Invoke(InvokeRequest::messages(body.clone()))
            }
            Operation::MessagesCountTokens => {
                Self::Invoke(InvokeRequest::messages_to_count(body.clone()))
            }
            Operation::CountTokens => Self::CountTokens(Box::new(CountTokensRequest::parse(body)?)),
        })
    }

    /// How a complaint of the model is spelled.
    pub(crate) fn surface(&self) -> Surface {
        match self {
            Self::Converse(_) => Surface::Converse,
            Self::Invoke(_) | Self::CountTokens(_) => Surface::Messages,
        }
    }

    /// Everything that `model` and Bedrock check about the content.
    pub(crate) fn check(
        &mut self,
        operation: Operation,
        model: &Model,
        body_length: usize,
    ) -> Result<Conversation, ApiError> {
        let (surface, conversation) = match self {
            Self::Converse(_) if !model.family.chats() => {
                return Err(Refusal::NotAChatModel.error());
            }
            Self::Converse(request) => {
                if model.family != Family::Claude {
                    other_rules::fields(request, model)?;
                }
                (Surface::Converse, request.conversation(model)?)
            }
            Self::Invoke(_) if operation.streams() && !model.streaming => {
                return Err(ApiError::validation(
                    "The model is unsupported for streaming.",
                ));
            }
            Self::Invoke(request) if model.family != Family::Claude => {
                let conversation = other_dialect(&request.json()?, model)?;
                if model.family.embeds() {
                    return Ok(conversation);
                }
                (Surface::Messages, conversation)
            }
            Self::Invoke(request) => (Surface::Messages, request.conversation(model)?),
            Self::CountTokens(request) => return request.conversation(model),
        };
        let streams = operation.streams();
        Case::new(surface, streams, model, &conversation, body_length).check()?;
        Ok(conversation)
    }
}

/// Reads a body that is not Claude's.
fn other_dialect(body: &serde_json::Value, model: &Model) -> Result<Conversation, ApiError> {
    match model.family {
        Family::Nova => nova::conversation(body, model),
        Family::TitanText => titan_text::conversation(body, model),
        _ => embed::conversation(body, model),
    }
}

/// What an encoder works with.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) model: &'a Model,
    pub(crate) input: &'a Input,
    pub(crate) conversation: &'a Conversation,
    pub(crate) answer: &'a Answer,
    pub(crate) latency: Latency,
    /// How long it took, if that was measured; the latency model counts for nothing then.
    pub(crate) took: Option<Took>,
    /// Of the emulator: what does not change from one request to the next is drawn from it.
    pub(crate) seed: u64,
    /// The guardrail around the invocation, if it names one.
    pub(crate) guard: Option<&'a Guarding>,
    /// Draws ids, padding and jitter of this request.
    pub(crate) rng: Rng,
}

impl Exchange<'_> {
    fn pace(&self) -> Pace {
        match self.took {
            Some(took) => Pace::measured(took),
            None => Pace::new(self.latency, self.model, self.answer, self.rng.clone()),
        }
    }
}

/// A successful answer on the wire.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// After `x-amzn-RequestId`.
    pub(crate) headers: Vec<Header>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
    pub(crate) latency_ms: u64,
    pub(crate) first_token_ms: u64,
    /// The exception inside the stream, if there is one.
    pub(crate) exception: Option<ApiError>,
}

/// Encodes the answer of a model in the dialect of `operation`.
pub(crate) fn encode(operation: Operation, exchange: Exchange<'_>) -> Encoded {
    match operation {
        Operation::Converse => converse::encode(exchange),
        Operation::ConverseStream => converse_stream::encode(exchange),
        Operation::InvokeModel => {
            let guard = exchange.guard;
            let mut encoded = match exchange.model.family {
                Family::Claude => invoke_model::encode(exchange),
                Family::Nova => nova::encode(exchange),
                Family::TitanText => titan_text::encode(&exchange),
                _ => embed::encode(exchange),
            };
            if let Some(guard) = guard {
                add_members(&mut encoded.body, &guard.members());
            }
            encoded
        }
        Operation::InvokeModelWithResponseStream => {
            invoke_model_with_response_stream::encode(exchange)
        }
        Operation::CountTokens => count_tokens::encode(&exchange),
        Operation::Messages => messages::encode(exchange),
        Operation::MessagesStream => messages::encode_stream(exchange),
        Operation::MessagesCountTokens => messages_count_tokens::encode(&exchange),
    }
}

/// Puts a guardrail's members behind all others of a JSON body.
fn add_members(body: &mut Body, members: &Members) {
    let Body::Whole { bytes, .. } = body else {
        return;
    };
    let members = invoke_model::to_json(members);
    if let (Some(object), Some(inside)) = (bytes.strip_suffix(b"}"), members.strip_prefix('{')) {
        *bytes = [object, b",", inside.as_bytes()].concat().into();
    }
}

/// Runs along all beats and tells when a whole body goes out.
fn whole_due(exchange: &Exchange<'_>) -> (Pace, Due) {
    let mut pace = exchange.pace();
    for beat in &exchange.answer.beats {
        pace.pass(beat);
    }
    let due = pace.due();
    (pace, due)
}

/// A whole body, or what a script put in its place.
fn whole_body(ending: &Ending, due: Due, body: String) -> Body {
    match ending {
        Ending::Cut => Body::Disconnect { due },
        Ending::Raw(bytes) => Body::Whole {
            due,
            bytes: bytes.clone().into(),
        },
        // A fault outside a stream was answered before any encoder saw it.
        Ending::Complete | Ending::Fault(_) => Body::Whole {
            due,
            bytes: body.into(),
        },
    }
}

/// How long an answer took, as clients and metrics are told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    pub(crate) latency_ms: u64,
    pub(crate) first_token_ms: u64,
}

/// The messages of a stream in one dialect, told beat by beat: an answer that is known as a whole and
/// one that is still being made are told alike.
pub(crate) trait Events: std::fmt::Debug + Send + Sync {
    /// What comes before the first beat; only the answer's input usage is known by then.
    fn start(&mut self, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>);

    /// What one beat says.
    fn beat(&mut self, beat: &Beat, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>);

    /// What comes after the last beat of a complete answer.
    fn finish(&mut self, took: Took, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>);
}

/// The events of a streaming operation.
pub(crate) fn events(operation: Operation, input: &Input, family: Family) -> Box<dyn Events> {
    match (operation, input) {
        (Operation::InvokeModelWithResponseStream, _) if family == Family::Nova => {
            Box::new(nova::NovaEvents::default())
        }
        (Operation::InvokeModelWithResponseStream, _) if family == Family::TitanText => {
            Box::new(titan_text::TitanEvents::default())
        }
        (Operation::InvokeModelWithResponseStream, Input::Invoke(request))
            if request.is_completion() =>
        {
            Box::new(invoke_model_with_response_stream::CompletionEvents::default())
        }
        (Operation::MessagesStream, _) => {
            Box::new(invoke_model_with_response_stream::MessageEvents::server_sent())
        }
        (Operation::InvokeModelWithResponseStream, _) => {
            Box::new(invoke_model_with_response_stream::MessageEvents::default())
        }
        _ => Box::new(converse_stream::ConverseEvents::default()),
    }
}

/// Collects the messages of a stream along the beats.
struct Stream {
    pace: Pace,
    frames: Vec<Frame>,
}

impl Stream {
    /// The whole answer, told by `events`, except for how it ends early.
    fn tell(events: &mut dyn Events, exchange: &mut Exchange<'_>) -> Self {
        let mut stream = Self {
            pace: exchange.pace(),
            frames: Vec::new(),
        };
        let mut out = Vec::new();
        let answer = exchange.answer;
        events.start(exchange, &mut out);
        stream.send_all(&mut out);
        for beat in &answer.beats {
            events.beat(beat, exchange, &mut out);
            stream.send_all(&mut out);
            stream.pace.pass(beat);
        }
        if answer.ending == Ending::Complete {
            events.finish(stream.took(), exchange, &mut out);
            stream.send_all(&mut out);
        }
        stream
    }

    fn took(&self) -> Took {
        Took {
            latency_ms: self.pace.elapsed_ms(),
            first_token_ms: self.pace.first_ms(),
        }
    }

    fn send_all(&mut self, messages: &mut Vec<Bytes>) {
        for bytes in messages.drain(..) {
            self.send(bytes);
        }
    }

    fn send(&mut self, bytes: Bytes) {
        let due = self.pace.due();
        self.frames.push(Frame { due, bytes });
    }

    /// Ends the stream as the answer says; `false` when it was interrupted.
    fn end(
        &mut self,
        ending: &Ending,
        exception: fn(&ApiError) -> Bytes,
    ) -> (End, Option<ApiError>) {
        match ending {
            Ending::Complete => (End::Clean, None),
            Ending::Cut => (End::Cut, None),
            Ending::Raw(bytes) => {
                self.send(bytes.clone().into());
                (End::Clean, None)
            }
            Ending::Fault(fault) => match fault.error(true) {
                Some(error) => {
                    self.send(exception(&error));
                    (End::Clean, Some(error))
                }
                None if *fault == Fault::Hang => {
                    self.frames.push(Frame {
                        due: Due::Never,
                        bytes: Bytes::new(),
                    });
                    (End::Cut, None)
                }
                None => (End::Cut, None),
            },
        }
    }

    fn body(self, end: End) -> Body {
        Body::Frames {
            frames: self.frames,
            end,
        }
    }
}
