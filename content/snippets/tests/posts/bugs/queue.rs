//! The page of the ticket labels, and the queue of the template.

use std::{fmt::Write as _, time::Duration};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use aws_sdk_sqs::types::Message;
use post_snippets::direct::{AskError, ask};
use serde_json::{Value, json};
use workshop_testkit::Step;
use workshop_testkit_aws::{
    AwsLab,
    aws_local::lambda::{EventSource, Function},
};

use super::{answered, journal, throttling, told};
use crate::kept::kept;

struct Desk {
    lab: AwsLab,
    sqs: aws_sdk_sqs::Client,
    table: aws_sdk_dynamodb::Client,
    url: String,
}

const TICKET: &str = "I cannot log in since Monday. My customer number is 40912.";

impl Desk {
    async fn open() -> Self {
        let lab = AwsLab::start().await;
        let sqs = aws_sdk_sqs::Client::new(&lab.sdk_config());
        let queue = sqs.create_queue().queue_name("jobs").send().await;
        let url = queue.unwrap().queue_url.unwrap();
        let table = aws_sdk_dynamodb::Client::new(&lab.sdk_config());
        let id = AttributeDefinition::builder().attribute_name("id");
        let id = id.attribute_type(ScalarAttributeType::S).build();
        let key = KeySchemaElement::builder().attribute_name("id");
        let made = table.create_table().table_name("labels");
        made.attribute_definitions(id.unwrap())
            .key_schema(key.key_type(KeyType::Hash).build().unwrap())
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .unwrap();
        Self {
            lab,
            sqs,
            table,
            url,
        }
    }

    /// The snippet's `enqueue`, at that time.
    async fn enqueue(&self, ticket: &str, text: &str, now: u64) {
        let job = json!({
            "id": format!("{ticket}-{now}"),
            "customer": "ann@example.com",
            "text": text,
        });
        let sent = self.sqs.send_message().queue_url(&self.url);
        sent.message_body(job.to_string()).send().await.unwrap();
    }

    async fn batch(&self) -> Vec<Message> {
        let received = self.sqs.receive_message().queue_url(&self.url);
        let received = received.max_number_of_messages(10).send().await;
        received.unwrap().messages.unwrap_or_default()
    }

    /// The snippet's `handler`: what throws ends it.
    async fn handle(&self, batch: &[Message]) -> Result<(), String> {
        for record in batch {
            let job: Value = serde_json::from_str(record.body().unwrap()).unwrap();
            let text = job["text"].as_str().unwrap();
            let model = self.lab.profile("haiku");
            let found = ask(&self.lab.client(), &model, text, 20).await;
            let found = found.map_err(|error: AskError| error.to_string())?;
            let put = self.table.put_item().table_name("labels");
            let put = put
                .item("id", AttributeValue::S(job["id"].as_str().unwrap().into()))
                .item("label", AttributeValue::S(found.text))
                .condition_expression("attribute_not_exists(id)");
            put.send().await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Lambda's part: messages of a batch that ended well are deleted, all others come again.
    async fn deliver(&self) -> (usize, Result<(), String>) {
        let batch = self.batch().await;
        let ended = self.handle(&batch).await;
        if ended.is_ok() {
            for record in &batch {
                let deleted = self.sqs.delete_message().queue_url(&self.url);
                let deleted = deleted.receipt_handle(record.receipt_handle().unwrap());
                deleted.send().await.unwrap();
            }
        } else {
            let timeout = Duration::from_secs(31).try_into().unwrap();
            self.lab.clock().advance(timeout);
        }
        (batch.len(), ended)
    }
}

#[tokio::test]
async fn a_ticket_sent_twice_is_two_jobs() {
    let desk = Desk::open().await;
    for now in [1_795_339_800_000, 1_795_339_800_412] {
        desk.enqueue("ticket-7", TICKET, now).await;
    }
    desk.lab.script([Step::text("login"), Step::text("login")]);
    let batch = desk.batch().await;
    let mut ids: Vec<String> = batch
        .iter()
        .map(|message| serde_json::from_str::<Value>(message.body().unwrap()).unwrap())
        .map(|job| job["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    desk.handle(&batch).await.unwrap();
    let paid = asked(&desk.lab.calls());
    kept(
        "bugs/two-jobs.txt",
        &format!(
            "message 1   {}\nmessage 2   {}\n\nanswers paid for one ticket   {paid}\n",
            ids[0], ids[1]
        ),
    );
    assert_eq!(paid, 2);
}

/// Answers of Bedrock.
fn asked(calls: &[workshop_testkit::Call]) -> usize {
    let calls: Vec<_> = calls
        .iter()
        .filter(|call| call.operation == "Converse")
        .cloned()
        .collect();
    answered(&calls)
}

#[tokio::test]
async fn a_message_in_clear() {
    let desk = Desk::open().await;
    desk.enqueue("ticket-7", TICKET, 1_795_339_800_000).await;
    let message = desk.batch().await.pop().unwrap();
    let body: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    let text = told(&format!(
        "ReceiveMessage: the message's Body\n\n{}\n",
        serde_json::to_string_pretty(&body).unwrap()
    ));
    assert!(text.contains("ann@"), "{text}");
    kept("bugs/message-in-clear.txt", &text);
}

#[tokio::test]
async fn one_throttled_ticket_brings_ten_back() {
    let desk = Desk::open().await;
    for n in 1..=10 {
        let ticket = format!("ticket-{n}");
        desk.enqueue(&ticket, &format!("Ticket {n}."), 1_795_339_800_000)
            .await;
    }
    desk.lab
        .script((0..4).map(|_| Step::text("login")).chain([throttling()]));
    let mut text = String::from("delivery   messages   answers paid   ends with\n");
    let mut before = 0;
    for delivery in 1..=4 {
        let (messages, ended) = desk.deliver().await;
        let paid = asked(&desk.lab.calls());
        let threw = desk.lab.calls().into_iter().rev();
        let mut threw = threw.filter_map(|call| call.error);
        let _ = writeln!(
            text,
            "{delivery:<10} {messages:<10} {:<14} {}",
            paid - before,
            ended.map_or_else(|_| threw.next().unwrap(), |()| "no error".to_owned()),
        );
        before = paid;
    }
    let rows = desk.table.scan().table_name("labels").send().await;
    let _ = writeln!(
        text,
        "\ntickets with a label   {} of 10\nanswers paid           {before}",
        rows.unwrap().count()
    );
    kept("bugs/batch-again.txt", &text);
}

#[tokio::test]
async fn a_finished_job_is_paid_for_again() {
    let desk = Desk::open().await;
    desk.enqueue("ticket-7", TICKET, 1_795_339_800_000).await;
    let batch = desk.batch().await;
    desk.handle(&batch).await.unwrap();
    desk.handle(&batch).await.unwrap_err();
    let calls = desk.lab.calls();
    let work = calls.iter().rev().take(4).rev().cloned();
    let work: Vec<_> = work.collect();
    let text = format!(
        "first delivery\n{}\nsecond delivery\n{}",
        journal(&work[..2]),
        journal(&work[2..])
    );
    assert!(
        text.contains("400 ConditionalCheckFailedException"),
        "{text}"
    );
    kept("bugs/paid-then-asked.txt", &text);
}

#[tokio::test]
async fn a_queue_with_every_default() {
    let lab = AwsLab::start().await;
    let sqs = aws_sdk_sqs::Client::new(&lab.sdk_config());
    let made = sqs.create_queue().queue_name("Jobs").send().await;
    let url = made.unwrap().queue_url.unwrap();
    let mut worker = Function::new("Worker", "true");
    worker.timeout = Duration::from_mins(2);
    let lambda = &lab.services().lambda;
    lambda.create(worker).unwrap();
    let refused = lambda.map(EventSource {
        report_batch_item_failures: true,
        ..EventSource::new("Jobs", "Worker")
    });
    let attributes = sqs.get_queue_attributes().queue_url(url);
    let attributes = attributes.attribute_names("All".into()).send().await;
    let attributes = attributes.unwrap().attributes.unwrap();
    let mut text = String::from("GetQueueAttributes\n");
    for name in [
        "VisibilityTimeout",
        "MessageRetentionPeriod",
        "RedrivePolicy",
    ] {
        let value = attributes.get(&name.into()).map_or("–", String::as_str);
        let _ = writeln!(text, "  {name:<24} {value}");
    }
    let _ = writeln!(
        text,
        "\nCreateEventSourceMapping\n  {}",
        refused.unwrap_err()
    );
    kept("bugs/queue-defaults.txt", &told(&text));
}
