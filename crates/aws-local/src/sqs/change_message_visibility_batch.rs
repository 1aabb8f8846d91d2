//! `ChangeMessageVisibilityBatch`.

use bedrock_emulator::neighbour::Visit;
use serde_json::Map;

use super::{
    Answered, Sqs,
    batch::{self, Batch, Results},
    change_message_visibility::Change,
    place::Place,
    told,
};

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Batch<Change> = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    let queue = queues.get(&place, now)?;
    let entries = batch::checked(request.entries, "ChangeMessageVisibilityBatchRequestEntry")?;
    let mut results = Results::default();
    for (id, change) in entries {
        results.push(&id, change.apply(queue, now).map(|()| Map::new()));
    }
    Ok(told(&results.json()))
}
