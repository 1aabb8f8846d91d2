//! `GetQueueAttributes`: what the queue was told, and what it counts.

use std::collections::BTreeMap;

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, Sqs, attributes, error::unknown_attribute, place::Place, queue::Queue, told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let names = &request.attribute_names;
    let mut queues = sqs.queues();
    let queue = queues.get(&place, sqs.clock.now())?;
    if let Some(name) = names.iter().find(|name| !attributes::is_known(name)) {
        return Err(unknown_attribute(name));
    }
    let all = names.iter().any(|name| name == "All");
    let mut known = all_of(queue);
    known.retain(|name, _| all || names.iter().any(|asked| asked == name));
    Ok(told(&if known.is_empty() {
        json!({})
    } else {
        json!({ "Attributes": known })
    }))
}

fn all_of(queue: &Queue) -> BTreeMap<&'static str, String> {
    let counts = queue.counts();
    let mut all: BTreeMap<_, _> = queue.attributes.list().into_iter().collect();
    all.extend([
        ("QueueArn", queue.place.arn()),
        (
            "CreatedTimestamp",
            queue.created.unix_timestamp().to_string(),
        ),
        (
            "LastModifiedTimestamp",
            queue.modified.unix_timestamp().to_string(),
        ),
        ("ApproximateNumberOfMessages", counts.ready.to_string()),
        (
            "ApproximateNumberOfMessagesNotVisible",
            counts.in_flight.to_string(),
        ),
        (
            "ApproximateNumberOfMessagesDelayed",
            counts.delayed.to_string(),
        ),
    ]);
    all
}
