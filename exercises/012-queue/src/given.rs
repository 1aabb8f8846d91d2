//! Given: a job, what the function is built with, and the form of the queue's settings. Not to be
//! edited.

use std::time::{Duration, UNIX_EPOCH};

use aws_smithy_async::time::SharedTimeSource;

/// Something that a customer wants done.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose job it is: a customer's id.
    pub tenant: String,
    /// Who in that company pressed the button: an e-mail address.
    pub user: String,
    /// What the customer calls this piece of work: a document and its version, or an id made when the
    /// form was opened. The same piece of work has the same name, whoever asks for it and how often.
    pub request: String,
    /// What to ask the model.
    pub prompt: String,
}

/// Built once, when an environment of the function starts. Every invocation gets the same one.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Asks the model. SDK retries are off: the queue's redelivery is the one layer that retries.
    pub bedrock: aws_sdk_bedrockruntime::Client,
    /// The model's inference profile.
    pub model: String,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// Keeps the jobs. SDK retries are off.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The table of the jobs. Its partition key is the text `job_id`.
    pub table: String,
    /// How long a job belongs to the worker that took it.
    pub lease: Duration,
    /// Tells the time; in tests another one than the system's.
    pub time: SharedTimeSource,
}

impl Deps {
    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        let since_1970 = self.time.now().duration_since(UNIX_EPOCH);
        since_1970.unwrap_or_default().as_secs()
    }
}

/// How long an invocation of the function may take.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(30);

/// What stands around the code, as the stack's template has it. The tests make a queue, a dead-letter
/// queue and an event source mapping of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// The queue's `VisibilityTimeout`, in whole seconds: how long nobody else sees what a worker
    /// received.
    pub visibility_timeout: Duration,
    /// How long a job belongs to the worker that took it; becomes [`Deps::lease`].
    pub lease: Duration,
    /// The redrive policy's `maxReceiveCount`; `None`: there is no dead-letter queue.
    pub max_receive_count: Option<u32>,
    /// The dead-letter queue's `MessageRetentionPeriod`, in whole seconds. The queue's own is four
    /// days, as always unless somebody says otherwise.
    pub dead_letter_retention: Duration,
    /// Whether the event source mapping has the function response type `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
}
