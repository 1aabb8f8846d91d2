//! `ChangeMessageVisibility`: more time for a message, or none.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    Answered, Sqs,
    attributes::VISIBILITY_MAX,
    done,
    error::{missing, required, within},
    place::Place,
    queue::Queue,
    receipt::Receipt,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    #[serde(flatten)]
    change: Change,
}

/// What is to become of one message.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Change {
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let now = sqs.clock.now();
    request.change.apply(sqs.queues().get(&place, now)?, now)?;
    Ok(done())
}

impl Change {
    pub(super) fn apply(self, queue: &mut Queue, now: OffsetDateTime) -> Result<(), ApiError> {
        let handle = required(self.receipt_handle, "ReceiptHandle")?;
        let seconds = self.visibility_timeout;
        let seconds = seconds.ok_or_else(|| missing("VisibilityTimeout"))?;
        let seconds = within(seconds, "VisibilityTimeout", 0..=VISIBILITY_MAX)?;
        let receipt = Receipt::read(&handle, queue.generation)?;
        queue.change_visibility(&receipt, &handle, seconds, now)
    }
}
