//! When each part of an answer leaves: latency, pauses and gates turned into [`Due`] times.

use std::time::Duration;

use crate::{
    answer::tokens,
    answer_plan::{Answer, Beat, Head, Part},
    catalogue::Model,
    emulator::Latency,
    journal::Usage,
    ops::Took,
    rng::Rng,
    wire::{Due, Gate},
};

/// A clock that runs along the beats of one answer, in time since the request arrived or, behind a
/// gate, since it opened.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Milliseconds for one token.
    token_ms: f64,
    /// Tokens of thinking that is not shown; it takes its time all the same.
    hidden_tokens: u32,
    rng: Rng,
    now: Duration,
    first: Duration,
    /// Time spent before the last gate, waiting for it not counted.
    before: Duration,
    gates: Vec<Gate>,
}

impl Pace {
    /// Starts at the first token of `answer`.
    pub(crate) fn new(latency: Latency, model: &Model, answer: &Answer, rng: Rng) -> Self {
        let (first_ms, token_ms) = match latency {
            Latency::None => (0.0, 0.0),
            Latency::Fixed {
                first_token_ms,
                per_token_ms,
            } => (f64::from(first_token_ms), f64::from(per_token_ms)),
            Latency::Model => of_model(model, answer.usage),
        };
        let mut pace = Self {
            token_ms,
            hidden_tokens: answer.hidden_tokens,
            rng,
            now: Duration::ZERO,
            first: Duration::ZERO,
            before: Duration::ZERO,
            gates: Vec::new(),
        };
        pace.now = pace.jittered(first_ms);
        pace.first = pace.now;
        pace
    }

    /// For an answer that has been given already: everything leaves at once.
    pub(crate) fn measured(took: Took) -> Self {
        Self {
            token_ms: 0.0,
            hidden_tokens: 0,
            rng: Rng::new(0, &[]),
            now: Duration::ZERO,
            first: Duration::from_millis(took.first_token_ms),
            before: Duration::from_millis(took.latency_ms),
            gates: Vec::new(),
        }
    }

    /// When something leaves that comes behind the gates and pauses among `beats` and takes no time
    /// of its own; `None` if there are none.
    pub(crate) fn waits(beats: &[Beat]) -> Option<Due> {
        let waits = |beat: &&Beat| matches!(beat, Beat::Gate(_) | Beat::Pause(_));
        let mut waits = beats.iter().filter(waits).peekable();
        waits.peek()?;
        let mut pace = Self::measured(Took::default());
        waits.for_each(|beat| pace.pass(beat));
        Some(pace.due())
    }

    /// When the next part leaves.
    pub(crate) fn due(&mut self) -> Due {
        match std::mem::take(&mut self.gates) {
            gates if gates.is_empty() => Due::After(self.now),
            gates => Due::Gates(gates, self.now),
        }
    }

    /// Moves on past `beat`.
    pub(crate) fn pass(&mut self, beat: &Beat) {
        match beat {
            Beat::Pause(time) => self.now += *time,
            Beat::Gate(name) => {
                let after = std::mem::take(&mut self.now);
                self.before += after;
                let name = name.clone();
                self.gates.push(Gate { after, name });
            }
            // Nothing is counted where nothing takes time: many emulators answer at once.
            Beat::Delta(Part::Text(text) | Part::Reasoning(text) | Part::ToolInput(text))
                if self.token_ms > 0.0 =>
            {
                self.spend(tokens::count(text));
            }
            Beat::Open(Head::Reasoning | Head::RedactedReasoning(_)) => {
                let hidden = std::mem::take(&mut self.hidden_tokens);
                self.spend(hidden);
            }
            Beat::Open(_) | Beat::Close | Beat::Delta(_) => {}
        }
    }

    /// Milliseconds so far, at least 1: `metrics.latencyMs` is never 0.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        millis(self.before + self.now)
    }

    /// Milliseconds until the first token, at least 1.
    pub(crate) fn first_ms(&self) -> u64 {
        millis(self.first)
    }

    fn spend(&mut self, tokens: u32) {
        if tokens > 0 && self.token_ms > 0.0 {
            let time = self.jittered(self.token_ms * f64::from(tokens));
            self.now += time;
        }
    }

    /// A time that varies by up to a tenth, as no two answers take the same.
    fn jittered(&mut self, ms: f64) -> Duration {
        let percent = 90 + self.rng.below(21);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a number from 90 to 110 is exact in an f64"
        )]
        let factor = percent as f64 / 100.0;
        Duration::from_secs_f64((ms * factor / 1_000.0).max(0.0))
    }
}

/// Milliseconds until the first token and for each further one.
fn of_model(model: &Model, usage: Usage) -> (f64, f64) {
    /// Input tokens that a model reads in a millisecond. Not published; ten thousand a second is in
    /// the middle of what callers report for long prompts.
    const READ: f64 = 10.0;
    /// The same for what is in the prompt cache.
    const READ_CACHED: f64 = 200.0;
    let read = f64::from(usage.input.saturating_add(usage.cache_write())) / READ;
    let cached = f64::from(usage.cache_read) / READ_CACHED;
    let first = f64::from(model.speed.first_token_ms) + read + cached;
    let token = match model.speed.tokens_per_second {
        0 => 0.0,
        per_second => 1_000.0 / f64::from(per_second),
    };
    (first, token)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
