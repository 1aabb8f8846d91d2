//! A request whose words another model finds, piece by piece.
//!
//! Everything else stays the emulator's: who may ask, what is valid, quotas, token counts, stop
//! sequences, the wire. The caller of [`Emulator::begin`] does the talking, for there is no I/O here.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;

use super::{Pipeline, Ready, Stop, faults::fault_stop, invoke::Invocation, visit::Waiting};
use crate::{
    account::Account,
    answer::tokens,
    answer_plan::{Answer, Composer, Ending, output_tokens},
    chat::Chat,
    conversation::Conversation,
    emulator::{Emulator, Latency},
    fault::Blow,
    journal::{Record, Usage},
    mantle,
    ops::{self, Events, Exchange, Input, Operation, Took},
    quota::Reservation,
    rng::Rng,
    script::Fault,
    service::Protocol,
    speak::Voice,
    trace::Tracer,
    wire::{Body, Due, Frame, Header, Reply, Request, header},
};

/// How a request begins.
#[derive(Debug)]
pub enum Begun {
    /// It is answered already.
    Reply(Reply),
    /// Another model is asked.
    Ask(Box<Question>),
    /// A service beside Bedrock takes its time.
    Wait(Box<Waiting>),
}

/// What the other model says next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// More text.
    Text(String),
    /// It calls a tool.
    Call {
        /// The tool's name.
        name: String,
    },
    /// More of the JSON text of the call's input.
    Input(String),
}

/// Why the other model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It has said what it wanted to say.
    Done,
    /// It ran out of tokens.
    MaxTokens,
}

/// A request that waits for another model's words.
///
/// Dropped before its end, it is told in the journal as cut: the client is gone.
#[derive(Debug)]
pub struct Question {
    emulator: Arc<Emulator>,
    /// `None` once it has been concluded.
    paused: Option<Box<Paused>>,
    asked: LetIn,
    telling: Telling,
    spoken: Spoken,
}

/// A pipeline between its two halves.
#[derive(Debug)]
pub(super) struct Paused {
    request: Arc<Request>,
    now: OffsetDateTime,
    rng: Rng,
    region: String,
    account: Arc<Account>,
    record: Record,
    tracer: Tracer,
    reservation: Option<Reservation>,
    protocol: Protocol,
    /// What fault rules do to the answer.
    blow: Option<Blow>,
}

/// The invocation that was let in.
#[derive(Debug)]
pub(super) struct LetIn {
    pub(super) operation: Operation,
    pub(super) model: String,
    pub(super) input: Input,
    pub(super) conversation: Conversation,
    /// Counted, and settled with the prompt cache, before the first word.
    pub(super) usage: Usage,
    pub(super) max_tokens: u32,
}

/// A stream that is being told.
#[derive(Debug)]
struct Telling {
    events: Box<dyn Events>,
    rng: Rng,
    /// How many beats have been told; `None`: the start has not.
    told: Option<usize>,
    /// The frames, and when they left.
    sent: Vec<Frame>,
}

/// What was said so far.
#[derive(Debug, Default)]
struct Spoken {
    composer: Composer,
    /// Text that may be the beginning of a stop sequence.
    held: String,
    /// The text of the open block.
    block: String,
    /// The input of the open call.
    call: Option<String>,
    /// Tokens of the blocks that are closed.
    tokens: u32,
    tool_used: bool,
    /// Why no more is listened to.
    limit: Option<Limit>,
}

#[derive(Debug)]
enum Limit {
    StopSequence(String),
    MaxTokens,
    /// What was said makes no sense.
    Garbled,
}

impl Emulator {
    /// Answers one request, or says what another model is to be asked. Scripts, recordings, errors
    /// and operations that ask no model are answered at once.
    pub fn begin(self: &Arc<Self>, request: Arc<Request>, now: OffsetDateTime) -> Begun {
        let mut pipeline = Pipeline::new(self, request, now);
        pipeline.asks = true;
        self.follow(pipeline)
    }

    /// The same when no other model is asked: every model's answer is the emulator's own.
    pub fn receive(self: &Arc<Self>, request: Arc<Request>, now: OffsetDateTime) -> Begun {
        self.follow(Pipeline::new(self, request, now))
    }

    pub(super) fn follow(self: &Arc<Self>, mut pipeline: Pipeline<'_>) -> Begun {
        pipeline.waits = true;
        let result = pipeline.answer();
        match (result, pipeline.question.take()) {
            (Err(Stop::Ask), Some(asked)) => {
                let paused = pipeline.pause();
                Begun::Ask(Box::new(Question::new(Arc::clone(self), paused, *asked)))
            }
            (Err(Stop::Wait(later)), _) => {
                let paused = pipeline.pause();
                Begun::Wait(Box::new(Waiting::new(Arc::clone(self), paused, later)))
            }
            (result, _) => {
                let reply = pipeline.end(result);
                Begun::Reply(pipeline.leave(reply))
            }
        }
    }
}

impl Question {
    fn new(emulator: Arc<Emulator>, paused: Paused, asked: LetIn) -> Self {
        let found = resolved(&emulator, Some(&paused), &asked);
        let family = found.map_or_else(Default::default, |found| found.model.family);
        let telling = Telling {
            events: ops::events(asked.operation, &asked.input, family),
            rng: paused.rng.clone(),
            told: None,
            sent: Vec::new(),
        };
        Self {
            emulator,
            paused: Some(Box::new(paused)),
            asked,
            telling,
            spoken: Spoken::default(),
        }
    }

    /// What to ask the other model. Stop sequences are not in it: they are found here, where it is
    /// known which one it was.
    pub fn chat(&self) -> Chat {
        Chat::of(&self.asked.conversation)
    }

    /// Whether the answer is a stream, so that its frames can leave as soon as they are known.
    pub fn streams(&self) -> bool {
        self.asked.operation.streams()
    }

    /// The headers of the stream.
    pub fn headers(&self) -> Vec<Header> {
        let mut headers = vec![header("Content-Type", "application/vnd.amazon.eventstream")];
        if let Some(paused) = &self.paused {
            headers.push(header(
                "x-amzn-RequestId",
                paused.record.request_id.as_str(),
            ));
            if paused.protocol == Protocol::Anthropic {
                let id = mantle::request_id_of(&paused.record.request_id);
                headers.push(header("request-id", id));
            }
        }
        if self.asked.operation == Operation::MessagesStream {
            mantle::EVENTS.clone_into(&mut headers[0].1);
        }
        if self.asked.operation == Operation::InvokeModelWithResponseStream {
            headers.push(header("X-Amzn-Bedrock-Content-Type", "application/json"));
        }
        headers
    }

    /// Takes what the other model says next, that long after the request arrived; gives the frames
    /// that can leave now. None for an answer that is not a stream.
    pub fn said(&mut self, said: Said, at: Duration) -> Vec<Bytes> {
        if !self.is_over() {
            match said {
                Said::Text(text) => self.text(&text),
                Said::Call { name } => self.call(&name),
                Said::Input(json) => self.input(&json),
            }
        }
        let frames = self.tell();
        self.sent(&frames, at);
        frames
    }

    fn sent(&mut self, frames: &[Bytes], at: Duration) {
        let frames = frames.iter().map(|bytes| Frame {
            due: Due::After(at),
            bytes: bytes.clone(),
        });
        self.telling.sent.extend(frames);
    }

    /// Whether no more is listened to: a stop sequence, all tokens spent, or nonsense.
    pub fn is_over(&self) -> bool {
        self.spoken.limit.is_some()
    }

    /// The other model has ended. The frames that are left, and the reply: for a stream, what the
    /// journal's entry is found by; otherwise the answer.
    pub fn finish(mut self, stopped: Stopped, took: Timing) -> (Vec<Bytes>, Reply) {
        let answer = self.answer(stopped);
        let mut frames = Vec::new();
        if self.streams() {
            frames = self.ending(&answer, took);
        }
        let from = took.from.to_owned();
        let reply = self.conclude(Ok(answer), Some(took.took()), from);
        (frames, reply)
    }

    /// The other model cannot be asked, or fell silent before its first word: the emulator answers
    /// by itself, and says why.
    pub fn fall_back(mut self, why: &str) -> Reply {
        let answer = self.own_answer();
        self.conclude(answer, None, format!("own answer: {why}"))
    }

    /// The other model broke off in the middle of a stream: an exception ends it.
    pub fn break_off(mut self, why: &str, took: Timing) -> (Vec<Bytes>, Reply) {
        self.spoken.limit = Some(Limit::Garbled);
        let answer = self.answer(Stopped::Done);
        let frames = self.ending(&answer, took);
        let note = format!("broken off: {why}");
        let reply = self.conclude(Ok(answer), Some(took.took()), note);
        (frames, reply)
    }

    fn text(&mut self, text: &str) {
        if self.spoken.call.is_some() {
            self.close();
        }
        self.spoken.held.push_str(text);
        let stops = &self.asked.conversation.stop_sequences;
        let stops = || stops.iter().filter(|stop| !stop.is_empty());
        let held = &self.spoken.held;
        let found = stops().filter_map(|stop| Some((held.find(stop.as_str())?, stop)));
        if let Some((at, stop)) = found.min_by_key(|(at, stop)| (*at, stop.len())) {
            let stop = stop.clone();
            let before = held[..at].to_owned();
            self.spoken.held.clear();
            self.say(&before);
            self.spoken.limit.get_or_insert(Limit::StopSequence(stop));
            return;
        }
        // What may be the beginning of a stop sequence waits for what follows.
        let waits = |tail: &str| stops().any(|stop| stop.starts_with(tail));
        let tails = held.char_indices().map(|(at, _)| at);
        let keep = tails.into_iter().find(|at| waits(&held[*at..]));
        let sure = held[..keep.unwrap_or(held.len())].to_owned();
        self.spoken.held.drain(..sure.len());
        self.say(&sure);
    }

    /// Text that is certainly no stop sequence, as far as there are tokens for it.
    fn say(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let Spoken { block, tokens, .. } = &mut self.spoken;
        block.push_str(text);
        let left = self.asked.max_tokens.saturating_sub(*tokens);
        // A token is at least one byte: no need to count while all may be tokens.
        let fits = u32::try_from(block.len()).is_ok_and(|bytes| bytes <= left)
            || tokens::count(block) <= left;
        if fits {
            self.spoken.composer.text(text);
            return;
        }
        let before = block.len() - text.len();
        let keep = tokens::cut(block, left).len().saturating_sub(before);
        if keep > 0 {
            self.spoken.composer.text(&text[..keep]);
        }
        self.spoken.limit = Some(Limit::MaxTokens);
    }

    fn call(&mut self, name: &str) {
        self.close();
        if !self.asked.conversation.tools.iter().any(|t| t.name == name) {
            self.spoken.limit = Some(Limit::Garbled);
            return;
        }
        self.spoken.tool_used = true;
        self.spoken.call = Some(String::new());
        self.spoken.composer.begin_tool_use(name);
    }

    fn input(&mut self, json: &str) {
        match &mut self.spoken.call {
            Some(input) => {
                input.push_str(json);
                if !json.is_empty() {
                    self.spoken.composer.tool_input(json);
                }
            }
            None => self.spoken.limit = Some(Limit::Garbled),
        }
    }

    /// Closes the open block.
    fn close(&mut self) {
        let held = mem::take(&mut self.spoken.held);
        self.say(&held);
        let block = mem::take(&mut self.spoken.block);
        self.spoken.tokens += tokens::count(&block);
        if let Some(input) = self.spoken.call.take() {
            let input = if input.trim().is_empty() {
                "{}"
            } else {
                &input
            };
            match serde_json::from_str(input) {
                Ok(Value::Object(input)) => self.spoken.composer.end_tool_use(input),
                _ => self.spoken.limit = Some(Limit::Garbled),
            }
        } else {
            self.spoken.composer.close();
        }
    }

    /// All that was said, as an answer.
    fn answer(&mut self, stopped: Stopped) -> Answer {
        if self.spoken.limit.is_none() {
            // A tool use that lost its end has no input (recorded).
            if stopped == Stopped::MaxTokens && self.spoken.call.take().is_some() {
                self.spoken.limit = Some(Limit::MaxTokens);
            } else {
                self.close();
            }
        }
        let limit = match (self.spoken.limit.take(), stopped) {
            (None, Stopped::MaxTokens) => Some(Limit::MaxTokens),
            (limit, _) => limit,
        };
        let tool_used = self.spoken.tool_used;
        let (stop, stop_sequence, ending) = match limit {
            None if tool_used => ("tool_use", None, Ending::Complete),
            None => ("end_turn", None, Ending::Complete),
            Some(Limit::MaxTokens) => ("max_tokens", None, Ending::Complete),
            Some(Limit::StopSequence(at)) => ("stop_sequence", Some(at), Ending::Complete),
            Some(Limit::Garbled) => ("end_turn", None, Ending::Fault(Fault::ModelError)),
        };
        let composer = mem::take(&mut self.spoken.composer);
        let beats = composer.beats(ending == Ending::Complete);
        let output = match stop {
            "max_tokens" => self.asked.max_tokens,
            _ => output_tokens(&beats).min(self.asked.max_tokens),
        };
        // What `beats` closed is told as well.
        self.spoken.composer = Composer::told(beats.clone());
        Answer {
            beats,
            stop: stop.to_owned(),
            stop_sequence,
            usage: Usage {
                output,
                ..self.asked.usage
            },
            ending,
            ..Answer::nothing()
        }
    }

    /// The frames of the beats that have not been told.
    fn tell(&mut self) -> Vec<Bytes> {
        let mut out = Vec::new();
        if !self.streams() {
            return out;
        }
        let answer = Answer {
            usage: self.asked.usage,
            ..Answer::nothing()
        };
        let beats = self.spoken.composer.so_far();
        if self.telling.told.is_none() && beats.is_empty() && !self.is_over() {
            return out;
        }
        let Some(found) = resolved(&self.emulator, self.paused.as_deref(), &self.asked) else {
            return out;
        };
        let mut exchange = exchange(&found, &self.asked, &answer, self.telling.rng.clone());
        let events = &mut self.telling.events;
        let told = self.telling.told.unwrap_or_else(|| {
            events.start(&mut exchange, &mut out);
            0
        });
        for beat in beats.iter().skip(told) {
            events.beat(beat, &mut exchange, &mut out);
        }
        self.telling.told = Some(beats.len().max(told));
        self.telling.rng = exchange.rng;
        out
    }

    /// The frames behind the last beat.
    fn ending(&mut self, answer: &Answer, took: Timing) -> Vec<Bytes> {
        let mut out = self.tell();
        let emulator = Arc::clone(&self.emulator);
        let Some(found) = resolved(&emulator, self.paused.as_deref(), &self.asked) else {
            return out;
        };
        let mut exchange = exchange(&found, &self.asked, answer, self.telling.rng.clone());
        if self.telling.told.is_none() {
            self.telling.events.start(&mut exchange, &mut out);
            self.telling.told = Some(0);
        }
        match &answer.ending {
            Ending::Complete => {
                let events = &mut self.telling.events;
                events.finish(took.took(), &mut exchange, &mut out);
            }
            Ending::Fault(fault) => {
                let error = fault.error(true);
                let exception = self.asked.operation.exception();
                out.extend(error.map(|error| exception(&error)));
            }
            Ending::Cut | Ending::Raw(_) => {}
        }
        self.sent(&out, took.whole);
        out
    }

    fn own_answer(&self) -> Result<Answer, Stop> {
        let found = resolved(&self.emulator, self.paused.as_deref(), &self.asked);
        let found = found.ok_or(Stop::Silence(Fault::Disconnect))?;
        let voice = Voice::new(
            self.emulator.config(),
            self.emulator.dials().seed,
            found.model,
            self.asked.operation.streams(),
        );
        let mut answer = voice.generate(&self.asked.conversation)?;
        answer.usage = Usage {
            output: answer.usage.output,
            ..self.asked.usage
        };
        Ok(answer)
    }

    fn conclude(
        &mut self,
        spoken: Result<Answer, Stop>,
        took: Option<Took>,
        note: String,
    ) -> Reply {
        self.resume(note, |pipeline, asked| {
            pipeline.took = took;
            let spoken = spoken.and_then(|answer| match &answer.ending {
                // Outside a stream an exception is the whole reply.
                Ending::Fault(fault) if !asked.operation.streams() => {
                    Err(fault_stop(fault.clone()))
                }
                _ => Ok(answer),
            });
            let catalogue = pipeline.emulator.catalogue();
            let today = pipeline.today();
            let (model, region) = (&asked.model, &pipeline.region);
            let own = pipeline.account.application_profiles(model);
            let found = asked
                .operation
                .resolve(catalogue, model, region, today, &own)?;
            let invocation = Invocation {
                operation: asked.operation,
                input: &asked.input,
                resolved: &found,
                conversation: &asked.conversation,
            };
            let answered = pipeline.conclude(&invocation, spoken);
            pipeline.asked = Some((asked.operation, found));
            Ok(Ready::Model(Box::new(answered?)))
        })
    }

    /// The pipeline's second half.
    fn resume(
        &mut self,
        note: String,
        half: impl FnOnce(&mut Pipeline<'_>, &LetIn) -> Result<Ready, Stop>,
    ) -> Reply {
        let paused = self.paused.take();
        let paused = *paused
            .expect("a question is concluded once: by a method that takes it, or by its drop");
        let emulator = Arc::clone(&self.emulator);
        let mut pipeline = Pipeline::resume(&emulator, paused);
        pipeline.record.note = Some(note);
        let result = half(&mut pipeline, &self.asked);
        let mut reply = pipeline.end(result);
        // The journal shows when each frame left.
        if let Body::Frames { frames, .. } = &mut reply.body
            && !self.telling.sent.is_empty()
        {
            *frames = mem::take(&mut self.telling.sent);
        }
        pipeline.leave(reply)
    }
}

/// The model's row in the catalogue, as when the request arrived.
fn resolved<'e>(
    emulator: &'e Emulator,
    paused: Option<&Paused>,
    asked: &LetIn,
) -> Option<crate::catalogue::Resolved<'e>> {
    let paused = paused?;
    let today = emulator.config().today;
    let today = today.unwrap_or_else(|| paused.now.date());
    let catalogue = emulator.catalogue();
    let own = paused.account.application_profiles(&asked.model);
    let found = asked
        .operation
        .resolve(catalogue, &asked.model, &paused.region, today, &own);
    found.ok()
}

fn exchange<'x>(
    found: &'x crate::catalogue::Resolved<'_>,
    asked: &'x LetIn,
    answer: &'x Answer,
    rng: Rng,
) -> Exchange<'x> {
    Exchange {
        model: found.model,
        input: &asked.input,
        conversation: &asked.conversation,
        answer,
        latency: Latency::none(),
        took: None,
        // Vectors are never asked of another model.
        seed: 0,
        guard: None,
        rng,
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.paused.is_some() {
            let answer = Answer {
                ending: Ending::Cut,
                ..self.answer(Stopped::Done)
            };
            self.conclude(Ok(answer), None, "the client left".to_owned());
        }
    }
}

/// Whose words they were, and how long they took.
#[derive(Debug, Clone, Copy)]
pub struct Timing<'t> {
    /// What the journal calls the other model.
    pub from: &'t str,
    /// From the request's arrival to the first word.
    pub first: Duration,
    /// From the request's arrival to the end.
    pub whole: Duration,
}

impl Timing<'_> {
    fn took(self) -> Took {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        Took {
            latency_ms: millis(self.whole),
            first_token_ms: millis(self.first),
        }
    }
}

impl<'a> Pipeline<'a> {
    pub(super) fn pause(self) -> Paused {
        Paused {
            request: self.request,
            now: self.now,
            rng: self.rng,
            region: self.region,
            account: self.account,
            record: self.record,
            tracer: self.tracer,
            reservation: self.reservation,
            protocol: self.protocol,
            blow: self.blow,
        }
    }

    pub(super) fn resume(emulator: &'a Emulator, paused: Paused) -> Self {
        Self {
            emulator,
            request: paused.request,
            now: paused.now,
            rng: paused.rng,
            region: paused.region,
            account: paused.account,
            record: paused.record,
            tracer: paused.tracer,
            asked: None,
            known: None,
            reservation: paused.reservation,
            logged: false,
            protocol: paused.protocol,
            blow: paused.blow,
            asks: false,
            waits: false,
            question: None,
            took: None,
            held: None,
            guard: None,
            dials: emulator.dials(),
        }
    }
}
