//! `CreateQueue`: once, however often it is asked for with the same attributes.

use std::collections::BTreeMap;

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, Sqs,
    attributes::Attributes,
    error::{QUEUE_DELETED_RECENTLY, QUEUE_NAME_EXISTS, required},
    place::{Place, checked_name},
    queue::Queue,
    tag_queue, told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// The one member of the service whose name begins small.
    #[serde(rename = "tags", default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let name = required(request.queue_name, "QueueName")?;
    let fifo = request.attributes.get("FifoQueue");
    let fifo = fifo.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    checked_name(&name, fifo)?;
    let attributes = Attributes::new(fifo).with(&request.attributes)?;
    tag_queue::check(&request.tags)?;
    let place = Place::named(visit, &name);
    let url = json!({ "QueueUrl": place.url(visit) });

    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    if let Some(queue) = queues.queues.get(&place) {
        let differs = queue
            .attributes
            .difference(&attributes, request.attributes.keys());
        return match differs {
            None => Ok(told(&url)),
            Some(attribute) => Err(QUEUE_NAME_EXISTS.error(format!(
                "A queue already exists with the same name and a different value for attribute \
                 {attribute}"
            ))),
        };
    }
    if queues.rests(&place, now) {
        return Err(QUEUE_DELETED_RECENTLY.error(
            "You must wait 60 seconds after deleting a queue before you can create another with the \
             same name.",
        ));
    }
    if let Some(redrive) = &attributes.redrive {
        queues.check_redrive(&place, redrive)?;
    }
    queues.open(place.clone(), now, |generation| {
        let mut queue = Queue::new(place, attributes, generation, now);
        queue.tags = request.tags;
        queue
    });
    Ok(told(&url))
}
