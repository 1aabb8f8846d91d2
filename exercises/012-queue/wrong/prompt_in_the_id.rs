//! dies in: the_same_work_has_the_same_id
//!
//! The prompt is a part of the id: asked in other words, it is another job.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_bedrockruntime::{
    operation::converse::ConverseOutput,
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message},
};
use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use serde_json::{Value, json};

pub use given::{Deps, FUNCTION_TIMEOUT, Job, QueueSettings};

type Trouble = lambda_runtime::Error;

/// Sends a job and tells its id: the same for the same work, however often it is sent.
pub async fn enqueue(
    queues: &aws_sdk_sqs::Client,
    queue_url: &str,
    job: &Job,
) -> Result<String, aws_sdk_sqs::Error> {
    // As JSON, because ("a-b", "c") and ("a", "b-c") are two jobs. No time in it, or a second press of
    // the button is a second job; no person either, for a dead letter is read by many.
    let job_id = json!([job.tenant, job.request, job.prompt]).to_string();
    let body = json!({ "job_id": job_id, "prompt": job.prompt });
    let message = queues.send_message().queue_url(queue_url);
    message.message_body(body.to_string()).send().await?;
    Ok(job_id)
}

/// Works a batch off; answers with the messages that must come again, and only those.
///
/// One after the other. Where jobs take long, work on several at once (as `second.rs` does), or make
/// batches smaller: all of a batch must fit into one invocation.
pub async fn consume(
    deps: &Deps,
    event: SqsEvent,
) -> Result<SqsBatchResponse, lambda_runtime::Error> {
    let mut response = SqsBatchResponse::default();
    let mut stopped = false;
    for message in &event.records {
        if stopped || work(deps, message).await == Fate::ComesAgain {
            response.add_failure(message.message_id.clone().unwrap_or_default());
            // In a FIFO queue nobody overtakes: what comes after a failure waits for it.
            stopped = is_fifo(message);
        }
    }
    // Never an `Err`: it would bring all ten back, the nine that are done included.
    Ok(response)
}

/// What queue, dead-letter queue and event source mapping are set to.
pub fn settings() -> QueueSettings {
    let visibility_timeout = 6 * FUNCTION_TIMEOUT;
    QueueSettings {
        visibility_timeout,
        // Longer than a worker can live, and over when the message comes back.
        lease: 2 * FUNCTION_TIMEOUT,
        max_receive_count: Some(5),
        dead_letter_retention: Duration::from_hours(14 * 24),
        report_batch_item_failures: true,
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// SQS deletes it.
    Acknowledged,
    /// SQS delivers it again, and after `maxReceiveCount` times moves it to the dead-letter queue.
    ComesAgain,
}

fn is_fifo(message: &SqsMessage) -> bool {
    let arn = message.event_source_arn.as_deref().unwrap_or_default();
    arn.ends_with(".fifo")
}

/// One message, whatever happens.
async fn work(deps: &Deps, message: &SqsMessage) -> Fate {
    let body = message.body.as_deref().unwrap_or_default();
    // Indexing a `Value` that is no object gives null, which is no text.
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let Some(job_id) = body["job_id"].as_str().filter(|id| !id.is_empty()) else {
        // Nobody waits for a job without a name. The dead-letter queue keeps it for a person.
        return Fate::ComesAgain;
    };
    let prompt = body["prompt"].as_str().filter(|p| !p.trim().is_empty());
    let fate = match prompt {
        Some(prompt) => answer(deps, job_id, prompt).await,
        None => reject(deps, job_id).await,
    };
    fate.unwrap_or_else(|trouble| {
        // For whoever reads the log: which job, and why. Not the prompt.
        eprintln!("{job_id} must come again: {trouble:?}");
        Fate::ComesAgain
    })
}

/// Lease, ask, write: in this order, and nothing between them that could forget the one before.
async fn answer(deps: &Deps, job_id: &str, prompt: &str) -> Result<Fate, Trouble> {
    let until = (deps.now() + deps.lease.as_secs()).to_string();
    match lease(deps, job_id, &until).await? {
        Lease::Mine => {}
        Lease::Held => return Ok(Fate::ComesAgain),
        Lease::Closed => return Ok(Fate::Acknowledged),
    }
    let text = ask(deps, prompt).await?;
    // A worker that overslept its lease must not write over the work of its successor. To such a
    // one this is an error like any other: the message comes again, and finds the job done.
    deps.dynamodb
        .update_item()
        .table_name(&deps.table)
        .key("job_id", AttributeValue::S(job_id.to_owned()))
        .update_expression("SET job_state = :done, answer = :answer REMOVE lease_until")
        .condition_expression("job_state = :leased AND lease_until = :mine")
        .expression_attribute_values(":done", AttributeValue::S("DONE".into()))
        .expression_attribute_values(":answer", AttributeValue::S(text))
        .expression_attribute_values(":leased", AttributeValue::S("LEASED".into()))
        .expression_attribute_values(":mine", AttributeValue::N(until))
        .send()
        .await?;
    Ok(Fate::Acknowledged)
}

/// What a worker that asked for a lease got.
enum Lease {
    Mine,
    /// Another worker has it.
    Held,
    /// The job has ended.
    Closed,
}

/// One conditional write, and no read before it: of two workers that come at once, `DynamoDB` lets one
/// in.
async fn lease(deps: &Deps, job_id: &str, until: &str) -> Result<Lease, Trouble> {
    let leased = AttributeValue::S("LEASED".into());
    let put = deps
        .dynamodb
        .put_item()
        .table_name(&deps.table)
        .item("job_id", AttributeValue::S(job_id.to_owned()))
        .item("job_state", leased.clone())
        .item("lease_until", AttributeValue::N(until.to_owned()))
        .condition_expression(
            "attribute_not_exists(job_id) OR (job_state = :leased AND lease_until < :now)",
        )
        .expression_attribute_values(":leased", leased.clone())
        .expression_attribute_values(":now", AttributeValue::N(deps.now().to_string()))
        // The row that stands in the way comes with the refusal, without a second request.
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let Err(error) = put.send().await else {
        return Ok(Lease::Mine);
    };
    match error.into_service_error() {
        PutItemError::ConditionalCheckFailedException(there) => {
            let state = there.item().and_then(|row| row.get("job_state"));
            let held = state == Some(&leased);
            Ok(if held { Lease::Held } else { Lease::Closed })
        }
        other => Err(other.into()),
    }
}

/// A job that cannot be asked about: whoever waits for it reads so in its row. A row that is there
/// already says more than this message does.
async fn reject(deps: &Deps, job_id: &str) -> Result<Fate, Trouble> {
    let put = deps
        .dynamodb
        .put_item()
        .table_name(&deps.table)
        .item("job_id", AttributeValue::S(job_id.to_owned()))
        .item("job_state", AttributeValue::S("REJECTED".into()))
        .item("reason", AttributeValue::S("there is no prompt".into()))
        .condition_expression("attribute_not_exists(job_id)");
    let refused = put.send().await.map_err(|e| e.into_service_error());
    match refused {
        Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(Fate::Acknowledged),
        Err(other) => Err(other.into()),
    }
}

async fn ask(deps: &Deps, prompt: &str) -> Result<String, Trouble> {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()?;
    let limit = InferenceConfiguration::builder()
        .max_tokens(deps.max_tokens)
        .build();
    let call = deps.bedrock.converse().model_id(&deps.model);
    // Whatever Bedrock says against it, the queue tries again, and gives up in the end.
    let output = call.messages(message).inference_config(limit).send().await;
    text(&output?).ok_or_else(|| "the answer has no text".into())
}

fn text(output: &ConverseOutput) -> Option<String> {
    let message = output.output()?.as_message().ok()?;
    let texts = message.content().iter().filter_map(|b| b.as_text().ok());
    Some(texts.map(String::as_str).collect())
}
