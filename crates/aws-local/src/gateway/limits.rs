//! Token buckets and quotas, by the clock and nothing else.

use time::{Date, Duration, Month, OffsetDateTime, Weekday};

use super::settings::{Period, Quota, Throttle};

/// A token in the unit that is counted: millionths of a token per second, times nanoseconds.
const TOKEN: u128 = 1_000_000_000_000_000;

/// How fast a bucket fills and how much it holds. Whole numbers, so that nothing is rounded on the
/// way: rates are exact to a millionth of a request per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Millionths of a token per second.
    rate: u64,
    burst: u32,
}

impl From<Throttle> for Limit {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "settings allow 0 to 1e9, and a cast of anything else saturates"
    )]
    fn from(throttle: Throttle) -> Self {
        Self {
            rate: (throttle.rate_limit * 1e6).round() as u64,
            burst: throttle.burst_limit,
        }
    }
}

/// A token bucket, full at first.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: u128,
    /// When it was looked at, in nanoseconds of Unix time.
    seen: i128,
}

impl Bucket {
    pub(super) fn full(limit: Limit, now: OffsetDateTime) -> Self {
        Self {
            tokens: u128::from(limit.burst) * TOKEN,
            seen: now.unix_timestamp_nanos(),
        }
    }

    /// Takes a token, if there is one. A clock that goes backwards fills nothing.
    pub(super) fn take(&mut self, limit: Limit, now: OffsetDateTime) -> bool {
        let now = now.unix_timestamp_nanos();
        let passed = u128::try_from(now - self.seen).unwrap_or(0);
        self.seen = self.seen.max(now);
        let filled = u128::from(limit.rate).saturating_mul(passed);
        let most = u128::from(limit.burst) * TOKEN;
        self.tokens = self.tokens.saturating_add(filled).min(most);
        match self.tokens.checked_sub(TOKEN) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

/// What was used of a quota.
#[derive(Debug, Default)]
pub(super) struct Used {
    period: Option<Date>,
    requests: u32,
}

impl Used {
    /// Counts a request, if there is room for it.
    pub(super) fn take(&mut self, quota: Quota, now: OffsetDateTime) -> bool {
        let period = start(quota, now.to_offset(time::UtcOffset::UTC).date());
        if self.period != Some(period) {
            self.period = Some(period);
            self.requests = 0;
        }
        let room = self.requests < quota.limit;
        self.requests += u32::from(room);
        room
    }
}

/// The first day of the period that a day belongs to.
fn start(quota: Quota, day: Date) -> Date {
    let offset = i64::from(quota.offset);
    match quota.period {
        Period::Day => day,
        Period::Week => {
            let since_sunday = i64::from(Weekday::number_days_from_sunday(day.weekday()));
            day - Duration::days((since_sunday - offset).rem_euclid(7))
        }
        Period::Month => {
            let first = |year, month| Date::from_calendar_date(year, month, 1).unwrap_or(day);
            let this = first(day.year(), day.month()) + Duration::days(offset);
            if this <= day {
                return this;
            }
            let year = day.year() - i32::from(day.month() == Month::January);
            first(year, day.month().previous()) + Duration::days(offset)
        }
    }
}

#[cfg(test)]
mod tests {
    use time::{Date, Month, OffsetDateTime};

    use super::*;

    fn limit(rate: f64, burst: u32) -> Limit {
        Limit::from(Throttle {
            rate_limit: rate,
            burst_limit: burst,
        })
    }

    fn at(ms: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(ms)
    }

    #[test]
    fn twelve_requests_at_rate_two_and_burst_five() {
        let limit = limit(2.0, 5);
        let mut bucket = Bucket::full(limit, at(0));
        let passed =
            |bucket: &mut Bucket, ms| (0..12).filter(|_| bucket.take(limit, at(ms))).count();
        assert_eq!(passed(&mut bucket, 0), 5);
        assert_eq!(passed(&mut bucket, 499), 0);
        assert_eq!(passed(&mut bucket, 1_000), 2);
        // A minute fills no more than the bucket holds.
        assert_eq!(passed(&mut bucket, 61_000), 5);
        // Back in time nothing happens, and later nothing is given twice.
        assert_eq!(passed(&mut bucket, 0), 0);
        assert_eq!(passed(&mut bucket, 61_500), 1);
    }

    #[test]
    fn no_rate_is_filled_never_and_no_burst_passes_nobody() {
        let mut bucket = Bucket::full(limit(0.0, 1), at(0));
        assert!(bucket.take(limit(0.0, 1), at(0)));
        assert!(!bucket.take(limit(0.0, 1), at(i64::from(u32::MAX))));
        let mut bucket = Bucket::full(limit(10.0, 0), at(0));
        assert!(!bucket.take(limit(10.0, 0), at(60_000)));
    }

    /// The same law from the other side: a virtual schedule (GCRA) that knows no tokens, only when
    /// the next request is due, in whole numbers.
    struct Reference {
        /// Micro-tokens per second.
        rate: i128,
        burst: i128,
        /// When the bucket would be full again, times the rate.
        full_at: i128,
    }

    impl Reference {
        fn take(&mut self, ns: i128) -> bool {
            // A token takes 1e15 / rate nanoseconds; everything is multiplied by the rate.
            let token = 1_000_000_000_000_000;
            let now = ns * self.rate;
            let full_at = self.full_at.max(now);
            if full_at - now > (self.burst - 1) * token {
                return false;
            }
            self.full_at = full_at + token;
            true
        }
    }

    #[test]
    fn a_thousand_random_arrivals_fare_as_in_a_reference_bucket() {
        // A linear congruential generator: the same thousand times on every machine.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for round in 0..20 {
            let rate_millis = random(8_000) + 1;
            let burst = u32::try_from(random(9) + 1).unwrap();
            let rate = Duration::milliseconds(i64::try_from(rate_millis).unwrap());
            let limit = limit(rate.as_seconds_f64(), burst);
            let mut ns = 0_i64;
            let mut bucket = Bucket::full(limit, at(0));
            let mut reference = Reference {
                rate: i128::from(rate_millis) * 1_000,
                burst: i128::from(burst),
                full_at: 0,
            };
            let (mut passed, mut refused) = (0, 0);
            for arrival in 0..1_000 {
                // Mostly close together, sometimes a pause.
                let most = if random(10) == 0 {
                    3_000_000_000
                } else {
                    300_000_000
                };
                ns += i64::try_from(random(most)).unwrap();
                let now = OffsetDateTime::UNIX_EPOCH + Duration::nanoseconds(ns);
                let expected = reference.take(i128::from(ns));
                assert_eq!(
                    bucket.take(limit, now),
                    expected,
                    "round {round}, arrival {arrival} at {ns} ns: {limit:?}"
                );
                if expected { passed += 1 } else { refused += 1 }
            }
            assert!(
                passed > 0 && refused > 0 || burst > 5,
                "round {round} says little"
            );
        }
    }

    #[test]
    fn quotas_begin_with_their_period() {
        let day = |month, day| Date::from_calendar_date(2026, month, day).unwrap();
        let quota = |period, offset| Quota {
            limit: 2,
            offset,
            period,
        };
        let rows = [
            (
                quota(Period::Day, 0),
                day(Month::March, 1),
                day(Month::March, 1),
            ),
            // 22 November 2026 is a Sunday.
            (
                quota(Period::Week, 0),
                day(Month::November, 22),
                day(Month::November, 22),
            ),
            (
                quota(Period::Week, 0),
                day(Month::November, 28),
                day(Month::November, 22),
            ),
            (
                quota(Period::Week, 1),
                day(Month::November, 22),
                day(Month::November, 16),
            ),
            (
                quota(Period::Month, 0),
                day(Month::March, 31),
                day(Month::March, 1),
            ),
            (
                quota(Period::Month, 14),
                day(Month::March, 15),
                day(Month::March, 15),
            ),
            (
                quota(Period::Month, 14),
                day(Month::March, 14),
                day(Month::February, 15),
            ),
        ];
        for (quota, day, expected) in rows {
            assert_eq!(start(quota, day), expected, "{quota:?} on {day}");
        }
        let january = Date::from_calendar_date(2027, Month::January, 3).unwrap();
        assert_eq!(
            start(quota(Period::Month, 14), january),
            day(Month::December, 15)
        );

        let mut used = Used::default();
        let noon = day(Month::March, 1)
            .with_hms(12, 0, 0)
            .unwrap()
            .assume_utc();
        let daily = quota(Period::Day, 0);
        let taken = [0, 1, 2, 12].map(|hours| used.take(daily, noon + Duration::hours(hours)));
        assert_eq!(taken, [true, true, false, true]);
    }
}
