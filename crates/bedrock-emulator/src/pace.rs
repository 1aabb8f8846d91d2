//! When each part of an answer leaves: latency, pauses and gates turned into [`Due`] times.

use std::time::Duration;

use crate::{
    answer::tokens,
    answer_plan::{Beat, Part},
    emulator::Latency,
    ops::Took,
    rng::Rng,
    wire::{Due, Gate},
};

/// A clock that runs along the beats of one answer, in time since the request arrived or, behind a
/// gate, since it opened.
#[derive(Debug)]
pub(crate) struct Pace {
    latency: Latency,
    rng: Rng,
    now: Duration,
    first: Duration,
    /// Time spent before the last gate, waiting for it not counted.
    before: Duration,
    gates: Vec<Gate>,
}

impl Pace {
    /// Starts at the first token.
    pub(crate) fn new(latency: Latency, rng: Rng) -> Self {
        let mut pace = Self {
            latency,
            rng,
            now: Duration::ZERO,
            first: Duration::ZERO,
            before: Duration::ZERO,
            gates: Vec::new(),
        };
        pace.now = pace.jittered(f64::from(latency.first_token_ms));
        pace.first = pace.now;
        pace
    }

    /// For an answer that has been given already: everything leaves at once.
    pub(crate) fn measured(took: Took) -> Self {
        Self {
            latency: Latency::none(),
            rng: Rng::new(0, &[]),
            now: Duration::ZERO,
            first: Duration::from_millis(took.first_token_ms),
            before: Duration::from_millis(took.latency_ms),
            gates: Vec::new(),
        }
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
            Beat::Delta(Part::Text(text) | Part::Reasoning(text) | Part::ToolInput(text)) => {
                let each = f64::from(self.latency.per_token_ms);
                let time = self.jittered(each * f64::from(tokens::count(text)));
                self.now += time;
            }
            Beat::Open(_) | Beat::Close | Beat::Delta(Part::Signature(_) | Part::Citation(_)) => {}
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

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
