//! Amazon SQS: standard and FIFO queues, offline.
//!
//! Read in this order: `place` (where a queue is), `attributes` and `redrive` (what it is told),
//! `message` (what is in it), `queue` (what waits, what is in flight, what is next), `queues` (all of
//! them, behind one lock), `meter` (what CloudWatch is told of a queue), then the operations, one file
//! each, and `handle` for callers in this process.
//!
//! What AWS does at some moment after the due time happens here at the due time: a visibility timeout
//! ends when it ends, and a receive sees every message that there is.

mod attributes;
mod batch;
mod duplicates;
mod error;
mod handle;
mod message;
mod meter;
mod move_tasks;
mod place;
mod queue;
mod queues;
mod receipt;
mod redrive;

mod cancel_message_move_task;
mod change_message_visibility;
mod change_message_visibility_batch;
mod create_queue;
mod delete_message;
mod delete_message_batch;
mod delete_queue;
mod get_queue_attributes;
mod get_queue_url;
mod list_dead_letter_source_queues;
mod list_message_move_tasks;
mod list_queue_tags;
mod list_queues;
mod purge_queue;
mod receive_message;
mod send_message;
mod send_message_batch;
mod set_queue_attributes;
mod start_message_move_task;
mod tag_queue;
mod untag_queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bedrock_emulator::{
    error::ApiError,
    neighbour::{About, Answer, Outcome, Protocol, Visit},
    observe::ServiceMetric,
};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

pub use handle::{QueueHandle, Received};
pub use message::{Attribute, AttributeValue};

use self::{place::Place, queues::Queues};
use crate::{
    clock::Clock,
    json_service::{JsonService, Operation, Permission},
};

/// The service. Clones are the same service.
#[derive(Debug, Clone)]
pub struct Sqs {
    clock: Arc<dyn Clock>,
    queues: Arc<Mutex<Queues>>,
}

static ABOUT: About = About {
    name: "SQS",
    signing_name: Some("sqs"),
    protocol: Protocol::AwsJson10Query,
    node: Some("SQS"),
    from_client: Some("CLIENT-SQS"),
};

impl Sqs {
    /// No queues yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            queues: Arc::default(),
        }
    }

    /// Held for one step, never across an await.
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JsonService for Sqs {
    const ABOUT: &'static About = &ABOUT;
    const TARGET: &'static str = "AmazonSQS";
    const OPERATIONS: &'static [Operation<Self>] = &[
        Operation {
            name: "CancelMessageMoveTask",
            permission: on("sqs:CancelMessageMoveTask", of_task),
            answer: |sqs, visit| cancel_message_move_task::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ChangeMessageVisibility",
            permission: on("sqs:ChangeMessageVisibility", at_url),
            answer: |sqs, visit| change_message_visibility::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ChangeMessageVisibilityBatch",
            permission: on("sqs:ChangeMessageVisibility", at_url),
            answer: |sqs, visit| change_message_visibility_batch::answer(sqs, &visit).into(),
        },
        Operation {
            name: "CreateQueue",
            permission: on("sqs:CreateQueue", of_name),
            answer: |sqs, visit| create_queue::answer(sqs, &visit).into(),
        },
        Operation {
            name: "DeleteMessage",
            permission: on("sqs:DeleteMessage", at_url),
            answer: |sqs, visit| delete_message::answer(sqs, &visit).into(),
        },
        Operation {
            name: "DeleteMessageBatch",
            permission: on("sqs:DeleteMessage", at_url),
            answer: |sqs, visit| delete_message_batch::answer(sqs, &visit).into(),
        },
        Operation {
            name: "DeleteQueue",
            permission: on("sqs:DeleteQueue", at_url),
            answer: |sqs, visit| delete_queue::answer(sqs, &visit).into(),
        },
        Operation {
            name: "GetQueueAttributes",
            permission: on("sqs:GetQueueAttributes", at_url),
            answer: |sqs, visit| get_queue_attributes::answer(sqs, &visit).into(),
        },
        Operation {
            name: "GetQueueUrl",
            permission: on("sqs:GetQueueUrl", of_name),
            answer: |sqs, visit| get_queue_url::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ListDeadLetterSourceQueues",
            permission: on("sqs:ListDeadLetterSourceQueues", at_url),
            answer: |sqs, visit| list_dead_letter_source_queues::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ListMessageMoveTasks",
            permission: on("sqs:ListMessageMoveTasks", of_source),
            answer: |sqs, visit| list_message_move_tasks::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ListQueueTags",
            permission: on("sqs:ListQueueTags", at_url),
            answer: |sqs, visit| list_queue_tags::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ListQueues",
            permission: on("sqs:ListQueues", |_, _| "*".to_owned()),
            answer: |sqs, visit| list_queues::answer(sqs, &visit).into(),
        },
        Operation {
            name: "PurgeQueue",
            permission: on("sqs:PurgeQueue", at_url),
            answer: |sqs, visit| purge_queue::answer(sqs, &visit).into(),
        },
        Operation {
            name: "ReceiveMessage",
            permission: on("sqs:ReceiveMessage", at_url),
            answer: |sqs, visit| receive_message::answer(sqs, &visit),
        },
        Operation {
            name: "SendMessage",
            permission: on("sqs:SendMessage", at_url),
            answer: |sqs, visit| send_message::answer(sqs, visit).into(),
        },
        Operation {
            name: "SendMessageBatch",
            permission: on("sqs:SendMessage", at_url),
            answer: |sqs, visit| send_message_batch::answer(sqs, visit).into(),
        },
        Operation {
            name: "SetQueueAttributes",
            permission: on("sqs:SetQueueAttributes", at_url),
            answer: |sqs, visit| set_queue_attributes::answer(sqs, &visit).into(),
        },
        Operation {
            name: "StartMessageMoveTask",
            permission: on("sqs:StartMessageMoveTask", of_source),
            answer: |sqs, visit| start_message_move_task::answer(sqs, visit).into(),
        },
        Operation {
            name: "TagQueue",
            permission: on("sqs:TagQueue", at_url),
            answer: |sqs, visit| tag_queue::answer(sqs, &visit).into(),
        },
        Operation {
            name: "UntagQueue",
            permission: on("sqs:UntagQueue", at_url),
            answer: |sqs, visit| untag_queue::answer(sqs, &visit).into(),
        },
    ];

    fn metrics(&self, account: &str) -> Vec<(ServiceMetric, OffsetDateTime)> {
        self.queues().unmeasured(account, self.clock.now())
    }

    fn forget(&self, account: &str) {
        self.queues().forget(account, self.clock.now());
    }
}

#[expect(clippy::unnecessary_wraps, reason = "rows of operations read better")]
const fn on(action: &'static str, resource: fn(&Sqs, &Visit) -> String) -> Option<Permission<Sqs>> {
    Some(Permission { action, resource })
}

/// What of a request names what it is done to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    queue_url: Option<String>,
    queue_name: Option<String>,
    source_arn: Option<String>,
    task_handle: Option<String>,
}

fn at_url(_: &Sqs, visit: &Visit) -> String {
    let named: Named = visit.json().unwrap_or_default();
    let place = Place::at(visit, named.queue_url.as_deref());
    place.map_or_else(|_| "*".to_owned(), |place| place.arn())
}

fn of_name(_: &Sqs, visit: &Visit) -> String {
    let named: Named = visit.json().unwrap_or_default();
    let name = named.queue_name.unwrap_or_else(|| "*".to_owned());
    Place::named(visit, &name).arn()
}

fn of_source(_: &Sqs, visit: &Visit) -> String {
    let named: Named = visit.json().unwrap_or_default();
    named.source_arn.unwrap_or_else(|| "*".to_owned())
}

fn of_task(_: &Sqs, visit: &Visit) -> String {
    let named: Named = visit.json().unwrap_or_default();
    let source = named.task_handle.as_deref().and_then(move_tasks::source_of);
    source.unwrap_or_else(|| "*".to_owned())
}

/// What an operation answers.
type Answered = Result<Answer, ApiError>;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// 200 with this JSON.
fn told(body: &Value) -> Answer {
    Answer::json(CONTENT_TYPE, body)
}

/// 200 and nothing to say.
fn done() -> Answer {
    Answer {
        body: bytes::Bytes::new(),
        ..told(&Value::Null)
    }
}

/// At once.
fn now(answered: Answered) -> Outcome {
    Outcome::Now(answered)
}
