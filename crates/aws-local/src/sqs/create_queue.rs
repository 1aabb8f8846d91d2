//! `CreateQueue`: once, however often it is asked for with the same attributes.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
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
    let place = Place::named(visit, &name);
    let url = json!({ "QueueUrl": place.url(visit) });
    open(sqs, place, &request.attributes, request.tags, false)?;
    Ok(told(&url))
}

impl Sqs {
    /// `CreateQueue` for a caller in this process, with the attributes that it knows:
    /// `VisibilityTimeout`, `RedrivePolicy`, … A reset of the account empties it and keeps it.
    pub fn create(
        &self,
        account: &str,
        region: &str,
        name: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        let place = Place {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
        };
        open(self, place, attributes, BTreeMap::new(), true)
    }
}

fn open(
    sqs: &Sqs,
    place: Place,
    asked: &BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    stays: bool,
) -> Result<(), ApiError> {
    let fifo = asked.get("FifoQueue");
    let fifo = fifo.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    checked_name(&place.name, fifo)?;
    let attributes = Attributes::new(fifo).with(asked)?;
    tag_queue::check(&tags)?;

    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    if let Some(queue) = queues.by_place.get(&place) {
        return match queue.attributes.difference(&attributes, asked.keys()) {
            None => Ok(()),
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
        queue.tags = tags;
        queue.configured = stays.then(|| queue.attributes.clone());
        queue
    });
    Ok(())
}
