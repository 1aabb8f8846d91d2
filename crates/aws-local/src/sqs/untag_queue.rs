//! `UntagQueue`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, Sqs, done, error::missing, place::Place};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let keys = request.tag_keys.filter(|keys| !keys.is_empty());
    let keys = keys.ok_or_else(|| missing("TagKeys"))?;
    let mut queues = sqs.queues();
    let queue = queues.get(&place, sqs.clock.now())?;
    queue.tags.retain(|key, _| !keys.contains(key));
    Ok(done())
}
