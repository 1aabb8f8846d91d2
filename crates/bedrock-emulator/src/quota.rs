//! Requests per minute and model: a bucket that refills steadily.

use std::collections::HashMap;

use time::OffsetDateTime;

/// One bucket for each model.
#[derive(Debug, Default)]
pub(crate) struct Buckets(HashMap<String, Bucket>);

#[derive(Debug)]
struct Bucket {
    /// What is left, in parts of a request: integers refill exactly.
    left: i128,
    at: OffsetDateTime,
}

impl Buckets {
    /// Takes one request; `false` when the bucket of `model` is empty.
    pub(crate) fn take(&mut self, model: &str, per_minute: u32, now: OffsetDateTime) -> bool {
        const WHOLE: i128 = 60_000;
        let full = i128::from(per_minute) * WHOLE;
        let bucket = self.0.entry(model.to_owned()).or_insert(Bucket {
            left: full,
            at: now,
        });
        // One request is WHOLE parts, and per_minute parts come back each millisecond.
        let passed = (now - bucket.at).whole_milliseconds().max(0);
        bucket.left = (bucket.left + passed * i128::from(per_minute)).min(full);
        bucket.at = bucket.at.max(now);
        if bucket.left < WHOLE {
            return false;
        }
        bucket.left -= WHOLE;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    #[test]
    fn the_bucket_empties_and_refills() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let mut buckets = Buckets::default();
        let mut take = |ms| buckets.take("m", 2, start + Duration::milliseconds(ms));
        assert!(take(0));
        assert!(take(1));
        assert!(!take(2));
        assert!(!take(29_000));
        assert!(take(30_100), "half a minute brings one of two back");
        assert!(!take(30_200));
    }

    #[test]
    fn models_have_buckets_of_their_own() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let mut buckets = Buckets::default();
        assert!(buckets.take("a", 1, now));
        assert!(buckets.take("b", 1, now));
        assert!(!buckets.take("a", 1, now));
        assert!(!buckets.take("c", 0, now), "no requests at all");
    }
}
