//! What a request leaves behind: metrics, tokens of its quota, the journal's record, a log record.

use std::{sync::Arc, time::Duration};

use super::Pipeline;
use crate::{
    catalogue::{LifecycleState, Resolved},
    observe::Sample,
    ops::Operation,
    quota,
    service::Service,
    wire::Reply,
};

impl Pipeline<'_> {
    /// What a request leaves behind, under one lock: metrics, the journal's record, a log record.
    pub(super) fn leave(mut self, reply: Reply) -> Reply {
        let asked = self.asked.take();
        let asked = asked.filter(|(operation, _)| operation.invokes());
        let asked = asked.map(|(operation, resolved)| {
            let sample = self.sample(operation, &resolved);
            (resolved, sample)
        });
        let mut record = self.record;
        record.answered(&reply);
        record.region = self.region;
        record.account = Arc::clone(&self.account.id);
        record.trace = self.tracer.finish();
        let catalogue = self.emulator.catalogue();
        let mut state = self.account.state();
        if let Some(reservation) = self.reservation.take() {
            let used = asked.as_ref().map_or(0, |(_, sample)| sample.quota_tokens);
            let latency = record.measured.map_or(0, |measured| measured.latency_ms);
            let end = self.now + Duration::from_millis(latency);
            state.buckets.settle(&reservation, used, end);
        }
        if let Some((resolved, sample)) = asked {
            let (region, account) = (&record.region, &self.account.id);
            let door = state
                .meters
                .put(&resolved, catalogue, region, account, &sample);
            record.door = Some(door);
        }
        // Asking the control API is not an event of the account.
        if record.service != Some(Service::Workshop) {
            let logged = self.logged;
            state.keep(Arc::new(record), logged);
        }
        drop(state);
        reply
    }

    fn sample(&self, operation: Operation, resolved: &Resolved<'_>) -> Sample {
        let measured = self.record.measured;
        let usage = measured.map(|measured| measured.usage).unwrap_or_default();
        let state = self
            .emulator
            .catalogue()
            .state(resolved.model, self.today());
        Sample {
            minute: self.now.unix_timestamp().div_euclid(60),
            day: self.now.date(),
            streams: operation.streams(),
            legacy: state == LifecycleState::Legacy,
            measured,
            quota_tokens: quota::tokens(usage, resolved.model.quotas.output_burndown),
            runtime: operation.service() == Service::Runtime,
            micro_usd: resolved.cost_micro_usd(usage),
            error: self.record.error,
        }
    }
}
