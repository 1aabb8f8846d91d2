//! `ListDeadLetterSourceQueues`: who gives messages up to this queue.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, Sqs, list_queues::Page, place::Place, told};

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "QueueUrl")]
    queue_url: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let mut queues = sqs.queues();
    queues.get(&place, sqs.clock.now())?;
    let sources = queues.sources_of(&place).map(|source| source.url(visit));
    // This one list's name begins small (service model).
    let body = request.page.of(sources.collect(), "queueUrls")?;
    Ok(told(&body.into()))
}
