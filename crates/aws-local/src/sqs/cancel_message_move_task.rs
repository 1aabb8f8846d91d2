//! `CancelMessageMoveTask`: what has moved stays moved.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, Sqs,
    error::{RESOURCE_NOT_FOUND, invalid, required},
    move_tasks::{self, Status},
    place::Place,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    task_handle: Option<String>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let handle = required(request.task_handle, "TaskHandle")?;
    let (id, source) = move_tasks::read_handle(&handle)
        .ok_or_else(|| invalid("Value for parameter TaskHandle is invalid."))?;
    let mut queues = sqs.queues();
    queues.work_off_tasks(sqs.clock.now());
    let source = Place::of_arn(&source).filter(|source| source.account == *visit.account);
    let source = source.filter(|source| queues.by_place.contains_key(source));
    let source = source.ok_or_else(|| {
        RESOURCE_NOT_FOUND
            .error("The resource that you specified for the SourceArn parameter doesn't exist.")
    })?;
    let task = queues.tasks.find(&source, &id);
    let task = task.ok_or_else(|| RESOURCE_NOT_FOUND.error("Task does not exist."))?;
    if task.status != Status::Running {
        // Chosen: what AWS says here was not seen.
        return Err(invalid("Only active tasks can be cancelled."));
    }
    task.status = Status::Cancelled;
    Ok(told(
        &json!({ "ApproximateNumberOfMessagesMoved": task.moved }),
    ))
}
