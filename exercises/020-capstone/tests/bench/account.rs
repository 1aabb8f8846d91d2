//! An account with everything that the service needs, and how tests call your worker.

use std::{
    any::Any,
    collections::HashMap,
    future::Future,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_async::{
    rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep},
    time::{SharedTimeSource, TimeSource},
};
use ex020::{Chance, Deps, Guard, Kind, Log, Model, Policy, Ticket, worker};
use workshop_testkit::{Actor, Call, Point, json, within};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::{Clock as _, ManualClock},
};

/// In whose name your worker works.
pub(crate) static WORKER: Actor = Actor {
    node: "LAMBDA",
    edges: &[("BR", "LAMBDA-BR"), ("DDB", "LAMBDA-DDB")],
};

/// In whose name `tickets` works: the function behind the API, which the diagram draws as one with it.
pub(crate) static INTAKE: Actor = Actor {
    node: "APIGW",
    edges: &[("SQS", "APIGW-SQS")],
};

pub(crate) const TICKETS: &str = "tickets";
pub(crate) const CACHE: &str = "cache";
pub(crate) const BUDGET: &str = "budget";
pub(crate) const TODAY: &str = "2026-08-19";

/// How long nobody else sees what a worker received.
pub(crate) const VISIBILITY: Duration = Duration::from_mins(3);

/// After so many deliveries a message is a dead letter.
pub(crate) const DELIVERIES: usize = 5;

/// How long a batch of yours may take: only a wrong one ever does.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:123456789012:tickets";

/// An account of its own, gone when dropped.
pub(crate) struct Account {
    pub(crate) lab: AwsLab,
    pub(crate) queue: String,
    pub(crate) dead: String,
    pub(crate) guard: Guard,
    lines: Arc<Mutex<Vec<String>>>,
    seen: Mutex<u64>,
}

impl Account {
    pub(crate) async fn start() -> Self {
        let lab = AwsLab::start().await;
        let config = lab.sdk_config();
        let tables = aws_sdk_dynamodb::Client::new(&config);
        for (name, key) in [
            (TICKETS, "ticket_id"),
            (CACHE, "cache_key"),
            (BUDGET, "day"),
        ] {
            table(&tables, name, key).await;
        }
        let sqs = aws_sdk_sqs::Client::new(&config);
        let dead = queue(&sqs, "dead", HashMap::new()).await;
        let redrive = json!({
            "deadLetterTargetArn": QUEUE_ARN.replace("tickets", "dead"),
            "maxReceiveCount": DELIVERIES,
        });
        let settings = HashMap::from([
            (
                QueueAttributeName::VisibilityTimeout,
                VISIBILITY.as_secs().to_string(),
            ),
            (QueueAttributeName::RedrivePolicy, redrive.to_string()),
        ]);
        let queue = queue(&sqs, "tickets", settings).await;
        let guard = Guard {
            id: "tickets00001".to_owned(),
            version: "1".to_owned(),
        };
        lab.add_guardrail(&guard.id, &guardrail());
        Self {
            lab,
            queue,
            dead,
            guard,
            lines: Arc::default(),
            seen: Mutex::default(),
        }
    }

    /// What a function of that role is built with.
    pub(crate) fn deps(&self, actor: &'static Actor) -> Deps {
        let config = self.lab.sdk_config_at(actor);
        let clock = self.lab.clock().clone();
        let lines = Arc::clone(&self.lines);
        let log = move |line: &str| {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(line.to_owned());
        };
        Deps {
            bedrock: aws_sdk_bedrockruntime::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            queue_url: self.queue.clone(),
            tickets: TICKETS.to_owned(),
            cache: CACHE.to_owned(),
            budget: BUDGET.to_owned(),
            guard: self.guard.clone(),
            haiku: self.model("haiku"),
            sonnet: self.model("sonnet"),
            max_tokens: 100,
            day: TODAY.to_owned(),
            limit: u64::from(u32::MAX),
            lease: Duration::from_mins(1),
            ttl: Duration::from_mins(15),
            at_once: 4,
            retry: Policy {
                attempts: 3,
                base: Duration::from_millis(500),
                cap: Duration::from_secs(4),
            },
            time: SharedTimeSource::new(LabTime(clock.clone())),
            sleep: SharedAsyncSleep::new(LabTime(clock)),
            chance: Chance::new(7),
            log: Log::new(log),
        }
    }

    /// A tier at the catalogue's price.
    pub(crate) fn model(&self, tier: &str) -> Model {
        let price = self.lab.model(tier).price;
        Model {
            name: tier.to_owned(),
            profile: self.lab.profile(tier),
            input_price: price.input.into(),
            output_price: price.output.into(),
        }
    }

    /// What your code has logged so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }

    /// The requests since the last time this was asked.
    pub(crate) fn new_calls(&self) -> Vec<Call> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = self.lab.emulator().entries_after(*seen, None).into_iter();
        let calls: Vec<Call> = entries.map(Call::from).collect();
        *seen = calls.last().map_or(*seen, |call| call.seq);
        calls
    }

    /// How often a model was asked so far.
    pub(crate) fn asked(&self) -> usize {
        asked(&self.lab.calls())
    }

    /// How many messages are in the queue, seen or unseen.
    pub(crate) fn waiting(&self) -> usize {
        self.lab.queue(TICKETS).held()
    }

    /// Time goes on.
    pub(crate) fn pass(&self, time: Duration) {
        let time = time.try_into().expect("a moment in this era");
        self.lab.clock().advance(time);
    }
}

async fn table(tables: &aws_sdk_dynamodb::Client, name: &str, key: &str) {
    let attribute = AttributeDefinition::builder()
        .attribute_name(key)
        .attribute_type(ScalarAttributeType::S)
        .build();
    let element = KeySchemaElement::builder()
        .attribute_name(key)
        .key_type(KeyType::Hash)
        .build();
    let create = tables
        .create_table()
        .table_name(name)
        .attribute_definitions(attribute.expect("a definition"))
        .key_schema(element.expect("a key"))
        .billing_mode(BillingMode::PayPerRequest);
    create.send().await.expect("there is room for a table");
}

async fn queue(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    settings: HashMap<QueueAttributeName, String>,
) -> String {
    let create = sqs.create_queue().queue_name(name);
    let created = create.set_attributes(Some(settings)).send().await;
    let created = created.expect("SQS takes the settings");
    created.queue_url.expect("a queue has a URL")
}

/// Masks e-mail addresses, and blocks texts that give orders to the model.
fn guardrail() -> workshop_testkit::Value {
    json!({
        "name": "tickets",
        "contentPolicyConfig": { "filtersConfig": [
            { "type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE" },
        ] },
        "sensitiveInformationPolicyConfig": { "piiEntitiesConfig": [
            { "type": "EMAIL", "action": "ANONYMIZE" },
        ] },
        "blockedInputMessaging": "This ticket cannot be handled.",
        "blockedOutputsMessaging": "This ticket cannot be handled.",
    })
}

/// The lab's time, as SDKs and your code ask for it. Whoever waits moves it, and has waited.
#[derive(Debug)]
struct LabTime(ManualClock);

impl TimeSource for LabTime {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

impl AsyncSleep for LabTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        let until = clock.now() + duration;
        Sleep::new(async move {
            let left = until - clock.now();
            // Somebody else may have waited longer meanwhile.
            if left.is_positive() {
                clock.advance(left);
            }
        })
    }
}

/// A ticket's text.
pub(crate) fn text_of(number: usize) -> String {
    format!("Case {number:03}: the printer on floor {number} prints nothing.")
}

/// Tickets with these numbers, as Lambda hands them to a function: messages `m1`, `m2`, …
pub(crate) fn batch(numbers: impl IntoIterator<Item = usize>) -> SqsEvent {
    batch_of(Kind::Question, numbers)
}

/// The same of tickets of this kind.
pub(crate) fn batch_of(kind: Kind, numbers: impl IntoIterator<Item = usize>) -> SqsEvent {
    let records = numbers.into_iter().map(|number| {
        let ticket = Ticket {
            ticket_id: format!("ticket-{number}"),
            tenant: "acme".to_owned(),
            kind,
            text: text_of(number),
        };
        let body = serde_json::to_string(&ticket).expect("a ticket is JSON");
        record(&format!("m{number}"), &body)
    });
    let records: Vec<_> = records.collect();
    serde_json::from_value(json!({ "Records": records })).expect("an event of SQS")
}

/// One message, as a function sees it.
pub(crate) fn record(id: &str, body: &str) -> workshop_testkit::Value {
    json!({
        "messageId": id,
        "receiptHandle": format!("handle of {id}"),
        "body": body,
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1787150074000" },
        "messageAttributes": {},
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    })
}

/// Your worker at work on a batch: the ids it reports, in order. `point` fails if it panics.
pub(crate) fn working(
    deps: &Deps,
    event: SqsEvent,
    point: &'static Point,
) -> impl Future<Output = Vec<String>> + use<> {
    let deps = deps.clone();
    let work = tokio::spawn(async move { worker(&deps, event).await });
    async move {
        match work.await {
            Ok(response) => {
                let failures = response.batch_item_failures.into_iter();
                let mut ids: Vec<String> = failures.map(|f| f.item_identifier).collect();
                ids.sort_by_key(|id| (id.len(), id.clone()));
                ids
            }
            Err(died) => told(point, "worker(…)", died.into_panic()),
        }
    }
}

/// The same, to its end; `point` fails if it hangs, too.
pub(crate) async fn worked(deps: &Deps, event: SqsEvent, point: &'static Point) -> Vec<String> {
    within(point, "worker(…)", working(deps, event, point)).await
}

/// A panic of your code, told as the point's. The starter's own words pass as they are.
fn told(point: &Point, what: &str, died: Box<dyn Any + Send>) -> ! {
    let says = said(died.as_ref());
    if starter_says(&says) {
        resume_unwind(died);
    }
    point.fail(
        what,
        format!("a panic: {}", shortly(&says)),
        "an end without one",
    );
}

/// A panic's words.
pub(crate) fn said(died: &(dyn Any + Send)) -> String {
    let says = died.downcast_ref::<String>().cloned();
    let says = says.or_else(|| Some((*died.downcast_ref::<&str>()?).to_owned()));
    says.unwrap_or_default()
}

/// As much of them as is the same each time: what follows may have ids in it.
pub(crate) fn shortly(says: &str) -> &str {
    says.split('{').next().unwrap_or(says).trim_end()
}

/// Whether these are the starter's words, or a point's.
pub(crate) fn starter_says(says: &str) -> bool {
    says.contains("020/")
}

/// How often a model was asked.
pub(crate) fn asked(calls: &[Call]) -> usize {
    let models = calls.iter();
    models
        .filter(|call| call.operation.starts_with("Converse"))
        .count()
}

/// A worker that may have ended.
pub(crate) enum Early<F> {
    Ended(Vec<String>),
    Works(F),
}

impl<F: Future<Output = Vec<String>>> Early<F> {
    /// What it reports in the end.
    pub(crate) async fn end(self, point: &'static Point) -> Vec<String> {
        match self {
            Self::Ended(failed) => failed,
            Self::Works(work) => within(point, "worker(…)", work).await,
        }
    }
}

/// Waits until `done` says so of the requests, or the worker has ended, whichever comes first.
pub(crate) async fn sooner<F>(
    account: &Account,
    work: F,
    point: &Point,
    what: &str,
    done: impl FnMut(&[Call]) -> bool,
) -> Early<Pin<Box<F>>>
where
    F: Future<Output = Vec<String>>,
{
    let mut work = Box::pin(work);
    let first = async {
        tokio::select! {
            failed = &mut work => Some(failed),
            () = account.lab.until(done) => None,
        }
    };
    match within(point, what, first).await {
        Some(failed) => Early::Ended(failed),
        None => Early::Works(work),
    }
}
