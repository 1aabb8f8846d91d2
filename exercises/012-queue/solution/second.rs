//! Exercise 012, solved another way: all jobs of a batch at once, a lease that is an update, and a read
//! only where the lease was refused.
//!
//! `workshop verify` runs the tests against this one too: they must not insist on one way of writing.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, InferenceConfiguration, Message,
};
use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue,
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use given::{Deps, FUNCTION_TIMEOUT, Job, QueueSettings};

/// What travels through the queue. `prompt` is anything on its way in: a job that can be named can be
/// rejected by its name.
#[derive(Serialize, Deserialize)]
struct Order {
    job_id: String,
    #[serde(default)]
    prompt: Value,
}

/// Sends a job and tells its id: the same for the same work, however often it is sent.
pub async fn enqueue(
    queues: &aws_sdk_sqs::Client,
    queue_url: &str,
    job: &Job,
) -> Result<String, aws_sdk_sqs::Error> {
    // The length says where the tenant ends, whatever characters it is made of.
    let job_id = format!("{}:{}:{}", job.tenant.len(), job.tenant, job.request);
    let order = Order {
        job_id: job_id.clone(),
        prompt: job.prompt.as_str().into(),
    };
    let body = serde_json::to_string(&order).unwrap_or_default();
    let message = queues.send_message().queue_url(queue_url);
    message.message_body(body).send().await?;
    Ok(job_id)
}

/// Works a batch off; answers with the messages that must come again, and only those.
pub async fn consume(
    deps: &Deps,
    event: SqsEvent,
) -> Result<SqsBatchResponse, lambda_runtime::Error> {
    let messages = &event.records;
    let taken: Vec<bool> = if messages.iter().any(in_order) {
        let mut taken = Vec::new();
        for message in messages {
            // `&&` stops at the first failure: nothing after it is worked on.
            taken.push(taken.last() != Some(&false) && take(deps, message).await);
        }
        taken
    } else {
        join_all(messages.iter().map(|message| take(deps, message))).await
    };
    let failed = messages.iter().zip(taken).filter(|(_, taken)| !taken);
    let ids = failed.filter_map(|(message, _)| message.message_id.clone());
    let mut response = SqsBatchResponse::default();
    response.set_failures(ids);
    Ok(response)
}

/// What queue, dead-letter queue and event source mapping are set to.
pub fn settings() -> QueueSettings {
    QueueSettings {
        visibility_timeout: Duration::from_mins(5),
        lease: Duration::from_mins(1),
        max_receive_count: Some(6),
        dead_letter_retention: Duration::from_hours(10 * 24),
        report_batch_item_failures: true,
    }
}

fn in_order(message: &SqsMessage) -> bool {
    let source = message.event_source_arn.as_ref();
    source.is_some_and(|arn| arn.ends_with(".fifo"))
}

/// Whether a message may be deleted.
async fn take(deps: &Deps, message: &SqsMessage) -> bool {
    let body = message.body.as_deref().unwrap_or_default();
    match serde_json::from_str::<Order>(body) {
        Ok(order) if !order.job_id.is_empty() => end(deps, &order).await.unwrap_or(false),
        // Evidence, for whoever looks into the dead-letter queue.
        _ => false,
    }
}

/// Brings a job to its end; `false`: not yet.
async fn end(deps: &Deps, order: &Order) -> Result<bool, lambda_runtime::Error> {
    let Some(prompt) = order.prompt.as_str().filter(|p| !p.trim().is_empty()) else {
        let reject = update(deps, order, "SET job_state = :rejected, reason = :reason")
            .condition_expression("attribute_not_exists(job_id)")
            .expression_attribute_values(":rejected", text("REJECTED"))
            .expression_attribute_values(":reason", text("the prompt is missing or blank"));
        return match reject.send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                // A row is there: this message has nothing to add to it.
                let there = error.into_service_error();
                let refused = there.is_conditional_check_failed_exception();
                refused.then_some(true).ok_or_else(|| there.into())
            }
        };
    };

    let now = deps.now();
    let mine = AttributeValue::N((now + deps.lease.as_secs()).to_string());
    let lease = update(deps, order, "SET job_state = :leased, lease_until = :mine")
        .condition_expression("attribute_not_exists(job_id) OR lease_until < :now")
        .expression_attribute_values(":leased", text("LEASED"))
        .expression_attribute_values(":mine", mine.clone())
        .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
    if let Err(refused) = lease.send().await {
        let refused = refused.into_service_error();
        if !refused.is_conditional_check_failed_exception() {
            return Err(refused.into());
        }
        return is_closed(deps, order).await;
    }

    let answer = ask(deps, prompt).await?;
    update(
        deps,
        order,
        "SET job_state = :done, answer = :answer REMOVE lease_until",
    )
    // `lease_until` is this worker's alone: the next one's lies later.
    .condition_expression("lease_until = :mine")
    .expression_attribute_values(":done", text("DONE"))
    .expression_attribute_values(":answer", text(answer))
    .expression_attribute_values(":mine", mine)
    .send()
    .await?;
    Ok(true)
}

/// Whether a job that cannot be leased has ended; otherwise another worker has it.
async fn is_closed(deps: &Deps, order: &Order) -> Result<bool, lambda_runtime::Error> {
    let get = deps.dynamodb.get_item().table_name(&deps.table);
    let get = get.key("job_id", text(&order.job_id)).consistent_read(true);
    let row = get.send().await?.item.unwrap_or_default();
    Ok(row.get("job_state") != Some(&text("LEASED")))
}

fn update(deps: &Deps, order: &Order, expression: &str) -> UpdateItemFluentBuilder {
    let update = deps.dynamodb.update_item().table_name(&deps.table);
    let update = update.key("job_id", text(&order.job_id));
    update.update_expression(expression)
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

async fn ask(deps: &Deps, prompt: &str) -> Result<String, lambda_runtime::Error> {
    let content = ContentBlock::Text(prompt.to_owned());
    let message = Message::builder().role(ConversationRole::User);
    let limit = InferenceConfiguration::builder().max_tokens(deps.max_tokens);
    let call = deps.bedrock.converse().model_id(&deps.model);
    let call = call.messages(message.content(content).build()?);
    let answer = call.inference_config(limit.build()).send().await?;
    let message = answer.output().and_then(|output| output.as_message().ok());
    let blocks = message.ok_or("the answer has no message")?.content();
    Ok(blocks
        .iter()
        .filter_map(|block| block.as_text().ok().map(String::as_str))
        .collect())
}
