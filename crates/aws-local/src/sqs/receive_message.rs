//! `ReceiveMessage`: what there is, or what comes within the time that the caller waits.

use std::collections::BTreeSet;

use bedrock_emulator::{
    error::ApiError,
    neighbour::{Answer, Lit, Outcome, Visit},
    trace::TraceStatus,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::{
    Sqs,
    attributes::{VISIBILITY_MAX, WAIT_MAX},
    error::{unknown_attribute, value_is_invalid, within},
    handle::changed_or_due,
    message::{Attribute, Message, attributes_json, digest},
    meter::Count,
    now,
    place::Place,
    queue::Taken,
    queues::Queues,
    receipt::Receipt,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The older name of the next.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

/// What is asked, checked.
#[derive(Debug)]
struct Ask {
    place: Place,
    most: usize,
    visibility: Option<i64>,
    wait: Option<i64>,
    system: BTreeSet<String>,
    attributes: Vec<String>,
    /// A long poll that gave a message up says so once it answers.
    gave_up: bool,
}

const SYSTEM_ATTRIBUTES: [&str; 11] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "SqsManagedSseEnabled",
];

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Outcome {
    match at_once(sqs, visit) {
        Ok(Found::Answer(answer)) => now(Ok(answer)),
        Err(error) => now(Err(error)),
        Ok(Found::Nothing(ask, deadline)) => {
            let sqs = sqs.clone();
            Outcome::Later(Box::pin(async move { in_time(&sqs, ask, deadline).await }))
        }
    }
}

enum Found {
    Answer(Answer),
    /// Yet.
    Nothing(Ask, OffsetDateTime),
}

fn at_once(sqs: &Sqs, visit: &Visit) -> Result<Found, ApiError> {
    let mut ask = Ask::parse(visit)?;
    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    let wait = ask
        .wait
        .unwrap_or(queues.get(&ask.place, now)?.attributes.wait);
    let taken = queues.receive(&ask.place, ask.most, ask.visibility, now)?;
    if wait > 0 && taken.received.is_empty() {
        ask.gave_up |= !taken.given_up.is_empty();
        return Ok(Found::Nothing(ask, now + Duration::seconds(wait)));
    }
    count_empty(&mut queues, &ask.place, &taken, now)?;
    Ok(Found::Answer(ask.answer(&taken)))
}

async fn in_time(sqs: &Sqs, mut ask: Ask, deadline: OffsetDateTime) -> Result<Answer, ApiError> {
    loop {
        let now = sqs.clock.now();
        let (mut changed, due) = {
            let mut queues = sqs.queues();
            // Before the receive, so that no message comes unseen in between.
            let changed = queues.get(&ask.place, now)?.watch();
            let taken = queues.receive(&ask.place, ask.most, ask.visibility, now)?;
            if !taken.received.is_empty() || now >= deadline {
                count_empty(&mut queues, &ask.place, &taken, now)?;
                return Ok(ask.answer(&taken));
            }
            ask.gave_up |= !taken.given_up.is_empty();
            (changed, queues.next_due(&ask.place))
        };
        let due = due.map_or(deadline, |due| due.min(deadline));
        changed_or_due(&*sqs.clock, &mut changed, Some(due)).await;
    }
}

/// A receive that ends without a message is counted, once however long it waited.
fn count_empty(
    queues: &mut Queues,
    place: &Place,
    taken: &Taken,
    now: OffsetDateTime,
) -> Result<(), ApiError> {
    if taken.received.is_empty() {
        queues.get(place, now)?.count(Count::EmptyReceive, 1);
    }
    Ok(())
}

impl Ask {
    fn parse(visit: &Visit) -> Result<Self, ApiError> {
        let request: Request = visit.json()?;
        let place = Place::at(visit, request.queue_url.as_deref())?;
        let most = request.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&most) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(value_is_invalid(most, "MaxNumberOfMessages", reason));
        }
        let optional = |value: Option<i64>, parameter: &str, most: i64| {
            value
                .map(|value| within(value, parameter, 0..=most))
                .transpose()
        };
        let names = request.attribute_names.into_iter();
        let system: BTreeSet<String> = names
            .chain(request.message_system_attribute_names)
            .collect();
        if let Some(name) = system
            .iter()
            .find(|name| !SYSTEM_ATTRIBUTES.contains(&name.as_str()))
        {
            return Err(unknown_attribute(name));
        }
        Ok(Self {
            place,
            most: usize::try_from(most).unwrap_or(1),
            visibility: optional(
                request.visibility_timeout,
                "VisibilityTimeout",
                VISIBILITY_MAX,
            )?,
            wait: optional(request.wait_time_seconds, "WaitTimeSeconds", WAIT_MAX)?,
            system,
            attributes: request.message_attribute_names,
            gave_up: false,
        })
    }

    fn answer(&self, taken: &Taken) -> Answer {
        let received = taken.received.iter();
        let messages: Vec<Value> = received
            .map(|(message, receipt)| self.message(message, *receipt))
            .collect();
        // No messages, no member (observed).
        let answer = told(&if messages.is_empty() {
            json!({})
        } else {
            json!({ "Messages": messages })
        });
        if !self.gave_up && taken.given_up.is_empty() {
            return answer;
        }
        answer.lighting(Lit {
            node: "DLQ",
            edge: Some("SQS-DLQ"),
            status: TraceStatus::Ok,
            words: "received too often",
        })
    }

    fn message(&self, message: &Message, receipt: Receipt) -> Value {
        let mut body = Map::new();
        let mut say = |name: &str, value: Value| body.insert(name.to_owned(), value);
        say("MessageId", message.id.as_str().into());
        say("ReceiptHandle", receipt.text().into());
        say("MD5OfBody", digest(message.body.as_bytes()).into());
        say("Body", (*message.body).into());
        let mut system = message.system_attributes();
        let all = self.system.contains("All");
        system.retain(|name, _| all || self.system.contains(*name));
        if !system.is_empty() {
            say("Attributes", json!(system));
        }
        if let Some((attributes, digest)) = attributes_json(self.chosen(message)) {
            say("MessageAttributes", attributes);
            // Of those that are told, so that clients can verify it.
            say("MD5OfMessageAttributes", digest.into());
        }
        body.into()
    }

    fn chosen<'m>(
        &'m self,
        message: &'m Message,
    ) -> impl Iterator<Item = (&'m String, &'m Attribute)> + Clone {
        let wanted = move |name: &str| {
            self.attributes.iter().any(|asked| match asked.as_str() {
                "All" | "*" | ".*" => true,
                asked => match asked.strip_suffix(".*").or_else(|| asked.strip_suffix('*')) {
                    Some(prefix) => name.starts_with(prefix),
                    None => name == asked,
                },
            })
        };
        message
            .attributes
            .iter()
            .filter(move |(name, _)| wanted(name))
    }
}
