//! Exercise 012: a queue.
//!
//! Jobs wait in SQS, a Lambda function takes them in batches, asks Bedrock and writes the answers into
//! `DynamoDB`. SQS delivers at least once; the customer pays once. This is the only file you edit;
//! `Job`, `Deps` and `QueueSettings` stand in `given.rs`. The task is in `README.md`;
//! `workshop hint 012` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

pub use given::{Deps, FUNCTION_TIMEOUT, Job, QueueSettings};

/// Sends a job and tells its id: the same for the same work, however often it is sent.
pub async fn enqueue(
    queues: &aws_sdk_sqs::Client,
    queue_url: &str,
    job: &Job,
) -> Result<String, aws_sdk_sqs::Error> {
    todo!(
        "012/1: send the job {} to {queue_url} with {:?}",
        job.request,
        queues.config().region()
    )
}

/// Works a batch off; answers with the messages that must come again, and only those.
pub async fn consume(
    deps: &Deps,
    event: SqsEvent,
) -> Result<SqsBatchResponse, lambda_runtime::Error> {
    todo!(
        "012/4: ask {} about {} messages, and keep the answers in {}",
        deps.model,
        event.records.len(),
        deps.table
    )
}

/// What queue, dead-letter queue and event source mapping are set to.
pub fn settings() -> QueueSettings {
    todo!("012/24: settings that fit a function with {FUNCTION_TIMEOUT:?}")
}
