//! What CloudWatch is told of a queue, minute by minute: `AWS/SQS`, by `QueueName`.
//!
//! A queue writes its minutes down and hands them over when somebody asks CloudWatch, so that counting
//! costs a message next to nothing. Minutes in which nobody called are made up then: what they would
//! have seen follows from what is due.
//!
//! As on AWS (Developer Guide): the numbers of messages are those at the end of a minute, counts of
//! zero are told as well, a queue is silent six hours after it was last used, and what a redrive policy
//! moves counts as sent nowhere. A minute that is asked about before it ends tells what it has so far.

use std::{array, collections::VecDeque};

use bedrock_emulator::observe::ServiceMetric;
use time::{Duration, OffsetDateTime};

use super::place::Place;

/// Minutes after which a queue without messages that nobody uses is silent (Developer Guide).
const ACTIVE: i64 = 6 * 60;

/// Minutes that are kept for somebody who asks: a day.
const KEPT: usize = 24 * 60;

/// What is counted, with CloudWatch's name of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Sent,
    Received,
    Deleted,
    EmptyReceive,
}

const COUNTS: [&str; 4] = [
    "NumberOfMessagesSent",
    "NumberOfMessagesReceived",
    "NumberOfMessagesDeleted",
    "NumberOfEmptyReceives",
];

/// How many messages there are, and how old the oldest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gauges {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
    pub(super) oldest: Duration,
}

/// The minutes of one queue.
#[derive(Debug)]
pub(super) struct Meter {
    /// The one that has not ended, in minutes since the Unix epoch.
    open: i64,
    /// The last one in which somebody used the queue.
    used: i64,
    counts: [u64; COUNTS.len()],
    /// What was told of this minute, if it was asked about.
    told: Option<Gauges>,
    kept: VecDeque<Minute>,
}

/// What there is to tell of a minute, or of a part of it.
#[derive(Debug)]
pub(super) struct Minute {
    /// In minutes since the Unix epoch.
    at: i64,
    /// None: no more than what was told before.
    counts: Option<[u64; COUNTS.len()]>,
    gauges: Gauges,
}

impl Meter {
    pub(super) fn new(now: OffsetDateTime) -> Self {
        let minute = minute(now);
        Self {
            open: minute,
            used: minute,
            counts: [0; COUNTS.len()],
            told: None,
            kept: VecDeque::new(),
        }
    }

    pub(super) fn count(&mut self, what: Count, by: usize) {
        self.counts[what as usize] += by as u64;
    }

    /// Somebody uses the queue in this minute.
    pub(super) fn used(&mut self) {
        self.used = self.open;
    }

    /// The end of the minute that is to be closed before `now`, if there is one. Minutes in which the
    /// queue would have been silent are left out, and those that would not be kept.
    pub(super) fn next_end(&mut self, now: OffsetDateTime, empty: bool) -> Option<OffsetDateTime> {
        let this = minute(now);
        if self.open >= this {
            return None;
        }
        let silent = empty && self.open > self.used + ACTIVE;
        let first_kept = this - i64::try_from(KEPT).unwrap_or(i64::MAX);
        if silent || self.open < first_kept {
            self.open = if silent { this } else { first_kept };
            self.counts = [0; COUNTS.len()];
            self.told = None;
        }
        let end = OffsetDateTime::from_unix_timestamp((self.open + 1) * 60).ok()?;
        (self.open < this).then_some(end)
    }

    /// The minute has ended with these.
    pub(super) fn close(&mut self, gauges: Gauges) {
        self.tell(gauges);
        self.open += 1;
        self.told = None;
    }

    /// What has not been told yet, this minute's beginning included.
    pub(super) fn take(&mut self, gauges: Gauges, empty: bool) -> VecDeque<Minute> {
        if !empty || self.open <= self.used + ACTIVE {
            self.tell(gauges);
        }
        std::mem::take(&mut self.kept)
    }

    fn tell(&mut self, gauges: Gauges) {
        let counted = self.told.is_none() || self.counts != [0; COUNTS.len()];
        if !counted && self.told == Some(gauges) {
            return;
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        let counts = std::mem::take(&mut self.counts);
        self.kept.push_back(Minute {
            at: self.open,
            counts: counted.then_some(counts),
            gauges,
        });
        self.told = Some(gauges);
    }
}

impl Minute {
    /// As CloudWatch counts it, with the moment to which it belongs.
    pub(super) fn metrics(
        self,
        queue: &Place,
    ) -> impl Iterator<Item = (ServiceMetric, OffsetDateTime)> {
        let at = OffsetDateTime::from_unix_timestamp(self.at * 60);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let Gauges {
            visible,
            in_flight,
            delayed,
            oldest,
        } = self.gauges;
        let counts = self.counts.into_iter();
        let counts =
            counts.flat_map(|counts| array::from_fn::<_, 4, _>(|n| (COUNTS[n], counts[n])));
        let gauges = [
            ("ApproximateNumberOfMessagesVisible", visible as u64),
            ("ApproximateNumberOfMessagesNotVisible", in_flight as u64),
            ("ApproximateNumberOfMessagesDelayed", delayed as u64),
            (AGE, oldest.whole_seconds().unsigned_abs()),
        ];
        counts.chain(gauges).map(move |(name, value)| {
            let metric = ServiceMetric {
                region: queue.region.clone(),
                namespace: "AWS/SQS",
                name,
                dimensions: vec![("QueueName", queue.name.clone())],
                unit: if name == AGE { "Seconds" } else { "Count" },
                value: exact(value),
            };
            (metric, at)
        })
    }
}

const AGE: &str = "ApproximateAgeOfOldestMessage";

#[expect(
    clippy::cast_precision_loss,
    reason = "no queue holds 2^53 messages, or lasts as many seconds"
)]
fn exact(number: u64) -> f64 {
    number as f64
}

fn minute(at: OffsetDateTime) -> i64 {
    at.unix_timestamp().div_euclid(60)
}
