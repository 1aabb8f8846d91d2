//! Given: what the service is built with, a ticket, and one small part for each step of the worker's way.
//! Not to be edited.
//!
//! Each part is lent by the exercise that is named in its file. Where you have solved that exercise, put
//! your own in its place: `src/lib.rs` decides what it calls.
//!
//! Read in this order: this file, then `lease`, `budget`, `cache`, `guard`, `route`, `ask`, `retry`,
//! `metrics`: the order in which a ticket meets them.

#[path = "given/ask.rs"]
mod ask;
#[path = "given/budget.rs"]
mod budget;
#[path = "given/cache.rs"]
mod cache;
#[path = "given/guard.rs"]
mod guard;
#[path = "given/lease.rs"]
mod lease;
#[path = "given/metrics.rs"]
mod metrics;
#[path = "given/retry.rs"]
mod retry;
#[path = "given/route.rs"]
mod route;

use std::{
    fmt,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use aws_smithy_async::{rt::sleep::SharedAsyncSleep, time::SharedTimeSource};
use lambda_http::{Request, RequestExt as _, request::RequestContext};
use serde::{Deserialize, Serialize};

pub use self::{
    ask::{AskError, Fault, Reply, ask},
    budget::{Reservation, reserve},
    cache::{cache_key, cached, keep},
    guard::{Guard, Verdict, inspect},
    lease::{End, Lease, Mine, end, lease},
    metrics::{CallRecord, NAMESPACE, Outcome, emf},
    retry::{Policy, with_backoff},
    route::{MicroUsd, Model, route},
};

/// Whatever went wrong on the way.
pub type Trouble = lambda_runtime::Error;

/// The longest text of a ticket, in bytes.
pub const TEXT_MAX: usize = 4_000;

/// One ticket, as it travels through the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The same for the same ticket, however often it is sent.
    pub ticket_id: String,
    /// Whose ticket it is: a customer's id.
    pub tenant: String,
    /// What it is about.
    pub kind: Kind,
    /// What the customer wrote. A stranger's words.
    pub text: String,
}

/// What a ticket is about; the customer's form asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Most are.
    Question,
    /// Something is broken, and somebody has to think.
    Incident,
}

/// The body of `POST /tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTicket {
    /// What the customer's program calls this ticket. It sends the same name again when it does not know
    /// whether the first time arrived.
    pub request: String,
    /// What it is about.
    pub kind: Kind,
    /// What the customer wrote.
    pub text: String,
}

/// The customer whose API key came with the request. API Gateway has checked the key: who has none, or a
/// wrong one, never gets here.
pub fn tenant(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.identity.api_key_id.clone(),
        _ => None,
    }
}

/// Built once, when an environment of a function starts. Every invocation gets the same one.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Asks models. The clients' own retries are off, all three.
    pub bedrock: aws_sdk_bedrockruntime::Client,
    /// Keeps tickets, cached answers and the budget.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Takes tickets.
    pub sqs: aws_sdk_sqs::Client,
    /// Where tickets wait.
    pub queue_url: String,
    /// The table of the tickets. Its key is the text `ticket_id`.
    pub tickets: String,
    /// The table of the answers that are kept. Its key is the text `cache_key`.
    pub cache: String,
    /// The table of the budget. Its key is the text `day`.
    pub budget: String,
    /// Reads every ticket before a model does.
    pub guard: Guard,
    /// For most tickets.
    pub haiku: Model,
    /// For those that need thought.
    pub sonnet: Model,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// The row of the budget that is spent now.
    pub day: String,
    /// How much of it there is.
    pub limit: MicroUsd,
    /// How long a ticket belongs to the worker that took it.
    pub lease: Duration,
    /// How long an answer is kept.
    pub ttl: Duration,
    /// How many tickets of a batch are worked on at once, at most.
    pub at_once: usize,
    /// How often, and with which pauses, a model is asked again.
    pub retry: Policy,
    /// Tells the time; in tests another one than the system's.
    pub time: SharedTimeSource,
    /// Waits; in tests for no time at all.
    pub sleep: SharedAsyncSleep,
    /// Chance, for pauses.
    pub chance: Chance,
    /// Where everything goes that this program says: in Lambda to standard output, and so to `CloudWatch`
    /// Logs.
    pub log: Log,
}

impl Deps {
    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        let since_1970 = self.time.now().duration_since(UNIX_EPOCH);
        u64::try_from(since_1970.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        self.now_ms() / 1_000
    }
}

/// What the operator asks at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Tickets with an answer.
    pub done: usize,
    /// Tickets that the guardrail stopped.
    pub blocked: usize,
    /// Tickets for which there was no money.
    pub deferred: usize,
    /// Tickets that somebody has leased and not ended.
    pub open: usize,
    /// What answers have cost.
    pub spent: MicroUsd,
    /// What is set aside for answers that are under way.
    pub reserved: MicroUsd,
}

/// Takes lines. Clones write to the same place.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    /// Lines go to this function.
    pub fn new(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Standard output.
    pub fn stdout() -> Self {
        Self::new(|line| {
            // Nothing can be done, nor said, about a broken pipe.
            let _ = writeln!(std::io::stdout(), "{line}");
        })
    }

    /// One line, without its newline.
    pub fn line(&self, line: impl fmt::Display) {
        (self.0)(&line.to_string());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// Numbers between 0 and 1 that nobody can guess, if the seed is one that nobody knows. Clones share them.
#[derive(Debug, Clone)]
pub struct Chance(Arc<AtomicU64>);

impl Chance {
    /// From a seed: in tests a fixed one.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// The next number (`SplitMix64`).
    pub fn draw(&self) -> f64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default();
        f64::from(high) / f64::from(u32::MAX)
    }
}
