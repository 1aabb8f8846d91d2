//! The lab of exercise 012: who is in it, what they send, and what can be seen of it.

use std::{
    any::Any, collections::HashMap, future::Future, panic::resume_unwind, time::Duration,
    time::SystemTime,
};

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::{
    config::AppName,
    error::ProvideErrorMetadata,
    types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType},
    types::{ScalarAttributeType, builders::AttributeDefinitionBuilder},
};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_types::body::SdkBody;
use ex012::{Deps, Job, QueueSettings, consume, enqueue};
use workshop_testkit::{Actor, Call, Fault, Hop, Piece, Point, Step, Value, json, within};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::{Clock, ManualClock},
};

/// Who sends jobs.
pub(crate) static CLIENT: Actor = Actor {
    node: "CLIENT",
    edges: &[("SQS", "CLIENT-SQS")],
};

/// In whose name your consumer works.
pub(crate) static WORKER: Actor = Actor {
    node: "LAMBDA",
    edges: &[("BR", "LAMBDA-BR"), ("DDB", "LAMBDA-DDB")],
};

/// The lease of the workers in these tests.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const TABLE: &str = "jobs";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:jobs";

/// A lab with the table of the jobs.
pub(crate) async fn lab() -> AwsLab {
    let lab = AwsLab::start().await;
    let id = AttributeDefinition::builder().attribute_name("job_id");
    let id: AttributeDefinitionBuilder = id.attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("job_id");
    let key = key.key_type(KeyType::Hash).build();
    let table = aws_sdk_dynamodb::Client::new(&lab.sdk_config());
    let table = table
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(id.build().expect("a definition"))
        .key_schema(key.expect("a key"))
        .billing_mode(BillingMode::PayPerRequest);
    table.send().await.expect("there is room for a table");
    lab
}

/// The lab's time, as SDKs ask for it.
#[derive(Debug)]
pub(crate) struct LabTime(ManualClock);

impl TimeSource for LabTime {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

/// What a function is built with, which signs as its role and works under that name.
pub(crate) fn deps(lab: &AwsLab, name: &'static str) -> Deps {
    let name = AppName::new(name).expect("a name");
    let config = lab.sdk_config_at(&WORKER).into_builder().app_name(name);
    let config = config.build();
    Deps {
        bedrock: aws_sdk_bedrockruntime::Client::new(&config),
        model: lab.profile("haiku"),
        max_tokens: 64,
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        table: TABLE.to_owned(),
        lease: LEASE,
        time: SharedTimeSource::new(LabTime(lab.clock().clone())),
    }
}

/// Bodies as Lambda hands them to a function, as messages `m1`, `m2`, … of that queue.
pub(crate) fn batch<S: AsRef<str>>(queue: &str, bodies: impl IntoIterator<Item = S>) -> SqsEvent {
    batch_from(1, queue, bodies)
}

/// The same, counting from another number.
pub(crate) fn batch_from<S: AsRef<str>>(
    first: usize,
    queue: &str,
    bodies: impl IntoIterator<Item = S>,
) -> SqsEvent {
    let record = |(n, body): (usize, S)| {
        json!({
            "messageId": format!("m{}", first + n),
            "receiptHandle": format!("r{}", first + n),
            "body": body.as_ref(),
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1787150074000" },
            "messageAttributes": {},
            "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
            "eventSource": "aws:sqs",
            "eventSourceARN": queue,
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<Value> = bodies.into_iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).expect("an event of SQS")
}

/// A message about a job that can be asked about.
pub(crate) fn job(number: usize) -> String {
    let id = format!("job-{number}");
    json!({ "job_id": id, "prompt": format!("Sum up invoice {number}.") }).to_string()
}

/// A panic of your code, told as the point's. The starter's own words pass as they are.
pub(crate) fn told(point: &Point, what: &str, died: Box<dyn Any + Send>) -> ! {
    let says = died.downcast_ref::<String>().cloned();
    let says = says.or_else(|| Some((*died.downcast_ref::<&str>()?).to_owned()));
    let says = says.unwrap_or_default();
    if says.contains("012/") {
        resume_unwind(died);
    }
    point.fail(what, format!("a panic: {says}"), "an end without one");
}

/// A worker at work on a batch: the ids it reports. `point` fails if it does not answer.
pub(crate) fn working(
    deps: Deps,
    event: &SqsEvent,
    point: &'static Point,
) -> impl Future<Output = Vec<String>> + use<> {
    let what = format!("consume(…) with {} messages", event.records.len());
    let event = event.clone();
    let work = tokio::spawn(async move { consume(&deps, event).await });
    async move {
        match within(point, &what, work).await {
            Ok(Ok(response)) => {
                let failures = response.batch_item_failures.into_iter();
                let mut ids: Vec<String> = failures.map(|f| f.item_identifier).collect();
                ids.sort_by_key(|id| (id.len(), id.clone()));
                ids
            }
            Ok(Err(error)) => point.fail(
                &what,
                format!("Err({error})"),
                "Ok with the failed messages; an Err brings the whole batch back",
            ),
            Err(died) => told(point, &what, died.into_panic()),
        }
    }
}

/// What your code asked of AWS: whatever was signed with a role, and not by the tests themselves.
pub(crate) fn asked(lab: &AwsLab) -> Vec<Call> {
    let calls = lab.calls().into_iter();
    calls.filter(|call| call.session).collect()
}

/// How often the model was asked.
pub(crate) fn paid(lab: &AwsLab) -> usize {
    paid_of(&lab.calls())
}

pub(crate) fn paid_of(calls: &[Call]) -> usize {
    let asked = calls.iter().filter(|call| call.session);
    asked.filter(|call| call.scope_service == "bedrock").count()
}

/// A job's row, read as an operator would.
pub(crate) async fn row(lab: &AwsLab, job_id: &str) -> Row {
    let table = aws_sdk_dynamodb::Client::new(&lab.sdk_config());
    let get = table.get_item().table_name(TABLE).consistent_read(true);
    let get = get.key("job_id", AttributeValue::S(job_id.to_owned()));
    let got = get.send().await.expect("the table answers");
    Row(got.item)
}

/// What stands in the table about a job.
#[derive(Debug)]
pub(crate) struct Row(Option<HashMap<String, AttributeValue>>);

impl Row {
    /// A text or number; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        match self.0.as_ref().and_then(|row| row.get(name)) {
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => text,
            _ => "",
        }
    }

    pub(crate) fn state(&self) -> &str {
        self.get("job_state")
    }

    pub(crate) fn short(&self) -> String {
        let Some(row) = &self.0 else {
            return "no row".to_owned();
        };
        let mut names: Vec<&String> = row.keys().collect();
        names.sort();
        let shown = |name: &String| match name.as_str() {
            "lease_until" => "lease_until: a time".to_owned(),
            _ => format!("{name}: {}", self.get(name)),
        };
        let members = names.into_iter().map(shown);
        members.collect::<Vec<_>>().join(", ")
    }
}

/// Time goes on.
pub(crate) fn pass(lab: &AwsLab, time: Duration) {
    lab.clock()
        .advance(time.try_into().expect("a moment in this era"));
}

/// Until a worker has asked the model so often. It waits for the answer then.
pub(crate) async fn until_asked(lab: &AwsLab, times: usize, point: &Point) {
    let asked = lab.until(|calls| paid_of(calls) >= times);
    within(point, "a question to the model", asked).await;
}

/// The model answers when the gate of that name opens.
pub(crate) fn gated(gate: &str, text: &str) -> Step {
    Step::Say(vec![Piece::Gate(gate.into()), Piece::Text(text.into())])
}

pub(crate) fn throttled() -> Fault {
    Fault::Throttling {
        retry_after_ms: None,
    }
}

// ---- the producer

/// A queue of that name, and its URL.
pub(crate) async fn queue(
    lab: &AwsLab,
    name: &str,
    attributes: &[(QueueAttributeName, String)],
) -> String {
    let sqs = aws_sdk_sqs::Client::new(&lab.sdk_config());
    let mut create = sqs.create_queue().queue_name(name);
    for (name, value) in attributes {
        create = create.attributes(name.clone(), value);
    }
    let created = create.send().await.expect("SQS takes the settings");
    created.queue_url.expect("a queue has a URL")
}

pub(crate) fn work_of(tenant: &str, request: &str) -> Job {
    Job {
        tenant: tenant.to_owned(),
        user: "ann@example.com".to_owned(),
        request: request.to_owned(),
        prompt: "Sum up the invoice.".to_owned(),
    }
}

/// The client's SQS.
pub(crate) fn producer(lab: &AwsLab) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&lab.sdk_config_at(&CLIENT))
}

/// Sends a job; its id.
pub(crate) async fn sent(sqs: &aws_sdk_sqs::Client, url: &str, job: &Job, point: &Point) -> String {
    match within(point, "enqueue(…)", enqueue(sqs, url, job)).await {
        Ok(id) => id,
        Err(error) => point.fail(
            "enqueue(…)",
            format!("Err({error})"),
            "Ok with the job's id",
        ),
    }
}

/// A request that changes an item.
pub(crate) fn is_write(call: &Call) -> bool {
    let writes = ["PutItem", "UpdateItem", "TransactWriteItems"];
    writes.contains(&call.operation.as_str())
}

/// One that does so on a condition.
pub(crate) fn is_conditional(call: &Call) -> bool {
    is_write(call) && call.body.to_string().contains("\"ConditionExpression\"")
}

/// The same write once more; the code of the error it met.
pub(crate) async fn sent_again(lab: &AwsLab, write: &Call) -> Result<(), String> {
    let body = write.body.to_string();
    let target = format!("DynamoDB_20120810.{}", write.operation);
    let table = aws_sdk_dynamodb::Client::new(&lab.sdk_config());
    // Any operation of the service will do: its body and name are replaced before it is signed.
    let again = table
        .list_tables()
        .customize()
        .mutate_request(move |request| {
            let length = body.len().to_string();
            request.headers_mut().insert("content-length", length);
            request.headers_mut().insert("x-amz-target", target.clone());
            *request.body_mut() = SdkBody::from(body.clone());
        });
    let answer = again.send().await.map(|_| ());
    answer.map_err(|error| error.code().unwrap_or_default().to_owned())
}

/// The queue `jobs` with that dead-letter queue; the URLs of both.
pub(crate) async fn queues(lab: &AwsLab, settings: &QueueSettings, deliveries: u32) -> [String; 2] {
    let seconds = |time: Duration| time.as_secs().to_string();
    let kept = seconds(settings.dead_letter_retention);
    let dead = [(QueueAttributeName::MessageRetentionPeriod, kept)];
    let dead = queue(lab, "dead", &dead).await;
    let redrive = json!({
        "deadLetterTargetArn": QUEUE.replace("jobs", "dead"),
        "maxReceiveCount": deliveries,
    });
    let hidden = seconds(settings.visibility_timeout);
    let jobs = [
        (QueueAttributeName::VisibilityTimeout, hidden),
        (QueueAttributeName::RedrivePolicy, redrive.to_string()),
    ];
    [queue(lab, "jobs", &jobs).await, dead]
}

/// Until the function has been invoked so often.
pub(crate) async fn until_invoked(lab: &AwsLab, times: u32, point: &Point) {
    let times = usize::try_from(times).unwrap_or(usize::MAX);
    let what = format!("delivery {times} of a batch to the function");
    let invoked = lab.until(|calls| {
        let invocations = calls.iter().filter(|call| call.operation == "Invoke");
        invocations.count() >= times
    });
    within(point, &what, invoked).await;
}

/// What is in the dead-letter queue, when something is.
pub(crate) async fn received(lab: &AwsLab, url: &str, point: &Point) -> Vec<String> {
    let sqs = aws_sdk_sqs::Client::new(&lab.sdk_config());
    // Waits for the first one; the lab's time stands still meanwhile.
    let poll = sqs.receive_message().queue_url(url).wait_time_seconds(20);
    let poll = poll.max_number_of_messages(10).send();
    let polled = within(point, "a message in the dead-letter queue", poll).await;
    let messages = polled.expect("SQS answers").messages.unwrap_or_default();
    for message in &messages {
        lab.saw(Hop {
            from: "SQS",
            to: "DLQ",
            what: "received too often",
            status: 200,
            request_id: message.message_id.as_deref().unwrap_or_default(),
        });
    }
    let bodies = messages.into_iter().filter_map(|message| message.body);
    bodies.collect()
}
