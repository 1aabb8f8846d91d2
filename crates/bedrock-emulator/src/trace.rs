//! Evidence for the diagram: which nodes and edges a request really reached.

use serde::{Deserialize, Serialize};

/// One node or edge of the architecture diagram, lit by one request.
///
/// Node ids are the diagrams' own (`CC USER POLICY BR SONNET OPUS HAIKU CW METRICS`, …); an
/// edge is written `FROM-TO`, as in the SVG's `data-edge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// The node this is about; for an edge, the node it leads to.
    pub node: String,
    /// The edge by which the node was reached, if it was reached from another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<String>,
    /// What happened there.
    pub status: TraceStatus,
    /// `x-amzn-RequestId` of the request this is evidence of.
    pub request_id: String,
    /// Milliseconds since the Unix epoch.
    pub t: i64,
    /// A few words for people: `403 AccessDeniedException`, `12 tokens in, 40 out`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What happened at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceStatus {
    /// Passed through (green).
    Ok,
    /// Turned away for now: throttled, unavailable, timed out (amber).
    Throttled,
    /// Refused: authentication, IAM, validation (red).
    Denied,
}

/// The diagram's edges that the emulator has evidence for; the one place that names them.
pub mod edges {
    /// The caller authenticates.
    pub const CC_USER: (&str, &str) = ("USER", "CC-USER");
    /// IAM decides.
    pub const USER_POLICY: (&str, &str) = ("POLICY", "USER-POLICY");
    /// Bedrock takes the request.
    pub const POLICY_BR: (&str, &str) = ("BR", "POLICY-BR");
    /// Invocation logging writes.
    pub const BR_CW: (&str, &str) = ("CW", "BR-CW");
    /// A metric is put.
    pub const BR_METRICS: (&str, &str) = ("METRICS", "BR-METRICS");
    /// The node where requests arrive.
    pub const CC: &str = "CC";

    /// A model's node is reached from Bedrock.
    pub fn to_model(node: &str) -> String {
        format!("BR-{node}")
    }
}

/// Collects the evidence of one request.
#[derive(Debug)]
pub(crate) struct Tracer {
    events: Vec<TraceEvent>,
    request_id: String,
    t: i64,
}

impl Tracer {
    /// Starts with the request's arrival.
    pub(crate) fn new(request_id: &str, t: i64, note: String) -> Self {
        let mut tracer = Self {
            events: Vec::new(),
            request_id: request_id.to_owned(),
            t,
        };
        tracer.push(edges::CC, None, TraceStatus::Ok, note);
        tracer
    }

    pub(crate) fn edge(&mut self, edge: (&str, &str), status: TraceStatus, words: String) {
        self.push(edge.0, Some(edge.1.to_owned()), status, words);
    }

    pub(crate) fn model(&mut self, node: &str, status: TraceStatus, words: String) {
        self.push(node, Some(edges::to_model(node)), status, words);
    }

    pub(crate) fn finish(self) -> Vec<TraceEvent> {
        self.events
    }

    fn push(&mut self, node: &str, edge: Option<String>, status: TraceStatus, words: String) {
        self.events.push(TraceEvent {
            node: node.to_owned(),
            edge,
            status,
            request_id: self.request_id.clone(),
            t: self.t,
            note: words,
        });
    }
}
