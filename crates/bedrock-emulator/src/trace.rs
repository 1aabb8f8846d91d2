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
