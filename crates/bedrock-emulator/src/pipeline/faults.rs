//! What fault rules do to a request.

use std::{sync::Arc, time::Duration};

use super::{Pipeline, Stop};
use crate::{
    catalogue::Resolved,
    fault::Stage,
    script::{Asked, Fault},
    wire::Due,
};

impl Pipeline<'_> {
    /// What fault rules do to this request: a failure at once, or something that waits for the answer
    /// in `self.blow`.
    pub(super) fn strike(
        &mut self,
        resolved: Option<&Resolved<'_>>,
        stage: Stage,
        streams: bool,
    ) -> Result<(), Stop> {
        let account = Arc::clone(&self.account);
        if !account.faults.armed() {
            return Ok(());
        }
        let request = Arc::clone(&self.request);
        let operation = self.record.operation.unwrap_or_default();
        let model = self.record.model.clone();
        let found = model.as_deref();
        let found = found.and_then(|m| self.emulator.catalogue().find(m, &self.region));
        let mut asked = Asked::new(operation, &request, self.now);
        asked.model = model.as_deref();
        asked.resolved = resolved.or(found.as_ref());
        let Some(blow) = account.faults.strike(&asked, stage, self.dials.seed) else {
            return Ok(());
        };
        self.record.fault = Some(blow.names.clone());
        let waits = streams && blow.after_frames.is_some();
        let at_once = blow.strike.clone().filter(|_| !waits);
        self.blow = Some(blow);
        at_once.map_or(Ok(()), |fault| Err(fault_stop(fault)))
    }

    /// The same for an operation that invokes no model.
    pub(super) fn strike_early(&mut self, resolved: Option<&Resolved<'_>>) -> Result<(), Stop> {
        let result = self.strike(resolved, Stage::Bedrock, false);
        result.inspect_err(|stop| {
            if let Stop::Error(error) = stop {
                self.refused(error);
            }
        })
    }

    /// When an answer leaves that takes no time of its own.
    pub(super) fn at_once(&self) -> Due {
        let blow = self.blow.as_ref();
        let latency = blow.map_or(Duration::ZERO, |blow| blow.latency);
        match self.held.clone() {
            None => Due::After(latency),
            Some(Due::After(after)) => Due::After(after + latency),
            Some(Due::Gates(gates, after)) => Due::Gates(gates, after + latency),
            Some(Due::Never) => Due::Never,
        }
    }
}

pub(super) fn fault_stop(fault: Fault) -> Stop {
    match fault.error(false) {
        Some(error) => Stop::Error(error),
        None => Stop::Silence(fault),
    }
}
