//! A request to a service beside Bedrock: let in, then answered at once or later.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{Pipeline, Ready, Stop, evidence::trace_status, question::Paused};
use crate::{
    emulator::Emulator,
    error::{ApiError, Code},
    neighbour::{Answer, Arrival, Neighbour, Outcome, Visit},
    service::Service,
    trace::{Note, TraceStatus, edges},
    wire::Reply,
};

/// An answer that takes its time.
pub(super) type Later = Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// A request whose answer takes its time: a long poll, a function that runs.
///
/// Dropped before its end, it is told in the journal as cut: the client is gone.
pub struct Waiting {
    emulator: Arc<Emulator>,
    /// `None` once it has been answered.
    paused: Option<Box<Paused>>,
    answer: Later,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("paused", &self.paused)
            .finish_non_exhaustive()
    }
}

impl Waiting {
    pub(super) fn new(emulator: Arc<Emulator>, paused: Paused, answer: Later) -> Self {
        Self {
            emulator,
            paused: Some(Box::new(paused)),
            answer,
        }
    }

    /// Its answer, once there is one.
    ///
    /// # Panics
    /// Never: only this method and the drop conclude a visit, and this one comes first.
    pub async fn reply(mut self) -> Reply {
        let answer = (&mut self.answer).await;
        self.conclude(answer.map_err(Stop::Error))
            .expect("a visit is concluded once: by a method that takes it, or by its drop")
    }

    fn conclude(&mut self, result: Result<Answer, Stop>) -> Option<Reply> {
        let paused = *self.paused.take()?;
        let emulator = Arc::clone(&self.emulator);
        let mut pipeline = Pipeline::resume(&emulator, paused);
        let result = pipeline.visited(result);
        let reply = pipeline.end(result);
        Some(pipeline.leave(reply))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let gone = Stop::Silence(crate::script::Fault::Disconnect);
        let _ = self.conclude(Err(gone));
    }
}

impl Pipeline<'_> {
    /// The neighbour that knows the request; `unknown` if there is none.
    pub(super) fn visit(&mut self, unknown: ApiError) -> Result<Ready, Stop> {
        let neighbours = &self.emulator.config().neighbours;
        let found = neighbours
            .iter()
            .find_map(|neighbour| Some((neighbour, neighbour.operation(&self.request)?)));
        let Some((neighbour, operation)) = found else {
            return Err(unknown.into());
        };
        let neighbour = Arc::clone(neighbour);
        let service = Service::Neighbour(neighbour.about());
        self.protocol = service.protocol(self.protocol);
        self.record.service = Some(service);
        let operation = operation?;
        self.record.operation = Some(operation);
        match self.admit(&*neighbour, service, operation)? {
            Outcome::Now(answer) => self.visited(answer.map_err(Stop::Error)),
            Outcome::Later(later) if self.waits => Err(Stop::Wait(later)),
            Outcome::Later(_) => Err(ApiError::bedrock(
                Code::InternalServer,
                "Bedrock Workshop: this operation takes time, and this front end cannot wait; \
                 send it to an endpoint",
            )
            .into()),
        }
    }

    fn admit(
        &mut self,
        neighbour: &dyn Neighbour,
        service: Service,
        operation: &'static str,
    ) -> Result<Outcome, Stop> {
        let principal = self.authenticate(service)?;
        let visit = Visit::new(
            Arc::clone(&self.request),
            operation,
            &principal,
            Arc::clone(&self.account.id),
            Arrival {
                region: self.region.clone(),
                request_id: self.record.request_id.clone(),
                now: self.now,
                rng: self.rng.clone(),
            },
        );
        let asked = neighbour.permissions(&visit);
        if !asked.is_empty() {
            let rules = self.rules(&principal);
            self.permit(&principal, rules, asked, None, Vec::new())?;
        }
        self.strike(None, crate::fault::Stage::Bedrock, false)
            .or_else(|stop| self.visited(Err(stop)).map(|_| ()))?;
        Ok(neighbour.answer(visit))
    }

    /// What became of a visit, as light on the diagram.
    fn visited(&mut self, result: Result<Answer, Stop>) -> Result<Ready, Stop> {
        let (status, note) = match &result {
            Ok(_) => {
                let words = self.record.operation.unwrap_or_default();
                (TraceStatus::Ok, Note::Words(words))
            }
            Err(Stop::Error(error)) => (trace_status(error), error.into()),
            Err(_) => (TraceStatus::Throttled, Note::Words("connection closed")),
        };
        if let Some(Service::Neighbour(about)) = self.record.service
            && let Some(node) = about.node
        {
            let mut edge = self.edge_to(node);
            if edge.is_none() && about.from_client.is_some() && !self.calls_for_a_service() {
                let caller = Note::Caller;
                self.tracer
                    .node(edges::CLIENT, None, TraceStatus::Ok, caller);
                edge = about.from_client;
            }
            self.tracer.node(node, edge, status, note);
        }
        let told = match &result {
            Ok(answer) => Some(answer),
            Err(Stop::Error(error)) => error.answer(),
            Err(_) => None,
        };
        for lit in told.iter().flat_map(|answer| &answer.lit) {
            let note = Note::Words(lit.words);
            self.tracer.node(lit.node, lit.edge, lit.status, note);
        }
        Ok(Ready::Visit(result?))
    }
}
