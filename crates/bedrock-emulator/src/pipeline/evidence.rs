//! What happened, as light on the diagram.

use super::{Pipeline, Stop};
use crate::{
    catalogue::Resolved,
    error::{ApiError, Code},
    fault::Stage,
    service::Told,
    trace::{Note, TraceStatus, edges},
    vpc_endpoint,
};

impl Pipeline<'_> {
    pub(super) fn reached_bedrock(&mut self, status: TraceStatus, note: Note) {
        self.tracer.edge(edges::POLICY_BR, status, note);
        let (bedrock, _) = edges::POLICY_BR;
        if vpc_endpoint::of(&self.request).is_some() {
            self.tracer.edge(edges::VPCE_BR, status, note);
        } else if let Some(edge) = self.edge_to(bedrock) {
            self.tracer.node(bedrock, Some(edge), status, note);
        }
    }

    /// A guardrail looked, and whether what it saw may not pass.
    pub(super) fn guarded(&mut self, look: Option<(bool, &'static str)>) {
        if let Some((blocked, words)) = look {
            let status = if blocked {
                TraceStatus::Denied
            } else {
                TraceStatus::Ok
            };
            self.tracer
                .edge(edges::BR_GUARD, status, Note::Words(words));
        }
    }

    /// What STS answers, once fault rules have had their say.
    pub(super) fn told_by_sts(&mut self, told: Result<Told, ApiError>) -> Result<Told, Stop> {
        let told = told.map_err(Stop::Error);
        let told = told.and_then(|told| self.strike(None, Stage::Bedrock, false).map(|()| told));
        let (status, note) = match &told {
            Ok(_) => {
                let words = self.record.operation.unwrap_or_default();
                (TraceStatus::Ok, Note::Words(words))
            }
            Err(Stop::Error(error)) => (trace_status(error), error.into()),
            Err(_) => (TraceStatus::Throttled, Note::Words("connection closed")),
        };
        let edge = self.edge_to(edges::STS);
        self.tracer.node(edges::STS, edge, status, note);
        told
    }

    /// The way to that node from the service that calls in a role's name, if one does.
    pub(super) fn edge_to(&self, node: &str) -> Option<&'static str> {
        let session = self.record.principal.as_ref()?.session.as_ref()?;
        let mut edges = session.actor?.edges.iter();
        edges.find_map(|(to, edge)| (*to == node).then_some(*edge))
    }

    /// Whether a service calls in a role's name, and no client by itself.
    pub(super) fn calls_for_a_service(&self) -> bool {
        let principal = self.record.principal.as_ref();
        let session = principal.and_then(|principal| principal.session.as_ref());
        session.is_some_and(|session| session.actor.is_some())
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
