//! `ListMessageMoveTasks`: the newest tasks of a dead-letter queue.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, Sqs,
    error::within,
    move_tasks::{Status, Task},
    start_message_move_task::source,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    source_arn: Option<String>,
    max_results: Option<i64>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let most = within(request.max_results.unwrap_or(1), "MaxResults", 1..=10)?;
    let mut queues = sqs.queues();
    queues.work_off_tasks(sqs.clock.now());
    let source = source(&queues, visit, request.source_arn)?;
    let newest = queues.tasks.of(&source);
    let newest = newest.take(usize::try_from(most).unwrap_or(1));
    let results: Vec<Value> = newest.map(entry).collect();
    Ok(told(&json!({ "Results": results })))
}

fn entry(task: &Task) -> Value {
    let mut entry = json!({
        "Status": match task.status {
            Status::Running => "RUNNING",
            Status::Completed => "COMPLETED",
            Status::Cancelled => "CANCELLED",
            Status::Failed => "FAILED",
        },
        "SourceArn": task.source.arn(),
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": i64::try_from(task.started.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
    });
    // Only while it runs (service model).
    if task.status == Status::Running {
        entry["TaskHandle"] = task.handle().into();
    }
    if let Some(destination) = &task.destination {
        entry["DestinationArn"] = destination.arn().into();
    }
    if let Some(rate) = task.rate {
        entry["MaxNumberOfMessagesPerSecond"] = rate.into();
    }
    if task.status == Status::Failed {
        entry["FailureReason"] = "AWS.SimpleQueueService.NonExistentQueue".into();
    }
    entry
}
