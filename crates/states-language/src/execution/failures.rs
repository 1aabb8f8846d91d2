//! What follows a failure: another attempt, a catcher, or the failure of what is around.

use std::sync::Arc;

use serde_json::json;

use super::{Execution, Phase, Place, ThreadId};
use crate::{
    failure::{Failure, RUNTIME},
    history::{Details, EventType},
    machine::{Kind, Next},
};

impl Execution {
    /// A thread's state failed.
    pub(super) fn failed(&mut self, id: ThreadId, place: &Place, failure: Failure) {
        if self.history.overflowed() {
            return;
        }
        // Children that started before the state failed by itself.
        let previous = self.threads.get(&id).map_or(0, |thread| thread.previous);
        self.end_children(id, previous);
        if self.retry(id, place, &failure) {
            return;
        }
        // Only when no retrier takes it, and not for what AWS calls States.Runtime of the state itself
        // (recorded).
        let runtime = failure.own && failure.error.as_deref() == Some(RUNTIME);
        match place.state().kind {
            Kind::Parallel(_) if !runtime => {
                self.record_next(id, EventType::ParallelStateFailed, Details::None);
            }
            Kind::Map(_) if !runtime => {
                self.record_next(id, EventType::MapStateFailed, Details::None);
            }
            _ => {}
        }
        match self.catch(id, place, failure) {
            Ok(()) => {}
            Err(failure) => self.give_up(id, failure),
        }
    }

    /// Whether the state is tried again.
    fn retry(&mut self, id: ThreadId, place: &Place, failure: &Failure) -> bool {
        let retriers = &place.state().retry;
        let Some(at) = retriers.iter().position(|retrier| retrier.takes(failure)) else {
            return false;
        };
        let retrier = &retriers[at];
        let Some(attempts) = self
            .threads
            .get_mut(&id)
            .and_then(|thread| thread.retries.get_mut(at))
        else {
            return false;
        };
        if *attempts >= retrier.max_attempts {
            return false;
        }
        let delay = retrier.delay(*attempts, &mut self.rng);
        *attempts += 1;
        let Some(until) = self.now.checked_add(delay) else {
            return false;
        };
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.phase = Phase::Retrying;
        }
        self.set_timer(id, until);
        true
    }

    /// Goes to the state that a catcher names, or gives the failure back.
    fn catch(&mut self, id: ThreadId, place: &Place, failure: Failure) -> Result<(), Failure> {
        let catchers = &place.state().catch;
        let Some(catcher) = catchers.iter().find(|catcher| catcher.takes(&failure)) else {
            return Err(failure);
        };
        let Some(thread) = self.threads.get(&id) else {
            return Ok(());
        };
        // An error without a cause has an empty one here (recorded).
        let error = json!({
            "Error": failure.error.unwrap_or_default(),
            "Cause": failure.cause.unwrap_or_default(),
        });
        let input = thread.input.value.clone();
        let output = match &catcher.result_path {
            None => input,
            Some(path) => Arc::new(path.put(Arc::unwrap_or_clone(input), error)?),
        };
        let payload = self.checked(id, place, output)?;
        self.leave(id, place, payload, Next::State(catcher.next));
        Ok(())
    }

    /// The thread fails, and with it the state around it or the execution.
    fn give_up(&mut self, id: ThreadId, mut failure: Failure) {
        failure.own = false;
        let Some(thread) = self.drop_thread(id) else {
            return;
        };
        match thread.parent {
            Some((parent, slot)) => self.child_failed(parent, slot, failure, thread.previous),
            None => self.fail(&failure, thread.previous),
        }
    }
}
