//! One request and its answer as it is kept: what is cheap to keep.

use std::{borrow::Cow, sync::Arc};

use time::OffsetDateTime;

use super::Usage;
use crate::{
    error::Code,
    headers::Headers,
    identity::Principal,
    observe::Door,
    policy::Inquiry,
    service::Service,
    trace::Lit,
    wire::{Body, Reply, Request},
};

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) t: i64,
    pub(crate) request: Arc<Request>,
    pub(crate) account: Arc<str>,
    pub(crate) region: String,
    pub(crate) service: Option<Service>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) model: Option<String>,
    pub(crate) principal: Option<Arc<Principal>>,
    /// What IAM was asked; told when somebody wants to know.
    pub(crate) inquiry: Option<Box<Inquiry>>,
    /// Through which door the model was asked, if the request got that far.
    pub(crate) door: Option<Arc<Door>>,
    pub(crate) status: u16,
    pub(crate) error: Option<Code>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: String,
    /// The answer's media type.
    pub(crate) content_type: Cow<'static, str>,
    /// The answer's headers beside `Content-Type` and `x-amzn-RequestId`.
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) stop_reason: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) measured: Option<Measured>,
    pub(crate) note: Option<String>,
    pub(crate) fault: Option<String>,
    pub(crate) script: Option<String>,
    pub(crate) replay_of: Option<u64>,
    /// Whether the invocation log shows what was said.
    pub(crate) bodies: bool,
    pub(crate) trace: Vec<Lit>,
}

/// What an answer of a model took, also one that was cut short.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) usage: Usage,
    pub(crate) latency_ms: u64,
    pub(crate) first_token_ms: u64,
}

impl Record {
    /// A request that has just arrived and is not answered yet.
    pub(crate) fn arrived(
        seq: u64,
        request: Arc<Request>,
        request_id: String,
        account: Arc<str>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            seq,
            t: i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
            request,
            account,
            region: String::new(),
            service: None,
            operation: None,
            model: None,
            principal: None,
            inquiry: None,
            door: None,
            status: 0,
            error: None,
            message: None,
            request_id,
            content_type: Cow::Borrowed(""),
            headers: Headers::default(),
            body: Body::Disconnect {
                due: crate::script::AT_ONCE,
            },
            stop_reason: None,
            usage: None,
            measured: None,
            note: None,
            fault: None,
            script: None,
            replay_of: None,
            bodies: true,
            trace: Vec::new(),
        }
    }

    /// Keeps what was answered. The usual media types and the headers that every answer has are not
    /// copied.
    pub(crate) fn answered(&mut self, reply: &Reply) {
        const USUAL: [&str; 2] = ["application/json", "application/vnd.amazon.eventstream"];
        // Two of them are not kept here.
        let more = reply.headers.len().saturating_sub(2);
        if more > 0 {
            let sizes = reply.headers.iter();
            let bytes = sizes.map(|(name, value)| name.len() + value.len());
            self.headers = Headers::with_capacity(more, bytes.sum());
        }
        for (name, value) in &reply.headers {
            if name.eq_ignore_ascii_case("content-type") {
                let usual = USUAL.into_iter().find(|usual| usual == value);
                self.content_type = match usual {
                    Some(usual) => Cow::Borrowed(usual),
                    None => Cow::Owned(value.clone()),
                };
            } else if !name.eq_ignore_ascii_case("x-amzn-requestid") {
                self.headers.push((name, value));
            }
        }
        self.body = reply.body.clone();
    }

    /// Roughly the bytes it occupies, for the journal's bound.
    pub(crate) fn weight(&self) -> usize {
        /// This struct, its short strings, its trace and its place in the ring.
        const FIXED: usize = 1_024;
        /// Where a header's name and value end.
        const HEADER: usize = 16;
        /// A piece of the answer's body and what the allocator adds.
        const FRAME: usize = 80;
        let headers = &self.request.headers;
        let headers = headers.bytes() + headers.len() * HEADER;
        let answer = match &self.body {
            Body::Whole { bytes, .. } => bytes.len(),
            Body::Frames { frames, .. } => frames.iter().map(|f| f.bytes.len() + FRAME).sum(),
            Body::Disconnect { .. } => 0,
        };
        let request = self.request.target.len() + headers + self.request.body.len();
        FIXED + request + answer
    }

    /// When it arrived.
    pub(crate) fn arrived_at(&self) -> OffsetDateTime {
        let nanos = i128::from(self.t) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}
