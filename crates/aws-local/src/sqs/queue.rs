//! One queue: what waits, what is in flight, what is next.
//!
//! Nothing happens by itself. Whoever looks says what time it is, and [`Queue::settle`] first does
//! what has become due since the last look: delays and visibility timeouts end, old messages go.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use bedrock_emulator::error::ApiError;
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

use super::{
    attributes::{Attributes, VISIBILITY_MAX},
    duplicates::Duplicates,
    error::{OVER_LIMIT, value_is_invalid},
    message::Message,
    meter::{Count, Gauges, Meter, Minute},
    place::Place,
    receipt::Receipt,
};

/// How many messages may be in flight (Developer Guide).
const IN_FLIGHT_MAX: usize = 120_000;

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) place: Place,
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: OffsetDateTime,
    pub(super) modified: OffsetDateTime,
    pub(super) purged: Option<OffsetDateTime>,
    pub(super) duplicates: Duplicates,
    /// Tells it from a queue of the same name before or after it.
    pub(super) generation: u64,
    /// What a reset gives back, if it was made in this process.
    pub(super) configured: Option<Attributes>,
    /// By order of arrival.
    messages: BTreeMap<u64, Held>,
    arrivals: u64,
    ready: BTreeSet<u64>,
    /// Delayed or in flight, by when that ends.
    waiting: BTreeSet<(OffsetDateTime, u64)>,
    by_age: BTreeSet<(OffsetDateTime, u64)>,
    /// Of a queue that is first in, first out.
    groups: HashMap<Arc<str>, BTreeSet<u64>>,
    in_flight: usize,
    meter: Meter,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Held {
    message: Message,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Delayed(OffsetDateTime),
    InFlight(OffsetDateTime),
}

/// What a receive brings about.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) received: Vec<(Message, Receipt)>,
    /// Received too often: for the dead-letter queue.
    pub(super) given_up: Vec<Message>,
}

/// The approximate numbers of `GetQueueAttributes`, which are exact here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) ready: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

impl Queue {
    pub(super) fn new(
        place: Place,
        attributes: Attributes,
        generation: u64,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            place,
            attributes,
            tags: BTreeMap::new(),
            created: now,
            modified: now,
            purged: None,
            duplicates: Duplicates::default(),
            generation,
            configured: None,
            messages: BTreeMap::new(),
            arrivals: 0,
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
            by_age: BTreeSet::new(),
            groups: HashMap::new(),
            in_flight: 0,
            meter: Meter::new(now),
            changed: watch::Sender::new(()),
        }
    }

    /// Does what has become due, for somebody who uses the queue.
    pub(super) fn settle(&mut self, now: OffsetDateTime) {
        self.close_minutes(now);
        self.meter.used();
        self.come_due(now);
    }

    /// Writes down how the minutes that are over ended, if nobody has done so yet.
    fn close_minutes(&mut self, now: OffsetDateTime) {
        while let Some(end) = self.meter.next_end(now, self.messages.is_empty()) {
            self.come_due(end);
            self.meter.close(self.gauges(end));
        }
    }

    /// What CloudWatch has not been told of the queue yet.
    pub(super) fn unmeasured(&mut self, now: OffsetDateTime) -> VecDeque<Minute> {
        self.close_minutes(now);
        self.come_due(now);
        self.meter.take(self.gauges(now), self.messages.is_empty())
    }

    /// Counts what an operation did.
    pub(super) fn count(&mut self, what: Count, by: usize) {
        self.meter.count(what, by);
    }

    fn gauges(&self, now: OffsetDateTime) -> Gauges {
        let Counts {
            ready,
            in_flight,
            delayed,
        } = self.counts();
        let oldest = self.by_age.first().map(|(sent, _)| now - *sent);
        Gauges {
            visible: ready,
            in_flight,
            delayed,
            oldest: oldest.unwrap_or_default(),
        }
    }

    fn come_due(&mut self, now: OffsetDateTime) {
        while let Some(&(_, arrival)) = self.waiting.first().filter(|(due, _)| *due <= now) {
            self.put(arrival, State::Ready);
        }
        let retention = Duration::seconds(self.attributes.retention);
        while let Some(&(_, arrival)) = self.by_age.first().filter(|(at, _)| *at + retention <= now)
        {
            self.remove(arrival);
        }
        self.duplicates.forget_old(now);
    }

    /// Takes a message in, to be seen after so many seconds.
    pub(super) fn enqueue(&mut self, message: Message, delay: i64, now: OffsetDateTime) {
        // Another queue gives it, perhaps: nobody has looked here since some time.
        self.close_minutes(now);
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.by_age.insert((message.sent, arrival));
        if self.attributes.fifo
            && let Some(group) = &message.group
        {
            self.groups
                .entry(Arc::clone(group))
                .or_default()
                .insert(arrival);
        }
        let state = State::Ready;
        self.messages.insert(arrival, Held { message, state });
        self.ready.insert(arrival);
        if delay > 0 {
            self.put(arrival, State::Delayed(now + Duration::seconds(delay)));
        }
        self.tell();
    }

    /// The next messages, as many as wanted and there are. `receives_max`: how often each may be
    /// received, if there is somewhere else to put it.
    pub(super) fn take(
        &mut self,
        now: OffsetDateTime,
        most: usize,
        visibility: i64,
        receives_max: Option<u32>,
    ) -> Result<Taken, ApiError> {
        let mut taken = Taken::default();
        let mut arrivals = Vec::new();
        let mut group = None;
        let room = IN_FLIGHT_MAX.saturating_sub(self.in_flight);
        if room == 0 && !self.attributes.fifo {
            return Err(OVER_LIMIT.error(format!(
                "Too many messages in flight: this queue already has {IN_FLIGHT_MAX}. Delete messages \
                 after processing them."
            )));
        }
        while arrivals.len() < most.min(room) {
            let Some(arrival) = self.next(group.as_ref(), &arrivals) else {
                break;
            };
            let Some(held) = self.messages.get_mut(&arrival) else {
                break;
            };
            if receives_max.is_some_and(|max| held.message.receives >= max) {
                taken.given_up.extend(self.remove(arrival));
                continue;
            }
            let message = &mut held.message;
            message.receives = message.receives.saturating_add(1);
            message.first_received.get_or_insert(now);
            message.last_received = Some(now);
            group.clone_from(&message.group);
            let receipt = Receipt {
                generation: self.generation,
                arrival,
                receive: message.receives,
            };
            taken.received.push((message.clone(), receipt));
            self.ready.remove(&arrival);
            arrivals.push(arrival);
        }
        for arrival in arrivals {
            self.ready.insert(arrival);
            if visibility > 0 {
                self.put(
                    arrival,
                    State::InFlight(now + Duration::seconds(visibility)),
                );
            }
        }
        self.count(Count::Received, taken.received.len());
        Ok(taken)
    }

    /// The next message to be received, after those of this receive. A message of a group waits for
    /// all that arrived before it in the group; of several groups the one begun is emptied first
    /// (Developer Guide).
    fn next(&self, group: Option<&Arc<str>>, taken: &[u64]) -> Option<u64> {
        if !self.attributes.fifo {
            return self.ready.first().copied();
        }
        let first_of = |group: &Arc<str>| {
            let mut arrivals = self.groups.get(group)?.iter().copied();
            let first = arrivals.find(|arrival| !taken.contains(arrival))?;
            self.ready.contains(&first).then_some(first)
        };
        group.and_then(first_of).or_else(|| {
            self.ready.iter().copied().find(|arrival| {
                let group = self
                    .messages
                    .get(arrival)
                    .and_then(|held| held.message.group.as_ref());
                group.is_none_or(|group| first_of(group) == Some(*arrival))
            })
        })
    }

    /// Whether a receive would find something.
    pub(super) fn has_next(&self) -> bool {
        self.next(None, &[]).is_some()
    }

    /// When that may be otherwise, if nobody calls.
    pub(super) fn next_due(&self) -> Option<OffsetDateTime> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Forgets a received message. An old receipt of a message that was received again since is
    /// accepted and does nothing (service model: "the message might not be deleted"); a queue that is
    /// first in, first out refuses it (observed).
    pub(super) fn delete(&mut self, receipt: &Receipt, text: &str) -> Result<(), ApiError> {
        // CloudWatch counts every deletion that was accepted, also of what is gone (Developer Guide).
        let Some(held) = self.messages.get(&receipt.arrival) else {
            self.count(Count::Deleted, 1);
            return Ok(());
        };
        if self.attributes.fifo && !held.is_held_by(receipt) {
            return Err(expired(text));
        }
        if held.message.receives == receipt.receive {
            self.remove(receipt.arrival);
        }
        self.count(Count::Deleted, 1);
        Ok(())
    }

    /// Hides a received message for so many seconds from now; 0: shows it again.
    pub(super) fn change_visibility(
        &mut self,
        receipt: &Receipt,
        text: &str,
        seconds: i64,
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        let Some(held) = self.messages.get(&receipt.arrival) else {
            return Err(value_is_invalid(
                text,
                "ReceiptHandle",
                "Message does not exist or is not available for visibility timeout change.",
            ));
        };
        if self.attributes.fifo && !held.is_held_by(receipt) {
            return Err(expired(text));
        }
        let since = held
            .message
            .last_received
            .map_or(Duration::ZERO, |at| now - at);
        if since + Duration::seconds(seconds) > Duration::seconds(VISIBILITY_MAX) {
            let reason =
                "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(value_is_invalid(seconds, "VisibilityTimeout", reason));
        }
        let state = match seconds {
            0 => State::Ready,
            seconds => State::InFlight(now + Duration::seconds(seconds)),
        };
        self.put(receipt.arrival, state);
        self.tell();
        Ok(())
    }

    /// Takes new attributes on. On a queue that is first in, first out a new delay holds for the
    /// messages that wait already (Developer Guide), so that order is kept.
    pub(super) fn tell_attributes(&mut self, attributes: Attributes, now: OffsetDateTime) {
        let longer = attributes.delay - self.attributes.delay;
        self.attributes = attributes;
        self.modified = now;
        if self.attributes.fifo && longer != 0 {
            let delayed: Vec<_> = self
                .messages
                .iter()
                .filter_map(|(arrival, held)| match held.state {
                    State::Delayed(due) => Some((*arrival, due)),
                    State::Ready | State::InFlight(_) => None,
                })
                .collect();
            for (arrival, due) in delayed {
                self.put(arrival, State::Delayed(due + Duration::seconds(longer)));
            }
        }
        self.tell();
    }

    /// Forgets every message, in flight or not.
    pub(super) fn purge(&mut self, now: OffsetDateTime) {
        self.messages.clear();
        self.ready.clear();
        self.waiting.clear();
        self.by_age.clear();
        self.groups.clear();
        self.in_flight = 0;
        self.purged = Some(now);
        self.tell();
    }

    /// As it was made, and empty; whether it stays at all.
    pub(super) fn renew(&mut self, now: OffsetDateTime) -> bool {
        let Some(attributes) = self.configured.clone() else {
            return false;
        };
        self.purge(self.created);
        self.purged = None;
        self.attributes = attributes;
        self.tags.clear();
        self.duplicates = Duplicates::default();
        self.meter = Meter::new(now);
        true
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            ready: self.ready.len(),
            in_flight: self.in_flight,
            delayed: self.waiting.len() - self.in_flight,
        }
    }

    /// Takes the oldest message that is neither delayed nor in flight, for another queue.
    pub(super) fn give_away(&mut self) -> Option<Message> {
        let arrival = self.next(None, &[])?;
        self.remove(arrival)
    }

    /// Ends when something changes here; the sender is gone with the queue.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn tell(&self) {
        self.changed.send_replace(());
    }

    fn put(&mut self, arrival: u64, state: State) {
        let Some(held) = self.messages.get_mut(&arrival) else {
            return;
        };
        let before = std::mem::replace(&mut held.state, state);
        self.leave(arrival, before);
        match state {
            State::Ready => {
                self.ready.insert(arrival);
            }
            State::Delayed(due) => {
                self.waiting.insert((due, arrival));
            }
            State::InFlight(due) => {
                self.waiting.insert((due, arrival));
                self.in_flight += 1;
            }
        }
    }

    fn leave(&mut self, arrival: u64, state: State) {
        match state {
            State::Ready => {
                self.ready.remove(&arrival);
            }
            State::Delayed(due) => {
                self.waiting.remove(&(due, arrival));
            }
            State::InFlight(due) => {
                self.waiting.remove(&(due, arrival));
                self.in_flight -= 1;
            }
        }
    }

    fn remove(&mut self, arrival: u64) -> Option<Message> {
        let Held { message, state } = self.messages.remove(&arrival)?;
        self.leave(arrival, state);
        self.by_age.remove(&(message.sent, arrival));
        // The rest of its group may be next, and somebody may wait for the queue to be empty.
        self.tell();
        if let Some(group) = &message.group
            && let Some(arrivals) = self.groups.get_mut(group)
        {
            arrivals.remove(&arrival);
            if arrivals.is_empty() {
                self.groups.remove(group);
            }
        }
        Some(message)
    }
}

impl Held {
    /// Whether whoever has the receipt has the message, nobody else.
    fn is_held_by(&self, receipt: &Receipt) -> bool {
        matches!(self.state, State::InFlight(_)) && self.message.receives == receipt.receive
    }
}

fn expired(receipt: &str) -> ApiError {
    value_is_invalid(receipt, "ReceiptHandle", "The receipt handle has expired.")
}
