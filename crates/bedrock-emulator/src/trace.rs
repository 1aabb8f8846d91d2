//! Evidence for the diagram: which nodes and edges a request really reached.

use serde::{Deserialize, Serialize};

use crate::{
    error::{ApiError, Code},
    journal::{self, Record},
};

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
    /// A guardrail looks at what goes in, or at what comes out.
    pub const BR_GUARD: (&str, &str) = ("GUARD", "BR-GUARD");
    /// Invocation logging writes.
    pub const BR_CW: (&str, &str) = ("CW", "BR-CW");
    /// A metric is put.
    pub const BR_METRICS: (&str, &str) = ("METRICS", "BR-METRICS");
    /// The node where requests arrive.
    pub const CC: &str = "CC";
    /// Whoever asks a service of the student's own system.
    pub const CLIENT: &str = "CLIENT";
    /// The node of STS, which gives temporary credentials to whoever may be a role.
    pub const STS: &str = "STS";
    /// A VPC endpoint: a private way to Bedrock.
    pub const VPCE: &str = "VPCE";
    /// Bedrock, reached that way.
    pub const VPCE_BR: (&str, &str) = ("BR", "VPCE-BR");

    /// A model's node is reached from Bedrock.
    pub fn to_model(node: &str) -> String {
        format!("BR-{node}")
    }
}

/// A place that a request reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    /// Where requests arrive.
    Arrival,
    /// A node with one way to it: one of [`edges`].
    Edge((&'static str, &'static str)),
    /// The node of the model that was asked.
    Model,
    /// A node of a service beside Bedrock, and the way to it if that is known.
    Node(&'static str, Option<&'static str>),
}

/// The words beside a node, as they are kept: what has to be put together is put together when
/// somebody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Method and target.
    Target,
    /// The caller's ARN.
    Caller,
    /// What `CloudWatch` calls the model.
    ModelId,
    /// Tokens in and out.
    Tokens,
    /// Status and code.
    Error(Code),
    /// Where the answer came from.
    Origin,
    /// These.
    Words(&'static str),
}

impl From<&ApiError> for Note {
    fn from(error: &ApiError) -> Self {
        Self::Error(error.code())
    }
}

/// One node or edge that a request lit, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lit {
    spot: Spot,
    status: TraceStatus,
    note: Note,
}

/// Collects the evidence of one request.
#[derive(Debug)]
pub(crate) struct Tracer {
    lit: Vec<Lit>,
}

impl Tracer {
    /// Starts with the request's arrival.
    pub(crate) fn new() -> Self {
        // Seven is what an answered invocation lights.
        let mut tracer = Self {
            lit: Vec::with_capacity(7),
        };
        tracer.push(Spot::Arrival, TraceStatus::Ok, Note::Target);
        tracer
    }

    pub(crate) fn edge(
        &mut self,
        edge: (&'static str, &'static str),
        status: TraceStatus,
        note: Note,
    ) {
        self.push(Spot::Edge(edge), status, note);
    }

    pub(crate) fn model(&mut self, status: TraceStatus, note: Note) {
        self.push(Spot::Model, status, note);
    }

    pub(crate) fn node(
        &mut self,
        place: &'static str,
        edge: Option<&'static str>,
        status: TraceStatus,
        note: Note,
    ) {
        self.push(Spot::Node(place, edge), status, note);
    }

    pub(crate) fn finish(self) -> Vec<Lit> {
        self.lit
    }

    fn push(&mut self, spot: Spot, status: TraceStatus, note: Note) {
        self.lit.push(Lit { spot, status, note });
    }
}

impl Lit {
    /// As the diagram takes it; `None` for a model that no node stands for.
    pub(crate) fn event(&self, record: &Record) -> Option<TraceEvent> {
        let (place, edge) = match self.spot {
            Spot::Arrival => (edges::CC, None),
            Spot::Edge((node, edge)) => (node, Some(edge.to_owned())),
            Spot::Node(node, edge) => (node, edge.map(str::to_owned)),
            Spot::Model => {
                let node = record.door.as_ref()?.node.as_deref()?;
                (node, Some(edges::to_model(node)))
            }
        };
        let mut note = self.note.text(record);
        if let Some(fault) = record
            .fault
            .as_ref()
            .filter(|_| self.status != TraceStatus::Ok)
        {
            note = format!("{note} (fault: {fault})");
        }
        Some(TraceEvent {
            node: place.to_owned(),
            edge,
            status: self.status,
            request_id: record.request_id.clone(),
            t: record.t,
            note,
        })
    }
}

impl Note {
    fn text(self, record: &Record) -> String {
        match self {
            Self::Target => {
                let target = journal::redacted_target(&record.request.target);
                format!("{} {target}", record.request.method)
            }
            Self::Caller => {
                let principal = record.principal.as_ref();
                principal.map_or_else(String::new, |principal| principal.arn.clone())
            }
            Self::ModelId => {
                let door = record.door.as_ref();
                door.map_or_else(String::new, |door| door.id.clone())
            }
            Self::Tokens => {
                let usage = record.measured.map(|measured| measured.usage);
                let usage = usage.unwrap_or_default();
                format!("{} tokens in, {} out", usage.input, usage.output)
            }
            Self::Error(code) => format!("{} {}", code.status(), code.name()),
            Self::Origin => record.note.clone().unwrap_or_default(),
            Self::Words(words) => words.to_owned(),
        }
    }
}
