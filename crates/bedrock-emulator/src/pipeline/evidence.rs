//! What happened, as light on the diagram.

use super::Pipeline;
use crate::{
    catalogue::Resolved,
    error::{ApiError, Code},
    trace::{Note, TraceStatus, edges},
};

impl Pipeline<'_> {
    pub(super) fn reached_bedrock(&mut self, status: TraceStatus, note: Note) {
        self.tracer.edge(edges::POLICY_BR, status, note);
        let (bedrock, _) = edges::POLICY_BR;
        if let Some(edge) = self.edge_to(bedrock) {
            self.tracer.node(bedrock, Some(edge), status, note);
        }
    }

    /// The way to that node from the service that calls in a role's name, if one does.
    pub(super) fn edge_to(&self, node: &str) -> Option<&'static str> {
        let session = self.record.principal.as_ref()?.session.as_ref()?;
        let mut edges = session.actor?.edges.iter();
        edges.find_map(|(to, edge)| (*to == node).then_some(*edge))
    }

    pub(super) fn metrics_put(&mut self) {
        let note = Note::Words("AWS/Bedrock");
        self.tracer.edge(edges::BR_METRICS, TraceStatus::Ok, note);
    }

    /// Bedrock refused before any model was reached.
    pub(super) fn refused(&mut self, error: &ApiError) {
        self.reached_bedrock(trace_status(error), error.into());
    }

    /// Bedrock or the model failed.
    pub(super) fn failed(&mut self, resolved: &Resolved<'_>, error: &ApiError) {
        let by_model = matches!(error.code(), Code::ModelError | Code::ModelTimeout);
        match &resolved.model.node {
            Some(_) if by_model => {
                self.reached_bedrock(TraceStatus::Ok, Note::ModelId);
                self.tracer.model(trace_status(error), error.into());
            }
            _ => self.refused(error),
        }
    }
}

/// Amber for what a retry may cure, red for what it cannot.
pub(super) fn trace_status(error: &ApiError) -> TraceStatus {
    match error.code().status() {
        408 | 424 | 429 | 500.. => TraceStatus::Throttled,
        _ => TraceStatus::Denied,
    }
}
