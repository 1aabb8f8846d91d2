//! `DeleteMessageBatch`.

use bedrock_emulator::neighbour::Visit;
use serde_json::Map;

use super::{
    Answered, Sqs,
    batch::{self, Batch, Results},
    delete_message::Deletion,
    place::Place,
    told,
};

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Batch<Deletion> = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let mut queues = sqs.queues();
    let queue = queues.get(&place, sqs.clock.now())?;
    let entries = batch::checked(request.entries, "DeleteMessageBatchRequestEntry")?;
    let mut results = Results::default();
    for (id, deletion) in entries {
        results.push(&id, deletion.apply(queue).map(|()| Map::new()));
    }
    Ok(told(&results.json()))
}
