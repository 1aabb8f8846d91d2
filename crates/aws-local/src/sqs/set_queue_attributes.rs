//! `SetQueueAttributes`: all of them or none.

use std::collections::BTreeMap;

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, Sqs, done, error::missing, place::Place};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let told = request.attributes.filter(|told| !told.is_empty());
    let told = told.ok_or_else(|| missing("Attributes"))?;
    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    let attributes = queues.get(&place, now)?.attributes.with(&told)?;
    if told.contains_key("RedrivePolicy")
        && let Some(redrive) = &attributes.redrive
    {
        queues.check_redrive(&place, redrive)?;
    }
    queues.get(&place, now)?.tell_attributes(attributes, now);
    Ok(done())
}
