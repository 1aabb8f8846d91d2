//! The bounded record of every request and what was answered.

use std::{collections::VecDeque, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::{auth, error::Code, trace::TraceEvent, wire::Request};

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Counts all requests of this emulator from 1.
    pub seq: u64,
    /// Arrival, milliseconds since the Unix epoch.
    pub t: i64,
    /// Number of the TCP connection.
    pub connection: u64,
    /// `POST`, …
    pub method: String,
    /// Path and query as sent, percent-encoded.
    pub target: String,
    /// The operation's name (`Converse`, …), or `None` if the route is unknown.
    pub operation: Option<String>,
    /// The model id or ARN in the path, percent-decoded.
    pub model: Option<String>,
    /// Request headers, lower-case names. `authorization` keeps scope and signed headers; its
    /// signature or bearer token is replaced by `…`. `x-amz-security-token` likewise.
    pub headers: Vec<(String, String)>,
    /// The request's body, if it is JSON.
    pub body: Option<Value>,
    /// Length of the request's body in bytes.
    pub body_bytes: usize,
    /// Who called, from the credential scope.
    pub caller: Caller,
    /// From `amz-sdk-invocation-id`: the same for all attempts of one logical call.
    pub invocation: Option<String>,
    /// From `amz-sdk-request`: this attempt's number, from 1.
    pub attempt: Option<u32>,
    /// From `amz-sdk-request`: how many attempts the SDK will make.
    pub max_attempts: Option<u32>,
    /// HTTP status answered; 0 when nothing was answered (a hang, a closed connection).
    pub status: u16,
    /// Error code answered (`ThrottlingException`, …), in a stream too.
    pub error: Option<String>,
    /// The message of that error.
    pub message: Option<String>,
    /// `x-amzn-RequestId` answered.
    pub request_id: String,
    /// Stop reason in Converse's spelling, when the model answered.
    pub stop_reason: Option<String>,
    /// Token usage, when the model answered.
    pub usage: Option<Usage>,
    /// The answer's text (all text blocks joined), when the model answered.
    pub text: Option<String>,
    /// Where the answer came from, if not from the emulator itself, or why not from there.
    pub note: Option<String>,
    /// The nodes and edges this request lights.
    pub trace: Vec<TraceEvent>,
}

/// One request and its answer as it is kept: what is cheap to keep. What people read, [`Entry`], is
/// made of it when somebody asks.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) t: i64,
    pub(crate) request: Arc<Request>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) model: Option<String>,
    pub(crate) status: u16,
    pub(crate) error: Option<Code>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: String,
    pub(crate) stop_reason: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) text: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) trace: Vec<TraceEvent>,
}

impl Record {
    /// A request that has just arrived and is not answered yet.
    pub(crate) fn arrived(
        seq: u64,
        request: Arc<Request>,
        request_id: String,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            seq,
            t: i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
            request,
            operation: None,
            model: None,
            status: 0,
            error: None,
            message: None,
            request_id,
            stop_reason: None,
            usage: None,
            text: None,
            note: None,
            trace: Vec::new(),
        }
    }

    /// For people and tests.
    pub(crate) fn entry(&self) -> Entry {
        let request = &self.request;
        let (attempt, max_attempts) = attempts(request.header("amz-sdk-request"));
        Entry {
            seq: self.seq,
            t: self.t,
            connection: request.connection,
            method: request.method.clone(),
            target: request.target.clone(),
            operation: self.operation.map(str::to_owned),
            model: self.model.clone(),
            headers: request.headers.iter().map(redacted).collect(),
            body: serde_json::from_slice(&request.body).ok(),
            body_bytes: request.body.len(),
            caller: auth::caller(request),
            invocation: request.header("amz-sdk-invocation-id").map(str::to_owned),
            attempt,
            max_attempts,
            status: self.status,
            error: self.error.map(|code| code.name().to_owned()),
            message: self.message.clone(),
            request_id: self.request_id.clone(),
            stop_reason: self.stop_reason.clone(),
            usage: self.usage,
            text: self.text.clone(),
            note: self.note.clone(),
            trace: self.trace.clone(),
        }
    }
}

/// Reads `attempt=1; max=3`.
fn attempts(header: Option<&str>) -> (Option<u32>, Option<u32>) {
    let number = |name: &str| {
        let parts = header?.split(';').map(str::trim);
        let mut values = parts.filter_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        values.next()?.parse().ok()
    };
    (number("attempt"), number("max"))
}

/// Secrets do not reach the journal.
fn redacted((name, value): &(String, String)) -> (String, String) {
    let value = match name.as_str() {
        "authorization" => {
            let scheme = || value.split_whitespace().next().unwrap_or_default();
            match value.split_once("Signature=") {
                Some((scope, _)) => format!("{scope}Signature=…"),
                None => format!("{} …", scheme()),
            }
        }
        "x-amz-security-token" => "…".to_owned(),
        _ => value.clone(),
    };
    (name.clone(), value)
}

/// Who called, as far as the request says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// Access key id of the credential scope.
    pub access_key_id: Option<String>,
    /// Region of the credential scope.
    pub region: Option<String>,
    /// Service of the credential scope (`bedrock`).
    pub service: Option<String>,
    /// Whether a session token came along (temporary credentials).
    pub session: bool,
    /// Whether the request carried a bearer token (a Bedrock API key) instead.
    pub bearer: bool,
}

/// Token usage of one invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Input tokens, without those read from or written to the prompt cache.
    pub input: u32,
    /// Output tokens.
    pub output: u32,
    /// Input tokens read from the prompt cache.
    pub cache_read: u32,
    /// Input tokens written to the prompt cache for five minutes.
    pub cache_write_5m: u32,
    /// Input tokens written to the prompt cache for an hour.
    pub cache_write_1h: u32,
}

impl Usage {
    /// Usage without caching.
    pub const fn new(input: u32, output: u32) -> Self {
        Self {
            input,
            output,
            cache_read: 0,
            cache_write_5m: 0,
            cache_write_1h: 0,
        }
    }

    /// Input tokens written to the prompt cache, however long they stay.
    pub const fn cache_write(self) -> u32 {
        self.cache_write_5m.saturating_add(self.cache_write_1h)
    }

    /// All tokens, as Bedrock counts `totalTokens`: cached ones too (recorded).
    pub fn total(self) -> u64 {
        u64::from(self.input)
            + u64::from(self.output)
            + u64::from(self.cache_read)
            + u64::from(self.cache_write_5m)
            + u64::from(self.cache_write_1h)
    }
}

/// The last requests, oldest first. Full means the oldest go.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    records: VecDeque<Arc<Record>>,
    capacity: usize,
}

impl Journal {
    /// An empty journal that keeps at most `capacity` requests.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            records: VecDeque::new(),
            capacity: capacity.max(1),
        }
    }

    /// Records one request.
    pub(crate) fn push(&mut self, record: Record) {
        if self.records.len() == self.capacity {
            self.records.pop_front();
        }
        self.records.push_back(Arc::new(record));
    }

    /// What it holds, oldest first.
    pub(crate) fn records(&self) -> Vec<Arc<Record>> {
        self.records.iter().cloned().collect()
    }

    /// The request of that number. The newest are asked for most.
    pub(crate) fn find(&self, seq: u64) -> Option<Arc<Record>> {
        let mut newest_first = self.records.iter().rev();
        newest_first.find(|record| record.seq == seq).cloned()
    }
}
