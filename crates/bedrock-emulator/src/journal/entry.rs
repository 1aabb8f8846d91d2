//! One request and its answer, as people and tests read it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Record, answer, secrets};
use crate::{auth, catalogue::Catalogue, policy::Access, trace::TraceEvent};

/// One request and its answer. Whatever a line of another version does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// Counts all requests of this emulator from 1.
    pub seq: u64,
    /// Arrival, milliseconds since the Unix epoch.
    pub t: i64,
    /// Number of the TCP connection.
    pub connection: u64,
    /// The account it belongs to: the caller's, once the caller is known.
    pub account: String,
    /// The region that was asked: the credential scope's, or the configured one.
    pub region: String,
    /// `POST`, …
    pub method: String,
    /// Path and query as sent, percent-encoded. What proves an identity in a presigned query is
    /// replaced by `…`.
    pub target: String,
    /// The operation's name (`Converse`, …), or `None` if the route is unknown.
    pub operation: Option<String>,
    /// The model id or ARN in the path, percent-decoded.
    pub model: Option<String>,
    /// Request headers, lower-case names. `authorization` keeps scope and signed headers; its
    /// signature or bearer token is replaced by `…`. `x-amz-security-token` and `x-api-key` likewise.
    pub headers: Vec<(String, String)>,
    /// The request's body, if it is JSON, or an object of the parameters of a query service's form;
    /// values of Secrets Manager are replaced by `…`.
    pub body: Option<Value>,
    /// Length of the request's body in bytes.
    pub body_bytes: usize,
    /// Why IAM let it pass or not, if it came so far and there are policies.
    pub access: Option<Access>,
    /// Who called, from the credential scope.
    pub caller: Caller,
    /// The ARN of the caller, once authenticated.
    pub identity: Option<String>,
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
    /// The answer's body, if it is JSON, likewise. A stream's events are in `frames`.
    pub answer: Option<Value>,
    /// Length of the answer's body in bytes.
    pub answer_bytes: usize,
    /// The messages of a streamed answer, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<FrameEntry>,
    /// Whether the connection is closed before the answer's end.
    #[serde(skip_serializing_if = "is_false")]
    pub cut: bool,
    /// Stop reason in Converse's spelling, when the model answered.
    pub stop_reason: Option<String>,
    /// Token usage, when the model answered.
    pub usage: Option<Usage>,
    /// What that usage costs at the catalogue's price, in micro-USD.
    pub cost_micro_usd: Option<u64>,
    /// Milliseconds from arrival to the end of the model's answer.
    pub latency_ms: Option<u64>,
    /// Milliseconds from arrival to the model's first token.
    pub first_token_ms: Option<u64>,
    /// The answer's text (all text blocks joined), when the model answered.
    pub text: Option<String>,
    /// Where the answer came from, if not from the emulator itself, or why not from there.
    pub note: Option<String>,
    /// The fault rules that hit this request, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The rule of the script that answered, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The number of the request that this one repeats (`POST /_workshop/requests/{seq}/replay`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<u64>,
    /// The nodes and edges this request lights.
    pub trace: Vec<TraceEvent>,
}

/// One message of a streamed answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameEntry {
    /// When it leaves, in milliseconds since the request arrived, or since the last gate before it
    /// opened; none when it never leaves.
    pub offset_ms: Option<u64>,
    /// The gates that hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// Length of the message on the wire.
    pub bytes: usize,
    /// Its `:event-type` or `:exception-type`.
    pub event: String,
    /// Its payload; of a `chunk`, the JSON inside its base64.
    pub payload: Value,
}

impl Record {
    /// For people and tests.
    pub(crate) fn entry(&self, catalogue: &Catalogue) -> Entry {
        let request = &self.request;
        let (attempt, max_attempts) = attempts(request.header("amz-sdk-request"));
        let answered = self.stop_reason.is_some();
        Entry {
            seq: self.seq,
            t: self.t,
            connection: request.connection,
            account: self.account.to_string(),
            region: self.region.clone(),
            method: request.method.clone(),
            target: secrets::redacted_target(&request.target),
            operation: self.operation.map(str::to_owned),
            model: self.model.clone(),
            headers: request.headers.iter().map(secrets::redacted).collect(),
            body: self.shown(answer::request_json(request)),
            body_bytes: request.body.len(),
            access: self.inquiry.as_ref().map(|i| i.explain(request)),
            caller: auth::caller(request),
            identity: self.principal.as_ref().map(|p| p.arn.clone()),
            invocation: request.header("amz-sdk-invocation-id").map(str::to_owned),
            attempt,
            max_attempts,
            status: self.status,
            error: self.error.map(|code| code.name().to_owned()),
            message: self.message.clone(),
            request_id: self.request_id.clone(),
            answer: self.shown(answer::whole_json(&self.body)),
            answer_bytes: answer::length(&self.body),
            frames: answer::frames(&self.body),
            cut: answer::is_cut(&self.body),
            stop_reason: self.stop_reason.clone(),
            usage: self.usage,
            cost_micro_usd: self.cost_micro_usd(catalogue),
            latency_ms: self.measured.map(|measured| measured.latency_ms),
            first_token_ms: self.measured.map(|measured| measured.first_token_ms),
            text: answered.then(|| answer::text(&self.body)),
            note: self.note.clone(),
            fault: self.fault.clone(),
            script: self.script.clone(),
            replay_of: self.replay_of,
            trace: self.trace.iter().filter_map(|l| l.event(self)).collect(),
        }
    }

    fn cost_micro_usd(&self, catalogue: &Catalogue) -> Option<u64> {
        let resolved = catalogue.find(self.model.as_deref()?, &self.region)?;
        Some(resolved.cost_micro_usd(self.measured?.usage))
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde calls it with"
)]
fn is_false(flag: &bool) -> bool {
    !flag
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

/// Who called, as far as the request says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
