//! dies in: a_job_is_one_message_that_names_no_person, the_same_work_has_the_same_id, a_job_is_leased_then_asked_then_written, two_workers_get_one_lease, the_same_job_twice_in_a_batch_is_paid_once, a_crash_before_the_write_costs_a_second_call_and_no_more, who_overslept_the_lease_writes_over_nobody, a_batch_reports_what_must_come_again_and_nothing_else, a_job_without_a_prompt_is_rejected_in_its_row, a_message_that_names_no_job_is_left_to_the_dead_letters, whatever_bedrock_refuses_comes_again, without_a_lease_nothing_is_asked, in_a_fifo_queue_nobody_overtakes, the_settings_fit_together, ten_messages_end_as_nine_rows_and_one_dead_letter, who_overslept_does_not_end_the_work_of_its_successor
//!
//! The worker from the articles, line for line: an id made of the time, a loop that throws, the model
//! first and the table afterwards, and whatever AWS does by itself for settings.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

pub use given::{Deps, FUNCTION_TIMEOUT, Job, QueueSettings};

/// Sends a job and tells its id.
pub async fn enqueue(
    queues: &aws_sdk_sqs::Client,
    queue_url: &str,
    job: &Job,
) -> Result<String, aws_sdk_sqs::Error> {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let job_id = format!("{}-{}", job.user, timestamp.as_millis());
    let body = json!({
        "job_id": job_id,
        "prompt": job.prompt,
        "userId": job.user,
        "timestamp": timestamp.as_millis().to_string(),
    });
    queues
        .send_message()
        .queue_url(queue_url)
        .message_body(body.to_string())
        .send()
        .await?;
    Ok(job_id)
}

/// Works a batch off.
pub async fn consume(
    deps: &Deps,
    event: SqsEvent,
) -> Result<SqsBatchResponse, lambda_runtime::Error> {
    for record in event.records {
        let body: Value = serde_json::from_str(&record.body.unwrap())?;
        let prompt = body["prompt"].as_str().unwrap();
        let message = Message::builder()
            .role(ConversationRole::User)
            .content(ContentBlock::Text(prompt.to_owned()))
            .build()?;
        let response = deps
            .bedrock
            .converse()
            .model_id(&deps.model)
            .messages(message)
            .send()
            .await?;
        let message = response.output().unwrap().as_message().unwrap();
        let text = message.content()[0].as_text().unwrap();
        let job_id = body["job_id"].as_str().unwrap();
        deps.dynamodb
            .put_item()
            .table_name(&deps.table)
            .item("job_id", AttributeValue::S(job_id.to_owned()))
            .item("job_state", AttributeValue::S("DONE".to_owned()))
            .item("answer", AttributeValue::S(text.to_owned()))
            .send()
            .await?;
    }
    Ok(SqsBatchResponse::default())
}

/// What AWS does unless somebody says otherwise.
pub fn settings() -> QueueSettings {
    QueueSettings {
        visibility_timeout: Duration::from_secs(30),
        lease: FUNCTION_TIMEOUT,
        max_receive_count: None,
        dead_letter_retention: Duration::from_hours(4 * 24),
        report_batch_item_failures: false,
    }
}
