//! What a gateway checks before a request costs anything, and in which order.

use std::{collections::HashMap, time::Duration};

use serde_json::Value;

// region: bucket
/// A token bucket: `burst` requests at once, then `per_second` more.
#[derive(Debug, Clone)]
pub struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    seen: Duration,
}

impl Bucket {
    /// A full bucket.
    pub fn new(burst: u32, per_second: f64) -> Self {
        Self {
            burst: burst.into(),
            per_second,
            tokens: burst.into(),
            seen: Duration::ZERO,
        }
    }

    /// Takes one token, or says how long until there is one.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.seen).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.seen = self.seen.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - self.tokens) / self.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}
// endregion: bucket

// region: gate
/// One bucket for each caller: a noisy one cannot empty another's.
#[derive(Debug)]
pub struct Gate {
    /// Caller → bucket.
    pub callers: HashMap<String, Bucket>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// On to Lambda.
    Forward,
    /// 401: nobody we know.
    Unknown,
    /// 429, with the wait for `retry-after`.
    SlowDown(Duration),
    /// 400: not what the API takes.
    Invalid,
}

impl Gate {
    /// Decides about one request. `caller` is who the authorizer says it is.
    ///
    /// Who, then how often, then what: an unknown caller must not fill a bucket, and a malformed
    /// request is not free. A cache comes after all three, or it answers strangers.
    pub fn decide(&mut self, now: Duration, caller: Option<&str>, body: &str) -> Decision {
        let Some(bucket) = caller.and_then(|name| self.callers.get_mut(name)) else {
            return Decision::Unknown;
        };
        if let Err(wait) = bucket.take(now) {
            return Decision::SlowDown(wait);
        }
        match serde_json::from_str::<Value>(body) {
            Ok(body) if body["prompt"].is_string() => Decision::Forward,
            _ => Decision::Invalid,
        }
    }
}
// endregion: gate

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Bucket, Decision, Gate};

    const GOOD: &str = r#"{"prompt": "Hello"}"#;

    fn gate() -> Gate {
        let callers = ["ann", "bob"].map(|name| (name.to_owned(), Bucket::new(5, 2.0)));
        Gate {
            callers: callers.into(),
        }
    }

    /// Of `n` requests at one moment: how many pass.
    fn passed(gate: &mut Gate, now: Duration, caller: &str, body: &str, n: usize) -> usize {
        (0..n)
            .filter(|_| gate.decide(now, Some(caller), body) == Decision::Forward)
            .count()
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let mut gate = gate();
        let at = Duration::from_millis;
        assert_eq!(passed(&mut gate, at(0), "ann", GOOD, 12), 5);
        assert_eq!(passed(&mut gate, at(1_000), "ann", GOOD, 12), 2);
        assert_eq!(passed(&mut gate, at(900_000), "ann", GOOD, 12), 5);
        assert_eq!(
            gate.decide(at(900_000), Some("ann"), GOOD),
            Decision::SlowDown(at(500))
        );
        assert_eq!(passed(&mut gate, at(900_000), "bob", GOOD, 12), 5);
    }

    #[test]
    fn strangers_are_refused_and_nonsense_costs_a_token() {
        let mut gate = gate();
        let now = Duration::ZERO;
        assert_eq!(gate.decide(now, None, GOOD), Decision::Unknown);
        assert_eq!(gate.decide(now, Some("eve"), GOOD), Decision::Unknown);
        for body in ["", "{", "[]", r#"{"prompt": 1}"#] {
            assert_eq!(gate.decide(now, Some("ann"), body), Decision::Invalid);
        }
        assert_eq!(passed(&mut gate, now, "ann", GOOD, 12), 1);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away_and_a_rate_of_nothing_does_not_panic() {
        let mut bucket = Bucket::new(1, 1.0);
        assert_eq!(bucket.take(Duration::from_secs(10)), Ok(()));
        assert!(bucket.take(Duration::from_secs(5)).is_err());
        assert!(bucket.take(Duration::from_secs(10)).is_err());
        assert_eq!(bucket.take(Duration::from_secs(11)), Ok(()));

        let mut dry = Bucket::new(0, 0.0);
        assert_eq!(dry.take(Duration::from_secs(1)), Err(Duration::MAX));
    }
}
