//! `GetQueueUrl`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, Sqs,
    error::{no_such_queue, required},
    place::Place,
    told,
};

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "QueueName")]
    queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::named(visit, &required(request.queue_name, "QueueName")?);
    let owned = request.owner.is_none_or(|owner| owner == *visit.account);
    if !owned || !sqs.queues().by_place.contains_key(&place) {
        return Err(no_such_queue());
    }
    Ok(told(&json!({ "QueueUrl": place.url(visit) })))
}
