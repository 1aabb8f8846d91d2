//! What the events of one exercise add up to.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use bedrock_emulator::{
    journal::Entry,
    trace::{TraceEvent, TraceStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use workshop_runner::{Outcome, Problem, TestResult, live::Event};

/// What stands in a test's place for requests to the emulator beside the site.
pub(crate) const EMULATOR_TEST: &str = "emulator";

/// Requests kept for one exercise.
const REQUESTS_MAX: usize = 200;

/// Requests further apart than this belong to different runs, when nobody says where a run starts
/// (a plain `cargo test` in an editor does not).
const RUN_GAP_MS: i64 = 10_000;

/// The present state of one exercise's checks.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Where the check is.
    pub phase: Phase,
    /// Results so far.
    pub tests: Vec<TestResult>,
    /// Requests of this run, oldest first.
    pub requests: VecDeque<Seen>,
    /// What the compiler said about the student's file, or why the set-up is broken.
    pub said: Vec<String>,
    /// The compiler's messages as data, one for each of `said`.
    pub problems: Vec<Problem>,
    /// The last note of a check that waits for something.
    pub note: Option<String>,
    /// Whether the run talks to real Bedrock.
    pub real: bool,
    /// When the run began (milliseconds since the Unix epoch), if anybody said so.
    pub started: Option<i64>,
    /// How many requests were numbered since the site started.
    numbered: u64,
    /// When it ended.
    pub ended: Option<i64>,
}

/// Where a check is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has been run since the site started.
    #[default]
    Idle,
    /// Cargo is compiling: crates done, crates in all (0 until known).
    Building {
        /// Crates done.
        done: usize,
        /// Crates in all.
        total: usize,
    },
    /// Tests are running.
    Testing,
    /// Cancelled: there is no verdict.
    Stopped,
    /// The verdict.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// Tests that passed.
        passed: usize,
        /// Tests in all.
        total: usize,
    },
}

/// One request, as far as pages show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// The test it was sent by, or `emulator`.
    pub test: String,
    /// Its number in the emulator's journal.
    pub seq: u64,
    /// Arrival, milliseconds since the Unix epoch.
    pub t: i64,
    /// `Converse`, …
    pub operation: Option<String>,
    /// The model asked for.
    pub model: Option<String>,
    /// HTTP status answered.
    pub status: u16,
    /// Error code answered.
    pub error: Option<String>,
    /// Its message.
    pub message: Option<String>,
    /// Which attempt of the SDK it was, from 1.
    pub attempt: Option<u32>,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// Why the model stopped.
    pub stop_reason: Option<String>,
    /// Tokens.
    pub usage: Option<Usage>,
    /// Milliseconds from arrival to the end of the model's answer.
    pub latency_ms: Option<u64>,
    /// Milliseconds from arrival to the model's first token.
    pub first_token_ms: Option<u64>,
    /// What it costs at the catalogue's price.
    pub cost_micro_usd: Option<u64>,
    /// The same for all attempts of one call of an SDK that retries by itself.
    pub invocation: Option<String>,
    /// The number of the request that this one repeats.
    pub replay_of: Option<u64>,
    /// Nodes and edges it lights.
    pub trace: Vec<Light>,
    /// Where its page is; empty if it has none.
    #[serde(skip_deserializing)]
    pub href: String,
    /// Tells equal bodies from different ones: a program that waits and asks again sends the same.
    #[serde(skip)]
    pub body_hash: Option<u64>,
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Read by the model.
    pub input: u32,
    /// Written by it.
    pub output: u32,
}

/// One lit node or edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// The node.
    pub node: String,
    /// The edge that led there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<String>,
    /// What happened there.
    pub status: Status,
    /// A few words for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What happened at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Passed through.
    Ok,
    /// Turned away for now.
    Throttled,
    /// Refused.
    Denied,
}

impl Light {
    fn of(event: &TraceEvent) -> Self {
        Self {
            node: event.node.clone(),
            edge: event.edge.clone(),
            status: event.status.into(),
            note: event.note.clone(),
        }
    }
}

impl From<TraceStatus> for Status {
    fn from(status: TraceStatus) -> Self {
        match status {
            TraceStatus::Ok => Self::Ok,
            TraceStatus::Throttled => Self::Throttled,
            TraceStatus::Denied => Self::Denied,
        }
    }
}

impl Status {
    /// The class that a lit element gets.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
        }
    }
}

/// What is lit on the diagram, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lit {
    /// Nodes.
    pub nodes: BTreeMap<String, Mark>,
    /// Edges, as `FROM-TO`.
    pub edges: BTreeMap<String, Mark>,
}

/// How one node or edge is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// What the last request met there.
    pub status: Status,
    /// Requests that passed.
    pub count: usize,
    /// Whether one was turned away here before the last one passed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
}

impl Mark {
    /// The classes that the element gets.
    pub fn class(self) -> &'static str {
        match self.status {
            Status::Ok if self.retried => "ok retried",
            status => status.class(),
        }
    }
}

impl Seen {
    /// From a journal entry; unknown fields are left out, missing ones are empty.
    pub fn from_entry(test: &str, entry: &Value) -> Option<Self> {
        let mut seen = Self::deserialize(entry).ok()?;
        test.clone_into(&mut seen.test);
        seen.body_hash = entry.get("body").filter(|body| !body.is_null()).map(hash);
        Some(seen)
    }

    /// From an entry of the emulator's journal.
    pub fn by_hand(entry: &Entry) -> Self {
        Self {
            test: EMULATOR_TEST.to_owned(),
            seq: entry.seq,
            t: entry.t,
            operation: Some(entry.operation.as_ref().unwrap_or(&entry.target).clone()),
            model: entry.model.clone(),
            status: entry.status,
            error: entry.error.clone(),
            message: entry.message.clone(),
            attempt: entry.attempt,
            request_id: entry.request_id.clone(),
            stop_reason: entry.stop_reason.clone(),
            usage: entry.usage.map(|usage| Usage {
                input: usage.input,
                output: usage.output,
            }),
            latency_ms: entry.latency_ms,
            first_token_ms: entry.first_token_ms,
            cost_micro_usd: entry.cost_micro_usd,
            invocation: entry.invocation.clone(),
            replay_of: entry.replay_of,
            trace: entry.trace.iter().map(Light::of).collect(),
            href: format!("/requests/emulator/{}", entry.seq),
            body_hash: entry.body.as_ref().map(hash),
        }
    }

    /// Whether it was turned away or failed, so that somebody may try again.
    pub fn failed(&self) -> bool {
        self.status >= 400 || self.status == 0 || self.error.is_some()
    }

    /// Whether that later request is the same call once more.
    pub fn is_retried_by(&self, later: &Self) -> bool {
        let same_test = self.test == later.test && self.operation == later.operation;
        let same_call = self.invocation.is_some() && self.invocation == later.invocation;
        let same_body = self.body_hash.is_some()
            && (self.body_hash, &self.model) == (later.body_hash, &later.model);
        same_test && self.failed() && (same_call || same_body)
    }
}

fn hash(body: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.to_string().hash(&mut hasher);
    hasher.finish()
}

impl Board {
    /// Takes in one event of this exercise.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started { t, .. } => {
                *self = Self {
                    phase: Phase::Building { done: 0, total: 0 },
                    started: Some(*t),
                    numbered: self.numbered,
                    ..Self::default()
                };
            }
            Event::Bedrock { .. } => self.real = true,
            Event::Building { done, total, .. } => {
                self.phase = Phase::Building {
                    done: *done,
                    total: *total,
                };
            }
            Event::Test { result, .. } => {
                self.phase = Phase::Testing;
                self.tests.push(result.clone());
            }
            Event::Finished {
                outcome,
                passed,
                total,
                diagnostics,
                problems,
                t,
                ..
            } => {
                self.said.clone_from(diagnostics);
                self.problems.clone_from(problems);
                self.ended = Some(*t);
                self.note = None;
                self.phase = Phase::Finished {
                    outcome: *outcome,
                    passed: *passed,
                    total: *total,
                };
            }
            Event::Note { text, .. } => self.note = Some(text.clone()),
            Event::Stopped { .. } => {
                self.phase = Phase::Stopped;
                self.note = None;
            }
            // Requests are numbered first, see `Board::see`; newer kinds of events do not concern the
            // board.
            _ => {}
        }
    }

    /// Whether a check is going on.
    pub fn running(&self) -> bool {
        matches!(self.phase, Phase::Building { .. } | Phase::Testing)
    }

    /// The number of the next request of this exercise.
    pub(super) fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// Takes in one request of this exercise.
    pub(super) fn see(&mut self, seen: Seen) {
        let last = self.requests.back().map(|r| r.t);
        if !self.running() && last.is_some_and(|last| seen.t.saturating_sub(last) > RUN_GAP_MS) {
            self.requests.clear();
        }
        if self.requests.len() == REQUESTS_MAX {
            self.requests.pop_front();
        }
        self.requests.push_back(seen);
    }
}

impl Lit {
    /// What those requests light together; the last one decides the colour.
    pub fn by<'r>(requests: impl IntoIterator<Item = &'r Seen>) -> Self {
        let mut lit = Self::default();
        for light in requests.into_iter().flat_map(|r| &r.trace) {
            mark(&mut lit.nodes, &light.node, light.status);
            if let Some(edge) = &light.edge {
                mark(&mut lit.edges, edge, light.status);
            }
        }
        lit
    }
}

fn mark(marks: &mut BTreeMap<String, Mark>, id: &str, status: Status) {
    let mark = marks.entry(id.to_owned()).or_insert(Mark {
        status,
        count: 0,
        retried: false,
    });
    mark.retried |= mark.status == Status::Throttled;
    mark.status = status;
    mark.count += 1;
}
