//! `ListQueueTags`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, Sqs, place::Place, told};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let mut queues = sqs.queues();
    let tags = &queues.get(&place, sqs.clock.now())?.tags;
    // No tags, no member (observed).
    Ok(told(&if tags.is_empty() {
        json!({})
    } else {
        json!({ "Tags": tags })
    }))
}
