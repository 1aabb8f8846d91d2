//! `PurgeQueue`: at once here, within a minute on AWS; once a minute on both.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use time::Duration;

use super::{Answered, Sqs, done, error::PURGE_QUEUE_IN_PROGRESS, place::Place};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    let queue = queues.get(&place, now)?;
    if queue
        .purged
        .is_some_and(|at| at + Duration::seconds(60) > now)
    {
        return Err(PURGE_QUEUE_IN_PROGRESS.error(format!(
            "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
            place.name
        )));
    }
    queue.purge(now);
    Ok(done())
}
