//! `DeleteQueue`: with everything in it.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, Sqs, done, place::Place};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    sqs.queues().close(&place, sqs.clock.now())?;
    Ok(done())
}
