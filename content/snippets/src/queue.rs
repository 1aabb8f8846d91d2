//! The queue: SQS hands a batch of jobs to Lambda, Lambda asks Bedrock, DynamoDB keeps the
//! answers. SQS delivers at least once; the table sees to it that a job is paid for once.

use std::{error::Error, fmt, sync::Arc};

use aws_sdk_bedrockruntime::Client;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    direct::{AskError, ask},
    retry::{Verdict, classify},
};

/// The queue or the table did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

// region: ports
/// What the producer needs of SQS.
pub trait Queue: Send + Sync {
    /// `SendMessage`.
    fn send(&self, body: String) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// What both sides need of DynamoDB: three conditional writes, no read before a write.
pub trait Table: Send + Sync {
    /// `PutItem` if `attribute_not_exists(id)`; a job that is there already stays as it is.
    fn submit(
        &self,
        id: &str,
        prompt: &str,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// `UpdateItem SET lease_until = :until` if the job is open and `lease_until < :now`.
    fn lease(
        &self,
        id: &str,
        now: u64,
        until: u64,
    ) -> impl Future<Output = Result<Lease, Unavailable>> + Send;

    /// `UpdateItem` with the outcome if `lease_until = :lease`: a worker that overslept its
    /// lease does not overwrite its successor's work.
    fn finish(
        &self,
        id: &str,
        lease: u64,
        outcome: Outcome,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;
}
// endregion: ports

/// What a worker that asked for a lease got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// The job is this worker's; here is its prompt.
    Taken {
        /// What to ask.
        prompt: String,
    },
    /// Another worker has it.
    Held,
    /// It is done already, or failed for good.
    Closed,
    /// There is no such job.
    Unknown,
}

/// How a worker's turn with a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The answer.
    Done(String),
    /// It will never work; the reason is an error code, no text of the user's.
    Failed(String),
    /// Not now: the lease is given back.
    Open,
}

// region: enqueue
/// The same request of the same user is the same job, however often it is sent.
///
/// `request` is chosen by the caller once for each thing it wants done: the id of an uploaded
/// document and its version, or a UUID made when the form was opened. Not a time.
pub fn job_id(user: &str, request: &str) -> String {
    let both = json!([user, request]).to_string(); // unambiguous: ("ab", "c") is not ("a", "bc")
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(both))
}

/// Stores the job, then sends its id: neither prompt nor user travels through the queue.
pub async fn enqueue(
    queue: &impl Queue,
    table: &impl Table,
    user: &str,
    request: &str,
    prompt: &str,
) -> Result<String, Unavailable> {
    let id = job_id(user, request);
    table.submit(&id, prompt).await?;
    queue.send(json!({"jobId": id}).to_string()).await?;
    Ok(id)
}
// endregion: enqueue

/// What one instance of the consumer works with.
pub struct Worker<T> {
    /// The Bedrock client.
    pub client: Client,
    /// An inference profile id.
    pub model: String,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// Where jobs are kept.
    pub table: T,
    /// Seconds since 1970.
    pub clock: fn() -> u64,
    /// Seconds a job is this worker's: longer than the function's timeout.
    pub lease: u64,
    /// Jobs at once.
    pub parallel: usize,
}

/// The event is not SQS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotSqs;

// region: consume
/// Works through one batch; answers with the messages that must come again, and only those.
pub async fn consume<T: Table + 'static>(
    worker: Arc<Worker<T>>,
    event: &Value,
) -> Result<Value, NotSqs> {
    let slots = Arc::new(Semaphore::new(worker.parallel.max(1)));
    let mut running: Vec<(&str, JoinHandle<Message>)> = Vec::new();
    for record in event["Records"].as_array().ok_or(NotSqs)? {
        let id = record["messageId"].as_str().ok_or(NotSqs)?;
        let body = record["body"].as_str().unwrap_or_default().to_owned();
        let (worker, slots) = (Arc::clone(&worker), Arc::clone(&slots));
        let work = async move {
            let _slot = slots.acquire_owned().await;
            handle(&worker, &body).await.unwrap_or(Message::ComesAgain)
        };
        running.push((id, tokio::spawn(work)));
    }
    let mut again = Vec::new();
    for (id, task) in running {
        // A task that panicked is no success either.
        if !matches!(task.await, Ok(Message::Delete)) {
            again.push(json!({"itemIdentifier": id}));
        }
    }
    Ok(json!({"batchItemFailures": again}))
}
// endregion: consume

// region: work
/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Delete,
    /// SQS delivers it again, and after `maxReceiveCount` times moves it to the dead-letter queue.
    ComesAgain,
}

async fn handle<T: Table>(worker: &Worker<T>, body: &str) -> Result<Message, Unavailable> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let Some(id) = body["jobId"].as_str() else {
        return Ok(Message::ComesAgain); // nothing to write it down under: a case for a person
    };

    // The lease comes before the model: what cannot be claimed is not paid for.
    let now = (worker.clock)();
    let lease = now + worker.lease;
    let prompt = match worker.table.lease(id, now, lease).await? {
        Lease::Taken { prompt } => prompt,
        Lease::Closed => return Ok(Message::Delete),
        Lease::Held | Lease::Unknown => return Ok(Message::ComesAgain),
    };

    let (outcome, message) =
        match ask(&worker.client, &worker.model, &prompt, worker.max_tokens).await {
            Ok(reply) => (Outcome::Done(reply.text), Message::Delete),
            Err(error) if heals(&error) => (Outcome::Open, Message::ComesAgain),
            Err(error) => {
                let code = error.code().unwrap_or("NoAnswer").to_owned();
                (Outcome::Failed(code), Message::Delete)
            }
        };
    worker.table.finish(id, lease, outcome).await?;
    Ok(message)
}

fn heals(error: &AskError) -> bool {
    match error {
        AskError::Sdk(e) => classify(e) != Verdict::Permanent,
        AskError::NoText(_) | AskError::Incomplete(_) => false,
    }
}
// endregion: work

// region: template
/// The queue's side of it, as a `CloudFormation` template. `function_timeout` is in seconds.
pub fn template(function_timeout: u32) -> Value {
    json!({
        "Resources": {
            "Jobs": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    // AWS advises six times the function's timeout.
                    "VisibilityTimeout": 6 * function_timeout,
                    "KmsMasterKeyId": "alias/aws/sqs",
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadJobs", "Arn"]},
                        "maxReceiveCount": 5,
                    },
                },
            },
            "DeadJobs": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"MessageRetentionPeriod": 14 * 24 * 3600},
            },
            "JobsToWorker": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Jobs", "Arn"]},
                    "FunctionName": {"Ref": "Worker"},
                    "BatchSize": 10,
                    // Without this line `batchItemFailures` is ignored.
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    // Keeps a full queue below your Bedrock quota.
                    "ScalingConfig": {"MaximumConcurrency": 5},
                },
            },
        },
    })
}
// endregion: template

impl<T: fmt::Debug> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("model", &self.model)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue or the table did not answer")
    }
}

impl Error for Unavailable {}

impl fmt::Display for NotSqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event has no Records with a messageId each")
    }
}

impl Error for NotSqs {}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use workshop_testkit::{Fault, Lab, Step};

    use super::{
        Lease, NotSqs, Outcome, Queue, Table, Unavailable, Worker, consume, enqueue, job_id,
        template,
    };

    /// A job as the table keeps it.
    #[derive(Debug, Clone)]
    struct Row {
        prompt: String,
        lease_until: u64,
        outcome: Outcome,
    }

    /// Queue and table in memory, with DynamoDB's conditions.
    #[derive(Debug, Default, Clone)]
    struct Memory {
        rows: Arc<Mutex<HashMap<String, Row>>>,
        sent: Arc<Mutex<Vec<String>>>,
    }

    impl Queue for Memory {
        async fn send(&self, body: String) -> Result<(), Unavailable> {
            self.sent.lock().unwrap().push(body);
            Ok(())
        }
    }

    impl Table for Memory {
        async fn submit(&self, id: &str, prompt: &str) -> Result<(), Unavailable> {
            let mut rows = self.rows.lock().unwrap();
            rows.entry(id.to_owned()).or_insert_with(|| Row {
                prompt: prompt.to_owned(),
                lease_until: 0,
                outcome: Outcome::Open,
            });
            Ok(())
        }

        async fn lease(&self, id: &str, now: u64, until: u64) -> Result<Lease, Unavailable> {
            let mut rows = self.rows.lock().unwrap();
            let Some(row) = rows.get_mut(id) else {
                return Ok(Lease::Unknown);
            };
            Ok(match row.outcome {
                Outcome::Open if row.lease_until < now => {
                    row.lease_until = until;
                    Lease::Taken {
                        prompt: row.prompt.clone(),
                    }
                }
                Outcome::Open => Lease::Held,
                Outcome::Done(_) | Outcome::Failed(_) => Lease::Closed,
            })
        }

        async fn finish(&self, id: &str, lease: u64, outcome: Outcome) -> Result<(), Unavailable> {
            if id == job_id("ann", "unlucky") {
                return Err(Unavailable);
            }
            let mut rows = self.rows.lock().unwrap();
            let row = rows.get_mut(id).unwrap();
            if row.lease_until == lease {
                if outcome == Outcome::Open {
                    row.lease_until = 0;
                }
                row.outcome = outcome;
            }
            Ok(())
        }
    }

    impl Memory {
        fn outcome(&self, id: &str) -> Outcome {
            self.rows.lock().unwrap()[id].outcome.clone()
        }

        async fn job(&self, request: &str) -> String {
            enqueue(self, self, "ann", request, "Hello").await.unwrap()
        }
    }

    fn worker(lab: &Lab, memory: &Memory) -> Arc<Worker<Memory>> {
        Arc::new(Worker {
            client: lab.client(),
            model: lab.profile("haiku"),
            max_tokens: 64,
            table: memory.clone(),
            clock: || 1_000,
            lease: 60,
            parallel: 1,
        })
    }

    /// An SQS event; the messages are called `m0`, `m1`, …
    fn batch<S: AsRef<str>>(bodies: impl IntoIterator<Item = S>) -> Value {
        let records: Vec<Value> = bodies
            .into_iter()
            .enumerate()
            .map(|(n, body)| json!({"messageId": format!("m{n}"), "body": body.as_ref()}))
            .collect();
        json!({"Records": records})
    }

    fn message(id: &str) -> String {
        json!({"jobId": id}).to_string()
    }

    fn failed(answer: &Value) -> Vec<&str> {
        let failures = answer["batchItemFailures"].as_array().unwrap();
        failures
            .iter()
            .map(|f| f["itemIdentifier"].as_str().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_job_sent_twice_is_one_job_and_its_message_carries_only_the_id() {
        let memory = Memory::default();
        let id = memory.job("invoice 7").await;
        assert_eq!(memory.job("invoice 7").await, id);
        assert_eq!(memory.rows.lock().unwrap().len(), 1);
        let sent = memory.sent.lock().unwrap();
        assert_eq!(*sent, [message(&id), message(&id)]);
        assert_eq!(id.len(), 43);
        assert_ne!(job_id("ab", "c"), job_id("a", "bc"));
    }

    #[tokio::test]
    async fn only_what_must_come_again_is_reported() {
        let lab = Lab::start().await;
        let memory = Memory::default();
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(memory.job(&format!("job {n}")).await);
        }
        lab.script([
            Step::text("zero"),
            Step::Fault(Fault::Throttling {
                retry_after_ms: None,
            }),
            Step::Fault(Fault::Validation("no".into())),
            Step::text("three"),
        ]);
        let mut bodies: Vec<String> = ids.iter().map(|id| message(id)).collect();
        bodies.push("not JSON".to_owned());

        let answer = consume(worker(&lab, &memory), &batch(&bodies))
            .await
            .unwrap();

        assert_eq!(failed(&answer), ["m1", "m4"]);
        assert_eq!(memory.outcome(&ids[0]), Outcome::Done("zero".into()));
        assert_eq!(memory.outcome(&ids[1]), Outcome::Open);
        assert_eq!(
            memory.outcome(&ids[2]),
            Outcome::Failed("ValidationException".into())
        );
        assert_eq!(memory.outcome(&ids[3]), Outcome::Done("three".into()));

        lab.script([Step::text("one")]);
        let answer = consume(worker(&lab, &memory), &batch(&bodies))
            .await
            .unwrap();
        assert_eq!(failed(&answer), ["m4"]);
        assert_eq!(memory.outcome(&ids[1]), Outcome::Done("one".into()));
        assert_eq!(lab.calls().len(), 5, "a closed job is not asked again");
    }

    #[tokio::test]
    async fn the_same_job_twice_at_once_is_asked_once() {
        let lab = Lab::start().await;
        let memory = Memory::default();
        let id = memory.job("job").await;
        let worker = Arc::new(Worker {
            parallel: 2,
            ..Arc::into_inner(worker(&lab, &memory)).unwrap()
        });

        let twice = batch([message(&id), message(&id)]);
        consume(worker, &twice).await.unwrap();

        assert_eq!(lab.calls().len(), 1);
        assert!(matches!(memory.outcome(&id), Outcome::Done(_)));
    }

    #[tokio::test]
    async fn an_answer_that_could_not_be_written_is_asked_for_again_after_the_lease() {
        let lab = Lab::start().await;
        let memory = Memory::default();
        let id = memory.job("unlucky").await;
        let early = worker(&lab, &memory);
        let late = Arc::new(Worker {
            clock: || 1_061,
            ..Arc::into_inner(worker(&lab, &memory)).unwrap()
        });
        let event = batch([message(&id)]);

        let answer = consume(Arc::clone(&early), &event).await.unwrap();
        assert_eq!(failed(&answer), ["m0"]);
        let answer = consume(early, &event).await.unwrap();
        assert_eq!(failed(&answer), ["m0"], "the lease still holds");
        assert_eq!(lab.calls().len(), 1);
        consume(late, &event).await.unwrap();
        assert_eq!(lab.calls().len(), 2, "exactly once does not exist");
    }

    #[tokio::test]
    async fn an_event_of_another_kind_fails_as_a_whole() {
        let lab = Lab::start().await;
        let memory = Memory::default();
        for event in [json!({}), json!({"Records": [{"body": "{}"}]})] {
            let answer = consume(worker(&lab, &memory), &event).await;
            assert_eq!(answer.unwrap_err(), NotSqs);
        }
    }

    #[test]
    fn the_template_names_what_the_handler_relies_on() {
        let template = template(60);
        let queue = &template["Resources"]["Jobs"]["Properties"];
        assert_eq!(queue["VisibilityTimeout"], 360);
        assert!(queue["RedrivePolicy"]["maxReceiveCount"].is_u64());
        let mapping = &template["Resources"]["JobsToWorker"]["Properties"];
        assert_eq!(
            mapping["FunctionResponseTypes"],
            json!(["ReportBatchItemFailures"])
        );
    }
}
