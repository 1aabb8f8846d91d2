//! All queues, behind one lock: a message that moves to a dead-letter queue is in one step.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, observe::ServiceMetric};
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use super::{
    duplicates::Accepted,
    error::{invalid, missing, no_such_queue},
    message::{Checked, Message},
    meter::Count,
    move_tasks::Tasks,
    place::Place,
    queue::{Queue, Taken},
    redrive::{self, Redrive},
};

/// How long a deleted queue's name cannot be taken (service model).
const NAME_RESTS: Duration = Duration::seconds(60);

/// Every account's queues.
#[derive(Debug, Default)]
pub(super) struct Queues {
    pub(super) by_place: BTreeMap<Place, Queue>,
    pub(super) tasks: Tasks,
    deleted: BTreeMap<Place, OffsetDateTime>,
    generations: u64,
    sequence: u128,
}

/// What is answered to a message that was accepted.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) message_id: String,
    pub(super) sequence: Option<String>,
}

impl Queues {
    /// That queue, with everything done that is due.
    pub(super) fn get(
        &mut self,
        place: &Place,
        now: OffsetDateTime,
    ) -> Result<&mut Queue, ApiError> {
        self.work_off_tasks(now);
        let queue = self.by_place.get_mut(place).ok_or_else(no_such_queue)?;
        queue.settle(now);
        Ok(queue)
    }

    /// Opens a queue there.
    pub(super) fn open(
        &mut self,
        place: Place,
        now: OffsetDateTime,
        new: impl FnOnce(u64) -> Queue,
    ) {
        self.deleted.retain(|_, at| *at + NAME_RESTS > now);
        self.generations += 1;
        self.by_place.insert(place, new(self.generations));
    }

    /// Whether the name was that of a queue a moment ago.
    pub(super) fn rests(&self, place: &Place, now: OffsetDateTime) -> bool {
        let deleted = self.deleted.get(place);
        deleted.is_some_and(|at| *at + NAME_RESTS > now)
    }

    /// Deletes a queue and what is in it.
    pub(super) fn close(&mut self, place: &Place, now: OffsetDateTime) -> Result<(), ApiError> {
        self.by_place.remove(place).ok_or_else(no_such_queue)?;
        self.deleted.insert(place.clone(), now);
        Ok(())
    }

    /// What CloudWatch has not been told yet of the account's queues.
    pub(super) fn unmeasured(
        &mut self,
        account: &str,
        now: OffsetDateTime,
    ) -> Vec<(ServiceMetric, OffsetDateTime)> {
        self.work_off_tasks(now);
        let queues = self.by_place.values_mut();
        let queues = queues.filter(|queue| queue.place.account == account);
        let told = queues.flat_map(|queue| {
            let minutes = queue.unmeasured(now).into_iter();
            minutes.flat_map(|minute| minute.metrics(&queue.place))
        });
        told.collect()
    }

    pub(super) fn forget(&mut self, account: &str, now: OffsetDateTime) {
        self.by_place
            .retain(|place, queue| place.account != account || queue.renew(now));
        self.deleted.retain(|place, _| place.account != account);
        self.tasks.forget(account);
    }

    /// Whether that queue may give messages up to where the policy says.
    pub(super) fn check_redrive(&self, source: &Place, redrive: &Redrive) -> Result<(), ApiError> {
        let target = self.by_place.get(&redrive.target);
        let target = target.map(|queue| &queue.attributes);
        redrive::check(source, redrive, target)
    }

    /// The queues that give messages up to that one.
    pub(super) fn sources_of<'q>(&'q self, target: &'q Place) -> impl Iterator<Item = &'q Place> {
        let queues = self.by_place.values().filter(move |queue| {
            let redrive = queue.attributes.redrive.as_ref();
            redrive.is_some_and(|redrive| redrive.target == *target)
        });
        queues.map(|queue| &queue.place)
    }

    /// Takes a message in, unless it was taken in before.
    pub(super) fn accept(
        &mut self,
        place: &Place,
        checked: Checked,
        now: OffsetDateTime,
    ) -> Result<Sent, ApiError> {
        let number = self.sequence + 1;
        let queue = self.by_place.get_mut(place).ok_or_else(no_such_queue)?;
        let Checked {
            mut message, delay, ..
        } = checked;
        if !queue.attributes.fifo {
            let message_id = message.id.clone();
            queue.enqueue(message, delay, now);
            queue.count(Count::Sent, 1);
            return Ok(Sent {
                message_id,
                sequence: None,
            });
        }
        let group = message
            .group
            .clone()
            .ok_or_else(|| missing("MessageGroupId"))?;
        let id = match message.deduplication.take() {
            Some(id) => id,
            None if queue.attributes.content_based => content_id(&message.body),
            None => return Err(invalid(NO_DEDUPLICATION)),
        };
        let scope = queue.attributes.per_group.then_some(&*group);
        if let Some(before) = queue.duplicates.find(scope, &id) {
            return Ok(Sent {
                message_id: before.message_id,
                sequence: Some(before.sequence),
            });
        }
        let sequence = sequence_number(number);
        let accepted = Accepted {
            message_id: message.id.clone(),
            sequence: sequence.clone(),
        };
        queue.duplicates.remember(scope, &id, accepted, now);
        message.deduplication = Some(id);
        message.sequence = Some(sequence.clone());
        let message_id = message.id.clone();
        queue.enqueue(message, delay, now);
        queue.count(Count::Sent, 1);
        self.sequence = number;
        Ok(Sent {
            message_id,
            sequence: Some(sequence),
        })
    }

    /// Receives, and gives up what was received too often.
    pub(super) fn receive(
        &mut self,
        place: &Place,
        most: usize,
        visibility: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Taken, ApiError> {
        let redrive = self.get(place, now)?.attributes.redrive.clone();
        // Nowhere to put it: it stays.
        let redrive = redrive.filter(|redrive| self.by_place.contains_key(&redrive.target));
        let queue = self.get(place, now)?;
        let visibility = visibility.unwrap_or(queue.attributes.visibility);
        let most_receives = redrive.as_ref().map(|redrive| redrive.receives_max);
        let mut taken = queue.take(now, most, visibility, most_receives)?;
        if let Some(redrive) = redrive
            && !taken.given_up.is_empty()
        {
            for message in &mut taken.given_up {
                message.given_up_by = Some(place.arn());
                self.put(&redrive.target, message.clone(), now);
            }
        }
        Ok(taken)
    }

    /// Puts a message of another queue in; whether there is such a queue. When it was sent is kept in
    /// standard queues and renewed in FIFO ones (Developer Guide).
    pub(super) fn put(&mut self, place: &Place, mut message: Message, now: OffsetDateTime) -> bool {
        let Some(queue) = self.by_place.get_mut(place) else {
            return false;
        };
        if queue.attributes.fifo {
            self.sequence += 1;
            message.sequence = Some(sequence_number(self.sequence));
            message.sent = now;
        }
        queue.enqueue(message, 0, now);
        true
    }

    /// When a receive there may find something that it would not find now, if nobody calls.
    pub(super) fn next_due(&self, place: &Place) -> Option<OffsetDateTime> {
        let queue = self.by_place.get(place).and_then(Queue::next_due);
        queue.into_iter().chain(self.tasks.next_due()).min()
    }
}

pub(super) const NO_DEDUPLICATION: &str = "The queue should either have ContentBasedDeduplication \
                                           enabled or MessageDeduplicationId provided explicitly";

/// SHA-256 of the body, without the attributes (service model).
fn content_id(body: &str) -> String {
    use std::fmt::Write as _;

    let digest = Sha256::digest(body.as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Twenty digits that grow, as AWS's do.
fn sequence_number(number: u128) -> String {
    (18_849_496_460_467_696_128 + number * 256).to_string()
}
