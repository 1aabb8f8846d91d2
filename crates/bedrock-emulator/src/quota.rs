//! Quotas: requests per minute, tokens per minute, tokens per day.
//!
//! A request reserves its input and its `max_tokens` when it is let in, and gives back what it did not
//! use when its answer ends. What it used is input, cache writes, and output times the model's
//! burndown rate; cache reads are free (AWS's documentation of the burndown). How AWS refills is
//! not documented; here a minute's allowance refills steadily, and the day ends at midnight UTC
//! (chosen). All of it goes by the times of requests.

use std::collections::{BTreeMap, HashMap};

use time::{Date, OffsetDateTime};

use crate::{
    catalogue::{self, Resolved},
    error::{ApiError, Code},
    journal::Usage,
};

/// What an account may use of one model or inference profile. `None`: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens per minute.
    pub tokens_per_minute: Option<u64>,
    /// Tokens per day.
    pub tokens_per_day: Option<u64>,
}

/// Which quotas are enforced. The default enforces none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Whether every model has the default quotas of the catalogue.
    pub from_catalogue: bool,
    /// Limits by inference profile id, model id, or `*` for all; the first of these that is there
    /// counts, and before the catalogue's.
    pub limits: BTreeMap<String, Limits>,
}

impl Quotas {
    /// The limits of a request, and the name under which they are counted.
    fn of(&self, resolved: &Resolved<'_>) -> Option<(String, Limits)> {
        let called = resolved.metric_id();
        let model = &resolved.model.id;
        if let Some(limits) = self.limits.get(&called) {
            return Some((called, *limits));
        }
        if let Some(limits) = self.limits.get(model) {
            return Some((model.clone(), *limits));
        }
        if let Some(limits) = self.limits.get("*") {
            return Some((called, *limits));
        }
        let per_minute = resolved.tokens_per_minute();
        self.from_catalogue.then(|| {
            let limits = Limits {
                // Bedrock stopped enforcing requests per minute on 2026-05-27 (its release notes).
                requests_per_minute: None,
                tokens_per_minute: Some(per_minute),
                tokens_per_day: Some(catalogue::Quotas::tokens_per_day(per_minute)),
            };
            (called, limits)
        })
    }

    pub(crate) fn off(&self) -> bool {
        !self.from_catalogue && self.limits.is_empty()
    }
}

/// Tokens as they count against a quota (`EstimatedTPMQuotaUsage`).
pub(crate) fn tokens(usage: Usage, output_burndown: u32) -> u64 {
    u64::from(usage.input)
        + u64::from(usage.cache_write())
        + u64::from(usage.output) * u64::from(output_burndown)
}

/// Tokens that a request holds until its answer ends.
#[derive(Debug)]
pub(crate) struct Reservation {
    name: String,
    tokens: u64,
}

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Requests,
    Tokens,
    TokensPerDay,
}

impl Exceeded {
    /// The texts are recorded or pasted from live calls.
    pub(crate) fn error(self) -> ApiError {
        let message = match self {
            Self::Requests => "Too many requests, please wait before trying again.",
            Self::Tokens => "Too many tokens, please wait before trying again.",
            Self::TokensPerDay => "Too many tokens per day, please wait before trying again.",
        };
        ApiError::bedrock(Code::Throttling, message)
    }
}

/// What one account has left, by model or profile.
#[derive(Debug, Default)]
pub(crate) struct Buckets(HashMap<String, Bucket>);

#[derive(Debug, Default)]
struct Bucket {
    requests: Level,
    tokens: Level,
    day: Option<Date>,
    used_today: i128,
    /// What comes back (or, with a burndown, is still to be taken) when answers end.
    ending: Vec<(OffsetDateTime, i128)>,
}

/// Something that refills steadily up to a minute's worth. Counted in 60,000ths, so that integers
/// refill exactly: per millisecond as many parts come back as there are per minute.
#[derive(Debug, Default)]
struct Level(Option<(i128, OffsetDateTime)>);

const WHOLE: i128 = 60_000;

impl Level {
    /// Refills until now, and tells what is there.
    fn at(&mut self, per_minute: u64, now: OffsetDateTime) -> i128 {
        let rate = i128::from(per_minute);
        let (left, at) = self.0.unwrap_or((rate * WHOLE, now));
        let passed = (now - at).whole_milliseconds().max(0);
        let left = (left + passed * rate).min(rate * WHOLE);
        self.0 = Some((left, at.max(now)));
        left
    }

    fn add(&mut self, amount: i128) {
        if let Some((left, _)) = &mut self.0 {
            *left += amount * WHOLE;
        }
    }
}

impl Buckets {
    /// Lets a request in, or says what there is too much of; then nothing is taken. `reserve` is
    /// asked for only when tokens are limited.
    pub(crate) fn admit(
        &mut self,
        quotas: &Quotas,
        resolved: &Resolved<'_>,
        reserve: impl FnOnce() -> u64,
        now: OffsetDateTime,
    ) -> Result<Option<Reservation>, Exceeded> {
        if quotas.off() {
            return Ok(None);
        }
        let Some((name, limits)) = quotas.of(resolved) else {
            return Ok(None);
        };
        let counted = limits.tokens_per_minute.is_some() || limits.tokens_per_day.is_some();
        let tokens = if counted { reserve() } else { 0 };
        self.take(&name, &limits, tokens, now)?;
        Ok(counted.then_some(Reservation { name, tokens }))
    }

    /// Takes one request and its tokens.
    pub(crate) fn take(
        &mut self,
        name: &str,
        limits: &Limits,
        tokens: u64,
        now: OffsetDateTime,
    ) -> Result<(), Exceeded> {
        let bucket = self.0.entry(name.to_owned()).or_default();
        let tokens = i128::from(tokens);
        if let Some(limit) = limits.requests_per_minute
            && bucket.requests.at(limit.into(), now) < WHOLE
        {
            return Err(Exceeded::Requests);
        }
        bucket.end_answers(limits.tokens_per_minute, now);
        if let Some(limit) = limits.tokens_per_minute
            && bucket.tokens.at(limit, now) < tokens * WHOLE
        {
            return Err(Exceeded::Tokens);
        }
        if bucket.day != Some(now.date()) {
            bucket.day = Some(now.date());
            bucket.used_today = 0;
        }
        if let Some(limit) = limits.tokens_per_day
            && bucket.used_today + tokens > i128::from(limit)
        {
            return Err(Exceeded::TokensPerDay);
        }
        bucket.requests.add(-1);
        bucket.tokens.add(-tokens);
        bucket.used_today += tokens;
        Ok(())
    }

    /// The answer ends at `end` and used that many tokens.
    pub(crate) fn settle(&mut self, reservation: &Reservation, used: u64, end: OffsetDateTime) {
        if let Some(bucket) = self.0.get_mut(&reservation.name) {
            let back = i128::from(reservation.tokens) - i128::from(used);
            bucket.ending.push((end, back));
        }
    }
}

impl Bucket {
    /// Gives back what ended answers reserved and did not use.
    fn end_answers(&mut self, per_minute: Option<u64>, now: OffsetDateTime) {
        let (tokens, used) = (&mut self.tokens, &mut self.used_today);
        self.ending.retain(|(end, back)| {
            if *end > now {
                return true;
            }
            if let Some(limit) = per_minute {
                // What came back long ago does not lift the level above a minute's worth.
                tokens.at(limit, *end);
            }
            tokens.add(*back);
            *used = (*used - back).max(0);
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    const NAME: &str = "m";

    fn at(ms: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(ms)
    }

    fn requests(per_minute: u32) -> Limits {
        Limits {
            requests_per_minute: Some(per_minute),
            ..Limits::default()
        }
    }

    fn held(tokens: u64) -> Reservation {
        Reservation {
            name: NAME.to_owned(),
            tokens,
        }
    }

    #[test]
    fn the_bucket_empties_and_refills() {
        let mut buckets = Buckets::default();
        let mut take = |ms| buckets.take(NAME, &requests(2), 0, at(ms)).is_ok();
        assert!(take(0));
        assert!(take(1));
        assert!(!take(2));
        assert!(!take(29_000));
        assert!(take(30_100), "half a minute brings one of two back");
        assert!(!take(30_200));
    }

    #[test]
    fn models_have_buckets_of_their_own() {
        let mut buckets = Buckets::default();
        assert_eq!(buckets.take("a", &requests(1), 0, at(0)), Ok(()));
        assert_eq!(buckets.take("b", &requests(1), 0, at(0)), Ok(()));
        let refused = Err(Exceeded::Requests);
        assert_eq!(buckets.take("a", &requests(1), 0, at(0)), refused);
        assert_eq!(
            buckets.take("c", &requests(0), 0, at(0)),
            refused,
            "no requests at all"
        );
    }

    #[test]
    fn what_was_reserved_comes_back_when_the_answer_ends() {
        let limits = Limits {
            tokens_per_minute: Some(1_000),
            ..Limits::default()
        };
        let mut buckets = Buckets::default();
        assert_eq!(buckets.take(NAME, &limits, 900, at(0)), Ok(()));
        buckets.settle(&held(900), 100, at(2_000));
        assert_eq!(
            buckets.take(NAME, &limits, 500, at(1_000)),
            Err(Exceeded::Tokens),
            "the answer still runs"
        );
        assert_eq!(buckets.take(NAME, &limits, 900, at(2_000)), Ok(()));
        buckets.settle(&held(900), 900, at(2_000));
        assert_eq!(
            buckets.take(NAME, &limits, 900, at(50_000)),
            Err(Exceeded::Tokens)
        );
        assert_eq!(
            buckets.take(NAME, &limits, 900, at(60_000)),
            Ok(()),
            "a minute later"
        );
    }

    #[test]
    fn a_burndown_takes_more_than_was_reserved() {
        let limits = Limits {
            tokens_per_minute: Some(1_000),
            ..Limits::default()
        };
        let mut buckets = Buckets::default();
        assert_eq!(buckets.take(NAME, &limits, 200, at(0)), Ok(()));
        let used = tokens(Usage::new(100, 100), 5);
        assert_eq!(used, 600);
        buckets.settle(&held(200), used, at(0));
        assert_eq!(
            buckets.take(NAME, &limits, 500, at(1)),
            Err(Exceeded::Tokens)
        );
        assert_eq!(buckets.take(NAME, &limits, 400, at(1)), Ok(()));
    }

    #[test]
    fn cache_reads_are_free_and_writes_are_not() {
        let usage = Usage {
            cache_read: 5_000,
            cache_write_5m: 30,
            cache_write_1h: 4,
            ..Usage::new(10, 2)
        };
        assert_eq!(tokens(usage, 1), 46);
        assert_eq!(tokens(usage, 5), 54);
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let limits = Limits {
            tokens_per_day: Some(1_000),
            ..Limits::default()
        };
        let mut buckets = Buckets::default();
        let day = 86_400_000;
        assert_eq!(buckets.take(NAME, &limits, 600, at(0)), Ok(()));
        let refused = Err(Exceeded::TokensPerDay);
        assert_eq!(buckets.take(NAME, &limits, 600, at(day - 1)), refused);
        buckets.settle(&held(600), 300, at(1_000));
        assert_eq!(buckets.take(NAME, &limits, 600, at(day - 1)), Ok(()));
        assert_eq!(buckets.take(NAME, &limits, 600, at(day - 1)), refused);
        assert_eq!(buckets.take(NAME, &limits, 600, at(day)), Ok(()));
    }
}
