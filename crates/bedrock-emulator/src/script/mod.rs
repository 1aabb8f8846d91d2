//! Scripted answers: what a test tells the emulator to say next.
//!
//! A script is a list of [`Rule`]s. A model invocation that passes authentication and validation of
//! its route is answered by the first rule that is about it and has an answer left; if there is none,
//! the emulator answers by itself, or refuses with the reason when the script is strict.
//!
//! A [`Step`] alone is a rule about every request that answers once, so steps are used up in order.
//! Rules come from Rust, from a TOML file ([`Document`]) and from the control API; files and API use
//! the same keys.
//!
//! Read in this order: this file (what a script is), `when` and `text` (which requests), `read` and
//! `show` (the keys of a rule in TOML and JSON).

mod read;
mod show;
mod text;
mod when;

use std::collections::VecDeque;

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    error::{ApiError, Code},
    wire::Due,
};

pub use crate::document::Mistake;
pub use read::Document;
pub use text::{Numbers, Text};
pub use when::When;
pub(crate) use when::{Asked, Only};
pub(crate) use {read::fault as read_fault, show::fault as show_fault};

/// Requests, and what is answered to them.
///
/// ```
/// use bedrock_emulator::script::{Fault, Rule, Step, Text, When};
///
/// let rule = Rule::when(When::any().prompt(Text::contains("weather")))
///     .named("weather fails once")
///     .then(Step::Fault(Fault::ServiceUnavailable))
///     .then_always(Step::text("Sunny."));
/// assert_eq!(rule.name(), Some("weather fails once"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    name: Option<String>,
    when: When,
    answers: Vec<Said>,
}

/// One answer of a rule.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    step: Step,
    /// How often; `None`: always.
    times: Option<u64>,
}

impl Rule {
    /// A rule about these requests that has no answer yet.
    pub fn when(when: When) -> Self {
        Self {
            name: None,
            when,
            answers: Vec::new(),
        }
    }

    /// Gives it a name, for the journal and for messages.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its next answer, once.
    #[must_use]
    pub fn then(self, step: Step) -> Self {
        self.then_times(1, step)
    }

    /// Its next answer, so many times.
    #[must_use]
    pub fn then_times(mut self, times: u64, step: Step) -> Self {
        let times = Some(times);
        self.answers.push(Said { step, times });
        self
    }

    /// Its last answer: again and again.
    #[must_use]
    pub fn then_always(mut self, step: Step) -> Self {
        self.answers.push(Said { step, times: None });
        self
    }

    /// Its name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The accounts it is for; none: wherever it is put.
    pub(crate) fn accounts(&self) -> &[String] {
        self.when.accounts()
    }

    /// The answer after `used` others, if there is one.
    fn answer(&self, used: u64) -> Option<&Step> {
        let mut before = 0;
        for said in &self.answers {
            let Some(times) = said.times else {
                return Some(&said.step);
            };
            before += times;
            if used < before {
                return Some(&said.step);
            }
        }
        None
    }

    /// How many answers are left after `used` others; `None`: without end.
    fn left(&self, used: u64) -> Option<u64> {
        let times: Option<u64> = self.answers.iter().map(|said| said.times).sum();
        times.map(|times| times.saturating_sub(used))
    }
}

impl From<Step> for Rule {
    /// Once, about every request.
    fn from(step: Step) -> Self {
        Self::when(When::any()).then(step)
    }
}

/// What is still to be said.
#[derive(Debug, Default)]
pub(crate) struct Script {
    slots: VecDeque<Slot>,
    /// Whether a request that no rule is about is refused.
    pub(crate) strict: bool,
    last_id: u64,
}

/// A rule in use.
#[derive(Debug)]
struct Slot {
    /// Counts all rules of the script from 1.
    id: u64,
    rule: Rule,
    since: Option<OffsetDateTime>,
    /// Requests that its conditions held for while it had answers left.
    seen: u64,
    /// Answers given.
    used: u64,
}

/// What a script says to one request.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) step: Step,
    /// Name or number of the rule; none for a plain step.
    pub(crate) rule: Option<String>,
}

impl Line {
    /// Gates of an account are its own: two accounts may use the same names.
    pub(crate) fn name_gates_after(&mut self, account: &str) {
        if let Step::Say(pieces) = &mut self.step {
            for piece in pieces {
                if let Piece::Gate(name) = piece {
                    *name = format!("{account}/{name}");
                }
            }
        }
    }
}

impl Script {
    /// Appends rules. Times are counted from `since`, or from the first request that comes.
    pub(crate) fn extend(
        &mut self,
        rules: impl IntoIterator<Item = Rule>,
        since: Option<OffsetDateTime>,
    ) {
        for rule in rules {
            self.last_id += 1;
            self.slots.push_back(Slot {
                id: self.last_id,
                rule,
                since,
                seen: 0,
                used: 0,
            });
        }
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Drops every rule.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.strict = false;
    }

    /// How many answers are left, without those that never end.
    pub(crate) fn left(&self) -> usize {
        let left = self
            .slots
            .iter()
            .filter_map(|slot| slot.rule.left(slot.used));
        usize::try_from(left.sum::<u64>()).unwrap_or(usize::MAX)
    }

    /// The answer to this invocation, used up. An error when nothing fits and the script is strict.
    pub(crate) fn next(&mut self, asked: &Asked<'_>) -> Result<Option<Line>, ApiError> {
        if self.slots.is_empty() && !self.strict {
            return Ok(None);
        }
        let found = self.slots.iter_mut().position(|slot| slot.takes(asked));
        let Some(index) = found else {
            return if self.strict {
                Err(self.refusal(asked))
            } else {
                Ok(None)
            };
        };
        let slot = &mut self.slots[index];
        let plain = slot.rule.name.is_none() && slot.rule.when.is_any();
        let step = slot.rule.answer(slot.used).cloned();
        slot.used += 1;
        let name = slot.name();
        if plain && slot.rule.left(slot.used) == Some(0) {
            self.slots.remove(index);
        }
        Ok(step.map(|step| Line {
            step,
            rule: (!plain).then_some(name),
        }))
    }

    /// All rules with what became of them.
    pub(crate) fn shown(&self) -> Vec<Value> {
        let rules = self.slots.iter().map(|slot| {
            let mut shown = show::rule(&slot.rule);
            shown["id"] = slot.id.into();
            shown["answered"] = slot.used.into();
            shown["left"] = slot
                .rule
                .left(slot.used)
                .map_or("always".into(), Value::from);
            shown
        });
        rules.collect()
    }

    /// Names the rule that came nearest, and why it is not about this request.
    fn refusal(&self, asked: &Asked<'_>) -> ApiError {
        let candidates = self.slots.iter().map(|slot| {
            let (held, mut objections) = slot.rule.when.objections(asked);
            if slot.rule.answer(slot.used).is_none() {
                objections.push(format!("it has given its {} answers", slot.used));
            } else if objections.is_empty() {
                objections.push(slot.rule.when.not_its_turn(slot.seen));
            }
            (slot, held, objections)
        });
        // The earliest of equals: rules are asked in order.
        let nearest = candidates.min_by_key(|(_, held, why)| (why.len(), usize::MAX - held));
        let why = match nearest {
            None => "The script is empty.".to_owned(),
            Some((slot, _, why)) => {
                format!("The nearest is {}: {}.", slot.name(), why.join("; "))
            }
        };
        ApiError::bedrock(
            Code::Validation,
            format!(
                "Bedrock Workshop: no scripted reply fits this {} call, and the script is strict. \
                 {why} Change the request or the script, or drop `strict = true` to let the \
                 emulator answer by itself.",
                asked.operation
            ),
        )
    }
}

impl Slot {
    /// Whether it answers this request. Requests that fit are counted.
    fn takes(&mut self, asked: &Asked<'_>) -> bool {
        let since = *self.since.get_or_insert(asked.now);
        if self.rule.answer(self.used).is_none() || !self.rule.when.holds(asked) {
            return false;
        }
        self.seen += 1;
        self.rule.when.is_its_turn(self.seen, asked.now - since)
    }

    /// `"weather"` or `reply 2`.
    fn name(&self) -> String {
        match &self.rule.name {
            Some(name) => name.clone(),
            None => format!("reply {}", self.id),
        }
    }
}

/// What the emulator does with one model invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The model says this. Streaming operations send one delta for each [`Piece::Text`];
    /// the others join neighbours into one content block.
    Say(Vec<Piece>),
    /// The invocation fails.
    Fault(Fault),
    /// Something that is not Bedrock's: a proxy's error page, a body that is not JSON.
    Raw(Raw),
}

/// An answer that is not Bedrock's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Step {
    /// The model answers `text` and ends its turn.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Say(vec![Piece::Text(text.into())])
    }
}

/// One part of a scripted answer, in the order in which it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text; neighbours belong to one content block, one delta each.
    Text(String),
    /// Closes the current content block, so that the next text starts a new one.
    NewBlock,
    /// A block of reasoning (Claude's thinking).
    Reasoning(String),
    /// The model asks for a tool.
    ToolUse {
        /// The tool's name.
        name: String,
        /// The input, any JSON object.
        input: Value,
    },
    /// Replaces the stop reason, in Converse's spelling (`end_turn`, `max_tokens`, …).
    Stop(String),
    /// Replaces the token usage.
    Usage {
        /// Input tokens.
        input: u32,
        /// Output tokens.
        output: u32,
    },
    /// Everything after this waits until the test opens the gate of that name.
    Gate(String),
    /// Everything after this waits that long.
    Pause(std::time::Duration),
    /// A modelled exception inside the stream; ends it. Outside a stream: the whole reply, behind the
    /// gates and pauses before it.
    Exception(Fault),
    /// The connection is cut here.
    Cut,
    /// The reply's body is replaced by these bytes (not a stream): for "not JSON" and the like.
    Raw(Vec<u8>),
}

/// A failure Bedrock can answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 `ThrottlingException`; `retry_after_ms` becomes `x-amz-retry-after`.
    Throttling {
        /// Milliseconds the service asks the client to wait, if it says so.
        retry_after_ms: Option<u64>,
    },
    /// 503 `ServiceUnavailableException`.
    ServiceUnavailable,
    /// 500 `InternalServerException`.
    InternalServer,
    /// 408 `ModelTimeoutException`.
    ModelTimeout,
    /// 424 `ModelErrorException`; inside a stream `modelStreamErrorException`.
    ModelError,
    /// 429 `ModelNotReadyException`.
    ModelNotReady,
    /// 403 `AccessDeniedException`, Bedrock's own "no access to the model".
    AccessDenied,
    /// 400 `ValidationException` with this message.
    Validation(String),
    /// 404 `ResourceNotFoundException` with this message.
    ResourceNotFound(String),
    /// 400 `ServiceQuotaExceededException`.
    ServiceQuotaExceeded,
    /// Any other error of the table, or another text.
    Error(ApiError),
    /// The request is read and never answered.
    Hang,
    /// The connection is closed without an answer.
    Disconnect,
}

/// When a reply is due if a script does not say otherwise: at once.
pub const AT_ONCE: Due = Due::After(std::time::Duration::ZERO);
