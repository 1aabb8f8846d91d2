//! `DeleteMessage`.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;

use super::{Answered, Sqs, done, error::required, place::Place, queue::Queue, receipt::Receipt};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    #[serde(flatten)]
    deletion: Deletion,
}

/// Which message is to go.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Deletion {
    receipt_handle: Option<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    request
        .deletion
        .apply(sqs.queues().get(&place, sqs.clock.now())?)?;
    Ok(done())
}

impl Deletion {
    pub(super) fn apply(self, queue: &mut Queue) -> Result<(), ApiError> {
        let handle = required(self.receipt_handle, "ReceiptHandle")?;
        let receipt = Receipt::read(&handle, queue.generation)?;
        queue.delete(&receipt, &handle)
    }
}
