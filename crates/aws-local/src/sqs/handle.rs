//! A queue for callers in this process, such as an event source mapping: no HTTP, no signatures, no
//! journal.
//!
//! ```ignore
//! let queue = sqs.queue(account, region, "jobs").expect("there is such a queue");
//! while queue.available().await {
//!     for received in queue.receive(10, Some(Duration::seconds(60))) {
//!         match work_off(&received) {
//!             Ok(()) => queue.delete(&received.receipt_handle),
//!             Err(_) => queue.release(&received.receipt_handle, Duration::ZERO),
//!         };
//!     }
//! }
//! ```

use std::{collections::BTreeMap, sync::Arc};

use time::Duration;

use super::{
    Sqs,
    attributes::VISIBILITY_MAX,
    message::{Attribute, Message, attributes_digest, digest},
    place::Place,
    receipt::Receipt,
};
use crate::clock::Clock;

/// A queue, also when it is deleted and created anew.
#[derive(Debug, Clone)]
pub struct QueueHandle {
    sqs: Sqs,
    place: Place,
}

/// A message that was received, with everything that SQS and Lambda's events tell of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The same at every receive.
    pub message_id: String,
    /// Another at every receive.
    pub receipt_handle: String,
    /// As it was sent.
    pub body: Arc<str>,
    /// MD5 in lower-case hex.
    pub md5_of_body: String,
    /// `ApproximateReceiveCount`, `SentTimestamp`, `SenderId`, `MessageGroupId`, …
    pub attributes: BTreeMap<&'static str, String>,
    /// The producer's own, by name.
    pub message_attributes: Arc<BTreeMap<String, Attribute>>,
    /// Their digest, when there are any.
    pub md5_of_message_attributes: Option<String>,
}

impl Received {
    fn new(message: &Message, receipt: Receipt) -> Self {
        let attributes = &message.attributes;
        Self {
            message_id: message.id.clone(),
            receipt_handle: receipt.text(),
            body: Arc::clone(&message.body),
            md5_of_body: digest(message.body.as_bytes()),
            attributes: message.system_attributes(),
            md5_of_message_attributes: (!attributes.is_empty())
                .then(|| attributes_digest(attributes.iter())),
            message_attributes: Arc::clone(attributes),
        }
    }
}

impl Sqs {
    /// A queue by its name or ARN, if there is one now. An ARN names account and region by itself,
    /// which must be these.
    pub fn queue(&self, account: &str, region: &str, name_or_arn: &str) -> Option<QueueHandle> {
        let place = Place::of_arn(name_or_arn).unwrap_or_else(|| Place {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name_or_arn.to_owned(),
        });
        let there = place.account == account
            && place.region == region
            && self.queues().by_place.contains_key(&place);
        there.then(|| QueueHandle {
            sqs: self.clone(),
            place,
        })
    }
}

impl QueueHandle {
    /// `arn:aws:sqs:…`.
    pub fn arn(&self) -> String {
        self.place.arn()
    }

    /// Whether it is first in, first out.
    pub fn is_fifo(&self) -> bool {
        self.place.is_fifo()
    }

    /// The queue's own visibility timeout; none: the queue is gone.
    pub fn visibility_timeout(&self) -> Option<Duration> {
        let queues = self.sqs.queues();
        let queue = queues.by_place.get(&self.place)?;
        Some(Duration::seconds(queue.attributes.visibility))
    }

    /// Receives up to `most` messages (more than ten are fine here) and hides them for that long (twelve
    /// hours at most), or for the queue's own timeout. What was received too often goes to the dead-letter queue instead.
    /// Never waits; nothing is received from a queue that is gone.
    pub fn receive(&self, most: usize, visibility: Option<Duration>) -> Vec<Received> {
        let now = self.sqs.clock.now();
        let seconds = visibility.map(in_bounds);
        let taken = self.sqs.queues().receive(&self.place, most, seconds, now);
        let received = taken.map(|taken| taken.received).unwrap_or_default();
        let received = received.iter();
        received
            .map(|(message, receipt)| Received::new(message, *receipt))
            .collect()
    }

    /// Deletes a received message; whether the receipt was good.
    pub fn delete(&self, receipt_handle: &str) -> bool {
        let now = self.sqs.clock.now();
        let mut queues = self.sqs.queues();
        let deleted = queues.get(&self.place, now).and_then(|queue| {
            let receipt = Receipt::read(receipt_handle, queue.generation)?;
            queue.delete(&receipt, receipt_handle)
        });
        deleted.is_ok()
    }

    /// Shows a received message again after that long; whether the receipt was good.
    pub fn release(&self, receipt_handle: &str, after: Duration) -> bool {
        let now = self.sqs.clock.now();
        let mut queues = self.sqs.queues();
        let released = queues.get(&self.place, now).and_then(|queue| {
            let receipt = Receipt::read(receipt_handle, queue.generation)?;
            queue.change_visibility(&receipt, receipt_handle, in_bounds(after), now)
        });
        released.is_ok()
    }

    /// How many messages it holds: those that wait, are delayed and are in flight; none when it is gone.
    pub fn held(&self) -> usize {
        let now = self.sqs.clock.now();
        let mut queues = self.sqs.queues();
        let counts = queues.get(&self.place, now).map(|queue| queue.counts());
        counts.map_or(0, |counts| counts.ready + counts.in_flight + counts.delayed)
    }

    /// Ends when it holds no more than that many messages, which may be at once. Dropping it is fine.
    pub async fn until_held(&self, most: usize) {
        loop {
            let now = self.sqs.clock.now();
            let mut changed = match self.sqs.queues().get(&self.place, now) {
                Ok(queue) => queue.watch(),
                Err(_) => return,
            };
            if self.held() <= most {
                return;
            }
            // An error means that it is gone.
            let _ = changed.changed().await;
        }
    }

    /// Ends with `true` when a receive would find something, which may be at once, and with `false`
    /// when the queue is gone. Dropping it is fine.
    pub async fn available(&self) -> bool {
        loop {
            let now = self.sqs.clock.now();
            let (mut changed, due) = {
                let mut queues = self.sqs.queues();
                let Ok(queue) = queues.get(&self.place, now) else {
                    return false;
                };
                if queue.has_next() {
                    return true;
                }
                (queue.watch(), queues.next_due(&self.place))
            };
            changed_or_due(&*self.sqs.clock, &mut changed, due).await;
        }
    }
}

/// Seconds, as far as a message can be hidden.
fn in_bounds(time: Duration) -> i64 {
    time.whole_seconds().clamp(0, VISIBILITY_MAX)
}

/// Ends when the queue changes, is deleted, or that moment comes.
pub(super) async fn changed_or_due(
    clock: &dyn Clock,
    changed: &mut tokio::sync::watch::Receiver<()>,
    due: Option<time::OffsetDateTime>,
) {
    let due = async {
        match due {
            Some(moment) => clock.until(moment).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = changed.changed() => {}
        () = due => {}
    }
}
