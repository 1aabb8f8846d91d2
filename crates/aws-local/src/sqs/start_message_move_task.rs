//! `StartMessageMoveTask`: back out of a dead-letter queue.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, Sqs,
    error::{RESOURCE_NOT_FOUND, invalid, required, within},
    move_tasks::{Status, Task},
    place::Place,
    queues::Queues,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    source_arn: Option<String>,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

pub(super) fn answer(sqs: &Sqs, mut visit: Visit) -> Answered {
    let request: Request = visit.json()?;
    let rate = match request.max_number_of_messages_per_second {
        None => None,
        Some(rate) => {
            let rate = within(rate, "MaxNumberOfMessagesPerSecond", 1..=500)?;
            u32::try_from(rate).ok()
        }
    };
    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    queues.work_off_tasks(now);
    let source = source(&queues, &visit, request.source_arn)?;
    if queues.sources_of(&source).next().is_none() {
        return Err(invalid(
            "Source queue must be configured as a Dead Letter Queue.",
        ));
    }
    let destination = match request.destination_arn.filter(|arn| !arn.is_empty()) {
        None => None,
        Some(arn) => Some(existing(&queues, &visit, &arn, "DestinationArn")?),
    };
    if queues.tasks.running(&source) {
        return Err(invalid(
            "There is already a task running. Only one active task is allowed for a source queue arn \
             at a given time.",
        ));
    }
    let to_move = queues.get(&source, now)?.counts().ready;
    let task = Task {
        id: visit.uuid(),
        source,
        destination,
        rate,
        started: now,
        moved: 0,
        to_move,
        status: Status::Running,
    };
    let body = json!({ "TaskHandle": task.handle() });
    queues.tasks.add(task);
    queues.work_off_tasks(now);
    Ok(told(&body))
}

/// The queue of a `SourceArn`.
pub(super) fn source(
    queues: &Queues,
    visit: &Visit,
    arn: Option<String>,
) -> Result<Place, ApiError> {
    existing(queues, visit, &required(arn, "SourceArn")?, "SourceArn")
}

fn existing(queues: &Queues, visit: &Visit, arn: &str, parameter: &str) -> Result<Place, ApiError> {
    let place = Place::of_arn(arn).ok_or_else(|| {
        invalid(format!(
            "You must use this format to specify the {parameter}: \
             arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        ))
    })?;
    let ours = place.account == *visit.account && place.region == visit.region;
    if ours && queues.by_place.contains_key(&place) {
        return Ok(place);
    }
    Err(RESOURCE_NOT_FOUND.error(format!(
        "The resource that you specified for the {parameter} parameter doesn't exist."
    )))
}
