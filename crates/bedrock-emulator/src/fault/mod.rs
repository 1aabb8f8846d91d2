//! Fault rules: failures and delays by rate, count and schedule, beside any script.
//!
//! A rule looks at every request of its account that AWS would let through: signed, permitted, valid
//! and within the quotas. What the front door says about signatures and tokens comes earlier, right
//! after the caller is known. Several rules may hit one request: delays add up, and the first error
//! or broken connection in the order of the rules is what the client gets.
//!
//! Chance is the rule's own: its seed and the number of the request among those it looks at decide,
//! so the same requests in the same order fail in the same way, whatever other rules do.

mod read;
mod wire;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    error::{ApiError, Code},
    refusal::Refusal,
    rng::{Rng, hash},
    script::{Asked, Fault, When},
};

/// A failure or a delay, and which requests it hits.
///
/// ```
/// use bedrock_emulator::{fault::FaultRule, script::{Fault, When}};
///
/// let rule = FaultRule::new(Fault::ServiceUnavailable)
///     .when(When::any().operation("Converse*"))
///     .rate(0.2)
///     .count(5);
/// assert_eq!(rule.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    name: Option<String>,
    when: When,
    /// Part of the requests, from 0 to 1.
    rate: Option<f64>,
    seed: Option<u64>,
    count: Option<u64>,
    strike: Option<Fault>,
    /// The strike comes inside the answer's stream.
    after_frames: Option<usize>,
    latency: Duration,
    frame_delay: Duration,
}

impl FaultRule {
    /// Requests fail like this.
    pub fn new(fault: Fault) -> Self {
        Self {
            strike: Some(fault),
            ..Self::delay(Duration::ZERO)
        }
    }

    /// Answers come that much later.
    pub fn delay(latency: Duration) -> Self {
        Self {
            name: None,
            when: When::any(),
            rate: None,
            seed: None,
            count: None,
            strike: None,
            after_frames: None,
            latency,
            frame_delay: Duration::ZERO,
        }
    }

    /// Gives it a name, for the journal.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only these requests: conditions on operation, model and headers, `call` and time.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Only this part of them, from 0 to 1.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate.clamp(0.0, 1.0));
        self
    }

    /// What decides which part; by default the emulator's seed and the rule's name.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// At most so many.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// The failure comes inside the stream, after so many frames; an answer that is not a stream
    /// fails as a whole.
    #[must_use]
    pub fn after_frames(mut self, frames: usize) -> Self {
        self.after_frames = Some(frames);
        self
    }

    /// Each frame of a stream comes that much later than the one before.
    #[must_use]
    pub fn frame_delay(mut self, delay: Duration) -> Self {
        self.frame_delay = delay;
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

    /// Whether it stands for the front door, which speaks before anything else is looked at.
    fn is_front_door(&self) -> bool {
        matches!(&self.strike, Some(Fault::Error(error)) if error.is_front_door())
    }
}

/// The fault rules of one account.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Whether there is any: without one a request pays one load for this module.
    armed: AtomicBool,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    slots: Vec<Slot>,
    last_id: u64,
}

/// A rule in use.
#[derive(Debug)]
struct Slot {
    id: u64,
    rule: FaultRule,
    since: Option<OffsetDateTime>,
    /// Requests it looked at.
    seen: u64,
    /// Requests it hit.
    hit: u64,
}

/// What the rules do to one request.
#[derive(Debug, Default)]
pub(crate) struct Blow {
    pub(crate) latency: Duration,
    pub(crate) frame_delay: Duration,
    pub(crate) strike: Option<Fault>,
    pub(crate) after_frames: Option<usize>,
    /// Names of the rules that hit it, joined.
    pub(crate) names: String,
}

/// When rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The caller is known, nothing else is decided.
    FrontDoor,
    /// The request would be answered now.
    Bedrock,
}

impl Faults {
    /// Appends rules and tells their ids. Times are counted from `since`, or from the first request.
    pub(crate) fn extend(
        &self,
        rules: impl IntoIterator<Item = FaultRule>,
        since: Option<OffsetDateTime>,
    ) -> Vec<u64> {
        let mut slots = self.lock();
        let first = slots.last_id + 1;
        for rule in rules {
            slots.last_id += 1;
            let id = slots.last_id;
            slots.slots.push(Slot {
                id,
                rule,
                since,
                seen: 0,
                hit: 0,
            });
        }
        self.armed.store(!slots.slots.is_empty(), Ordering::Relaxed);
        (first..=slots.last_id).collect()
    }

    /// Drops one rule; `false` if there is none of that number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut slots = self.lock();
        let before = slots.slots.len();
        slots.slots.retain(|slot| slot.id != id);
        self.armed.store(!slots.slots.is_empty(), Ordering::Relaxed);
        slots.slots.len() < before
    }

    /// Drops every rule.
    pub(crate) fn clear(&self) {
        let mut slots = self.lock();
        slots.slots.clear();
        self.armed.store(false, Ordering::Relaxed);
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().slots.len()
    }

    /// All rules with what became of them.
    pub(crate) fn shown(&self) -> Vec<Value> {
        let slots = self.lock();
        let rules = slots.slots.iter().map(|slot| {
            let mut shown = read::shown(&slot.rule);
            shown["id"] = slot.id.into();
            shown["seen"] = slot.seen.into();
            shown["hit"] = slot.hit.into();
            shown
        });
        rules.collect()
    }

    /// Whether any request could be hit.
    pub(crate) fn armed(&self) -> bool {
        self.armed.load(Ordering::Relaxed)
    }

    /// What hits this request now; `None`: nothing. `seed` is the emulator's.
    pub(crate) fn strike(&self, asked: &Asked<'_>, stage: Stage, seed: u64) -> Option<Blow> {
        if !self.armed() {
            return None;
        }
        let mut blow = Blow::default();
        for slot in &mut self.lock().slots {
            let at_door = slot.rule.is_front_door();
            if at_door == (stage == Stage::FrontDoor) && slot.hits(asked, seed, &blow) {
                slot.land(&mut blow);
            }
        }
        (!blow.names.is_empty()).then_some(blow)
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whether it hits this request. A second failure finds the request already failed: it does not
    /// count as one of its own.
    fn hits(&mut self, asked: &Asked<'_>, seed: u64, blow: &Blow) -> bool {
        let since = *self.since.get_or_insert(asked.now);
        let rule = &self.rule;
        if !rule.when.holds(asked) {
            return false;
        }
        self.seen += 1;
        rule.when.is_its_turn(self.seen, asked.now - since)
            && rule.count.is_none_or(|most| self.hit < most)
            && (rule.strike.is_none() || blow.strike.is_none())
            && self.is_drawn(seed)
    }

    fn is_drawn(&self, seed: u64) -> bool {
        const PARTS: u64 = 1 << 32;
        let Some(rate) = self.rule.rate else {
            return true;
        };
        let seed = self.rule.seed.unwrap_or(seed ^ hash(&self.name()));
        let drawn = Rng::new(seed, &[self.seen]).below(PARTS);
        #[expect(clippy::cast_precision_loss, reason = "32 bits are exact in an f64")]
        let (drawn, parts) = (drawn as f64, PARTS as f64);
        drawn < rate * parts
    }

    fn land(&mut self, blow: &mut Blow) {
        self.hit += 1;
        let rule = &self.rule;
        blow.latency = blow.latency.saturating_add(rule.latency);
        blow.frame_delay = blow.frame_delay.saturating_add(rule.frame_delay);
        if let Some(strike) = &rule.strike {
            blow.strike = Some(strike.clone());
            blow.after_frames = rule.after_frames;
        }
        if !blow.names.is_empty() {
            blow.names.push_str(", ");
        }
        blow.names.push_str(&self.name());
    }

    fn name(&self) -> String {
        match &self.rule.name {
            Some(name) => name.clone(),
            None => format!("fault {}", self.id),
        }
    }
}

impl Fault {
    /// This error, with its usual text unless another is given.
    pub(crate) fn of(code: Code, message: Option<&str>, retry_after_ms: Option<u64>) -> Self {
        match (code, message, retry_after_ms) {
            (Code::Throttling, None, retry_after_ms) => Self::Throttling { retry_after_ms },
            (Code::ServiceUnavailable, None, None) => Self::ServiceUnavailable,
            (Code::InternalServer, None, None) => Self::InternalServer,
            (Code::ModelTimeout, None, None) => Self::ModelTimeout,
            (Code::ModelError, None, None) => Self::ModelError,
            (Code::ModelNotReady, None, None) => Self::ModelNotReady,
            (Code::AccessDenied, None, None) => Self::AccessDenied,
            (Code::ServiceQuotaExceeded, None, None) => Self::ServiceQuotaExceeded,
            _ => {
                let usual = ApiError::usual(code);
                let error = match message {
                    Some(message) => usual.saying(message),
                    None => usual,
                };
                Self::Error(error.retry_after(retry_after_ms))
            }
        }
    }

    /// A refusal with a fixed text, or with another one.
    pub(crate) fn refused(
        refusal: Refusal,
        message: Option<&str>,
        retry_after_ms: Option<u64>,
    ) -> Self {
        let error = refusal.error();
        let error = match message {
            Some(message) => error.saying(message),
            None => error,
        };
        Self::Error(error.retry_after(retry_after_ms))
    }

    /// What it says; `None` when it says nothing at all.
    pub(crate) fn error(&self, in_stream: bool) -> Option<ApiError> {
        Some(match self {
            Self::Throttling { retry_after_ms } => {
                ApiError::usual(Code::Throttling).retry_after(*retry_after_ms)
            }
            Self::ServiceUnavailable => ApiError::usual(Code::ServiceUnavailable),
            Self::InternalServer => ApiError::usual(Code::InternalServer),
            Self::ModelTimeout => ApiError::usual(Code::ModelTimeout),
            Self::ModelError if in_stream => ApiError::usual(Code::ModelStreamError),
            Self::ModelError => ApiError::usual(Code::ModelError),
            Self::ModelNotReady => ApiError::usual(Code::ModelNotReady),
            Self::AccessDenied => ApiError::usual(Code::AccessDenied),
            Self::Validation(message) => ApiError::validation(message),
            Self::ResourceNotFound(message) => ApiError::bedrock(Code::ResourceNotFound, message),
            Self::ServiceQuotaExceeded => ApiError::usual(Code::ServiceQuotaExceeded),
            Self::Error(error) => error.clone(),
            Self::Hang | Self::Disconnect => return None,
        })
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal, None, None)
    }
}

impl ApiError {
    /// The error as it is mostly met, with its text.
    pub fn usual(code: Code) -> Self {
        let text = match code {
            Code::Throttling => Refusal::TooManyRequests.text(),
            Code::ServiceUnavailable => Refusal::UnableToProcess.text(),
            Code::InternalServer => Refusal::InternalServer.text(),
            Code::ModelTimeout => Refusal::ModelTimeout.text(),
            Code::ModelError | Code::ModelStreamError => Refusal::ModelError.text(),
            Code::ModelNotReady => Refusal::ModelNotReady.text(),
            Code::AccessDenied => Refusal::ModelAccess.text(),
            // The service model's code; the text was not seen live.
            Code::ServiceQuotaExceeded => {
                "Your request exceeds the service quota for your account."
            }
            Code::Validation => Refusal::UnknownModel.text(),
            Code::ResourceNotFound => Refusal::EndOfLife.text(),
            Code::UnrecognizedClient => "The security token included in the request is invalid.",
            Code::ExpiredToken => "The security token included in the request is expired",
            Code::InvalidSignature => {
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details."
            }
            Code::IncompleteSignature => {
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header."
            }
            Code::Serialization => "Start of structure or map found where not expected",
            // Codes of other services; no recording shows a text.
            _ => "The request cannot be processed.",
        };
        match code {
            Code::UnrecognizedClient
            | Code::ExpiredToken
            | Code::InvalidSignature
            | Code::IncompleteSignature => Self::signature(code, text),
            Code::Serialization => Self::front_door(code, text),
            _ => Self::bedrock(code, text),
        }
    }

    /// Whether signatures and tokens are what it is about.
    fn is_front_door(&self) -> bool {
        matches!(
            self.code(),
            Code::UnrecognizedClient
                | Code::ExpiredToken
                | Code::InvalidSignature
                | Code::IncompleteSignature
        )
    }
}
