//! A bad day with your service: tickets arrive over HTTP, the test hands them to your worker as Lambda's
//! event source mapping would, one batch after the other, and time goes on until nothing is left.
//!
//! One batch after the other, because a day must be the same day each time that it is run.

use std::{collections::BTreeMap, sync::OnceLock, thread, time::Duration};

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use ex020::{Deps, Report, report, worker};
use workshop_testkit::{Call, Hop, Point, Value, json};

use super::{
    account::{
        Account, CACHE, DEADLINE, DELIVERIES, INTAKE, TICKETS, VISIBILITY, WORKER, record, said,
        shortly, starter_says,
    },
    card::{Score, is_full},
    evidence::{Evidence, Lit},
    front::{Front, post},
    plan::{Arrival, Plan},
    settled::{Row, money, rows},
};

/// The days that your service must survive.
const SEEDS: [u64; 3] = [11, 42, 2026];

const HANGS: Point = Point::result(
    "020/35",
    "an invocation that does not end is ended by Lambda, and the batch comes back, paid for or not",
    "README.md \"The worker\"",
);

/// A day, and what is left of it in the evening.
#[derive(Debug)]
pub(crate) struct Day {
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    /// The profile of the smaller model.
    pub(crate) small: String,
    /// The statuses of all `POST /tickets`.
    pub(crate) statuses: Vec<u16>,
    /// What your worker asked of Bedrock's models.
    pub(crate) calls: Vec<Call>,
    /// What it logged.
    pub(crate) lines: Vec<String>,
    pub(crate) tickets: BTreeMap<String, Row>,
    pub(crate) cache: BTreeMap<String, Row>,
    /// What the budget's row says: committed, and spent.
    pub(crate) money: [i128; 2],
    /// What the answers cost that arrived, and the most that the cut one can have cost.
    pub(crate) answers_cost: i128,
    pub(crate) cut_cost: i128,
    /// Messages that are still in the queue, and those in the dead-letter queue.
    pub(crate) left: usize,
    pub(crate) dead: Vec<String>,
    pub(crate) report: Result<Report, String>,
    /// The last state of each edge of the diagram.
    pub(crate) lit: Lit,
    /// What `CloudWatch` made of the lines.
    pub(crate) counted: f64,
    /// Panics of your worker, in its words.
    pub(crate) panics: Vec<String>,
    /// Points, once somebody asked.
    pub(crate) card: OnceLock<Vec<Score>>,
}

/// All of them: run once, by the first test that asks. The second and the third come when nothing is amiss
/// on the first: until then one day is enough to mend. A day that could not be ended fails every test with
/// its reason.
pub(crate) fn days() -> &'static [Day] {
    static DAYS: OnceLock<Result<Vec<Day>, String>> = OnceLock::new();
    let days = DAYS.get_or_init(|| {
        let [first, others @ ..] = SEEDS;
        let mut days = side_by_side([first])?;
        if is_full(&days[0]) {
            days.extend(side_by_side(others)?);
        }
        Ok(days)
    });
    days.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

fn side_by_side<const N: usize>(seeds: [u64; N]) -> Result<Vec<Day>, String> {
    // What happens is told under the name of the test that began.
    let name = thread::current().name().unwrap_or("a day").to_owned();
    let begun = seeds.map(|seed| {
        let day = thread::Builder::new().name(name.clone());
        day.spawn(move || one_day(seed)).expect("a thread")
    });
    let ended = begun.map(|day| day.join().unwrap_or_else(|died| Err(said(&*died))));
    ended.into_iter().collect()
}

fn one_day(seed: u64) -> Result<Day, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let driver = Driver::start(seed).await;
        driver.run(Plan::of(seed)).await
    })
}

struct Driver {
    seed: u64,
    account: Account,
    sqs: aws_sdk_sqs::Client,
    deps: Deps,
    evidence: Evidence,
    calls: Vec<Call>,
    panics: Vec<String>,
}

impl Driver {
    async fn start(seed: u64) -> Self {
        let account = Account::start().await;
        let mut deps = account.deps(&WORKER);
        // A day must be the same day each time.
        deps.at_once = 1;
        deps.chance = ex020::Chance::new(seed);
        Self {
            seed,
            sqs: aws_sdk_sqs::Client::new(&account.lab.sdk_config()),
            deps,
            evidence: Evidence::default(),
            calls: Vec::new(),
            panics: Vec::new(),
            account,
        }
    }

    async fn run(mut self, plan: Plan) -> Result<Day, String> {
        // Half of what all tickets could cost: enough for whoever gives back what was not spent.
        let worst = plan.tickets.iter().map(|ticket| {
            let model = match ticket.kind {
                ex020::Kind::Question => &self.deps.haiku,
                ex020::Kind::Incident => &self.deps.sonnet,
            };
            model.worst(&ticket.text, self.deps.max_tokens)
        });
        self.deps.limit = worst.sum::<u64>() / 2;
        self.account.lab.rules(plan.rules());
        self.account.lab.faults([plan.outage()]);

        let front = Front::open(&self.account.lab, self.account.deps(&INTAKE));
        let mut statuses = Vec::new();
        for (wave, later) in plan.waves.iter().zip([20, 1, 3]) {
            for arrival in wave {
                match arrival {
                    Arrival::Ticket(number) => {
                        let ticket = &plan.tickets[*number];
                        let (status, body) =
                            post(&front, Some(ticket.tenant), &ticket.body()).await;
                        let raised = body.to_string();
                        if starter_says(&raised) {
                            return Err(raised);
                        }
                        statuses.push(status);
                    }
                    Arrival::Poison(body) => {
                        let queue = &self.account.queue;
                        let message = self.sqs.send_message().queue_url(queue);
                        let sent = message.message_body(*body).send().await;
                        sent.expect("SQS takes any text");
                    }
                }
            }
            self.work_off().await?;
            self.account.pass(Duration::from_mins(later));
        }
        // What failed comes again when its time is over, and what fails again and again ends.
        for _ in 0..2 * DELIVERIES {
            if self.account.waiting() == 0 {
                break;
            }
            self.account.pass(VISIBILITY + Duration::from_secs(1));
            self.work_off().await?;
        }
        self.settle(plan, statuses).await
    }

    /// Batch after batch, until the queue shows nothing more.
    async fn work_off(&mut self) -> Result<(), String> {
        loop {
            let receive = self.sqs.receive_message().queue_url(&self.account.queue);
            let received = receive.max_number_of_messages(10).send().await;
            let messages = received.expect("SQS answers").messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(());
            }
            self.deliver(&messages).await?;
            let calls = self.account.new_calls();
            self.evidence.of_calls(&self.account.lab, &calls);
            self.evidence.of_lines(&self.account);
            let models = calls
                .into_iter()
                .filter(|call| call.operation.starts_with("Converse"));
            self.calls.extend(models);
        }
    }

    /// Hands a batch to your worker, and deletes what it took.
    async fn deliver(&mut self, messages: &[Message]) -> Result<(), String> {
        let id_of = |message: &Message| message.message_id.clone().unwrap_or_default();
        let records = messages.iter().map(|message| {
            let body = message.body.as_deref().unwrap_or_default();
            record(&id_of(message), body)
        });
        let event = json!({ "Records": records.collect::<Vec<Value>>() });
        let event: SqsEvent = serde_json::from_value(event).expect("an event of SQS");
        let deps = self.deps.clone();
        let work = tokio::spawn(async move { worker(&deps, event).await });
        let failed: Option<Vec<String>> = match tokio::time::timeout(DEADLINE, work).await {
            Ok(Ok(response)) => {
                let failures = response.batch_item_failures.into_iter();
                Some(failures.map(|failure| failure.item_identifier).collect())
            }
            Ok(Err(died)) => {
                let says = said(&*died.into_panic());
                if starter_says(&says) {
                    return Err(says);
                }
                self.panics.push(says);
                None
            }
            Err(_) => {
                HANGS.fail(
                    &format!("worker(…) with {} messages", messages.len()),
                    "still waiting after 30 seconds",
                    "an end, long before that",
                );
            }
        };
        self.account.lab.saw(Hop {
            from: "SQS",
            to: "LAMBDA",
            what: "a batch",
            status: if failed.is_some() { 200 } else { 502 },
            request_id: &id_of(&messages[0]),
        });
        // A worker that panics has taken nothing.
        let Some(failed) = failed else { return Ok(()) };
        let taken = messages.iter().filter(|m| !failed.contains(&id_of(m)));
        let entries = taken.enumerate().map(|(n, message)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .receipt_handle(message.receipt_handle.as_deref().unwrap_or_default())
                .build()
                .expect("both are set")
        });
        let entries: Vec<_> = entries.collect();
        if !entries.is_empty() {
            let delete = self.sqs.delete_message_batch();
            let delete = delete.queue_url(&self.account.queue);
            let deleted = delete.set_entries(Some(entries)).send().await;
            deleted.expect("SQS answers");
        }
        Ok(())
    }

    /// Looks at what is left in the evening.
    async fn settle(self, plan: Plan, statuses: Vec<u16>) -> Result<Day, String> {
        let account = &self.account;
        let deps = self.deps.clone();
        let asked = tokio::spawn(async move { report(&deps).await });
        let report = match tokio::time::timeout(DEADLINE, asked).await {
            Ok(Ok(report)) => report.map_err(|error| error.to_string()),
            Ok(Err(died)) => {
                let says = said(&*died.into_panic());
                if starter_says(&says) {
                    return Err(says);
                }
                Err(format!("a panic: {}", shortly(&says)))
            }
            Err(_) => Err("still waiting after 30 seconds".to_owned()),
        };
        self.evidence.of_calls(&account.lab, &account.new_calls());
        let dead = dead_letters(account, &self.sqs).await;
        let counted = self.evidence.counted(account).await;
        let price = |call: &Call| {
            let haiku = call.model == self.deps.haiku.profile;
            let tier = if haiku { "haiku" } else { "sonnet" };
            let price = account.lab.model(tier).price;
            call.usage
                .filter(|_| call.status == 200)
                .map_or(0, |usage| i128::from(price.cost_micro_usd(usage)))
        };
        let cut = plan.with(super::plan::Mishap::Cut);
        let cut_cost = self.deps.haiku.worst(&cut.text, self.deps.max_tokens);
        let answered = self.calls.iter().filter(|call| is_answered(call));
        Ok(Day {
            seed: self.seed,
            small: self.deps.haiku.profile.clone(),
            statuses,
            answers_cost: answered.map(price).sum(),
            cut_cost: i128::from(cut_cost),
            lines: account.lines(),
            tickets: rows(account, TICKETS, "ticket_id").await,
            cache: rows(account, CACHE, "cache_key").await,
            money: money(account).await,
            left: account.waiting(),
            dead,
            report,
            lit: Lit::of(&account.lab),
            counted,
            panics: self.panics,
            card: OnceLock::new(),
            calls: self.calls,
            plan,
        })
    }
}

/// Whether an answer arrived whole.
pub(crate) fn is_answered(call: &Call) -> bool {
    call.status == 200 && call.error.is_none() && call.stop_reason.is_some()
}

/// What is in the dead-letter queue.
async fn dead_letters(account: &Account, sqs: &aws_sdk_sqs::Client) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let receive = sqs.receive_message().queue_url(&account.dead);
        let received = receive.max_number_of_messages(10).send().await;
        let messages = received.expect("SQS answers").messages.unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        for message in messages {
            account.lab.saw(Hop {
                from: "SQS",
                to: "DLQ",
                what: "received too often",
                status: 200,
                request_id: message.message_id.as_deref().unwrap_or_default(),
            });
            bodies.extend(message.body);
        }
    }
}
