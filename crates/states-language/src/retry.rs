//! Retriers and catchers.

use time::Duration;

use crate::{failure::Failure, machine::StateId, path::ReferencePath, rng::Rng};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Retrier {
    pub(crate) error_equals: Vec<String>,
    pub(crate) interval_seconds: u64,
    pub(crate) max_attempts: u64,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<u64>,
    pub(crate) jitter: Jitter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jitter {
    None,
    /// Any time from nothing to the whole delay.
    Full,
}

impl Retrier {
    pub(crate) fn takes(&self, failure: &Failure) -> bool {
        self.error_equals.iter().any(|name| failure.is(name))
    }

    /// How long to wait when `attempts` retries were made before.
    pub(crate) fn delay(&self, attempts: u64, rng: &mut Rng) -> Duration {
        // Nobody waits longer than the longest delay that may be asked for.
        const LONGEST_SECONDS: f64 = 99_999_999.0;
        let exponent = i32::try_from(attempts).unwrap_or(i32::MAX);
        let interval = f64::from(u32::try_from(self.interval_seconds).unwrap_or(u32::MAX));
        let seconds = interval * self.backoff_rate.powi(exponent);
        let longest = self.max_delay_seconds.map_or(LONGEST_SECONDS, |max| {
            f64::from(u32::try_from(max).unwrap_or(u32::MAX))
        });
        let delay = Duration::seconds_f64(seconds.min(longest).min(LONGEST_SECONDS));
        match self.jitter {
            Jitter::None => delay,
            Jitter::Full => {
                let millis = u64::try_from(delay.whole_milliseconds()).unwrap_or(0);
                let part = rng.below(millis.saturating_add(1));
                Duration::milliseconds(i64::try_from(part).unwrap_or(i64::MAX))
            }
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Catcher {
    pub(crate) error_equals: Vec<String>,
    /// `None`: `null`, which keeps the input and drops the error.
    pub(crate) result_path: Option<ReferencePath>,
    pub(crate) next: StateId,
}

impl Catcher {
    pub(crate) fn takes(&self, failure: &Failure) -> bool {
        self.error_equals.iter().any(|name| failure.is(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier() -> Retrier {
        Retrier {
            error_equals: vec!["States.ALL".to_owned()],
            interval_seconds: 1,
            max_attempts: 3,
            backoff_rate: 2.0,
            max_delay_seconds: None,
            jitter: Jitter::None,
        }
    }

    #[test]
    fn delays_grow_until_the_longest() {
        let mut rng = Rng::new(1);
        let mut delays = |retrier: &Retrier| -> Vec<f64> {
            (0..5)
                .map(|n| retrier.delay(n, &mut rng).as_seconds_f64())
                .collect()
        };
        assert_eq!(delays(&retrier()), [1.0, 2.0, 4.0, 8.0, 16.0]);
        let capped = Retrier {
            max_delay_seconds: Some(3),
            backoff_rate: 1.5,
            ..retrier()
        };
        assert_eq!(delays(&capped), [1.0, 1.5, 2.25, 3.0, 3.0]);
        let endless = retrier().delay(u64::MAX, &mut rng);
        assert_eq!(endless, Duration::seconds(99_999_999));
    }

    #[test]
    fn full_jitter_stays_within_the_delay_and_follows_the_seed() {
        let retrier = Retrier {
            jitter: Jitter::Full,
            interval_seconds: 10,
            ..retrier()
        };
        let delays = |seed| -> Vec<Duration> {
            let mut rng = Rng::new(seed);
            (0..4).map(|n| retrier.delay(n, &mut rng)).collect()
        };
        assert_eq!(delays(5), delays(5));
        assert_ne!(delays(5), delays(6));
        for seed in 0..200 {
            for (delay, whole) in delays(seed).into_iter().zip([10, 20, 40, 80]) {
                assert!(delay >= Duration::ZERO && delay <= Duration::seconds(whole));
            }
        }
    }
}
