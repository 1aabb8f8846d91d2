//! A stage that is deployed: its API, and what changes while it runs.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

use super::{
    api::Api,
    cache::Cache,
    exchange::Exchange,
    function::Functions,
    limits::{Bucket, Limit, Used},
    seen::{Seen, Watcher},
};
use crate::Clock;

/// A deployed stage.
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) deployment_id: String,
    pub(super) functions: Arc<dyn Functions>,
    pub(super) clock: Arc<dyn Clock>,
    watchers: Vec<Watcher>,
    state: Mutex<State>,
}

/// Held for one step at a time, never across an await.
#[derive(Debug, Default)]
pub(super) struct State {
    buckets: HashMap<BucketId, Bucket>,
    /// By key.
    used: HashMap<usize, Used>,
    pub(super) cache: Cache,
}

/// Whose bucket. Keys and methods by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BucketId {
    /// A key's, for all methods.
    Key(usize),
    /// A key's, for one method.
    KeyAndMethod(usize, usize),
    /// A method's, for all keys.
    Method(usize),
}

impl Stage {
    pub(super) fn new(
        api: Api,
        deployment: u64,
        functions: Arc<dyn Functions>,
        clock: Arc<dyn Clock>,
        watchers: Vec<Watcher>,
    ) -> Self {
        Self {
            api,
            deployment_id: format!("d{deployment:05}"),
            functions,
            clock,
            watchers,
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Full buckets, unused quotas, an empty cache.
    pub(super) fn forget(&self) {
        *self.state() = State::default();
    }

    /// Tells everybody who watches how a request ended.
    pub(super) fn tell(&self, exchange: &Exchange) {
        if self.watchers.is_empty() {
            return;
        }
        let seen = Seen::of(exchange);
        for watcher in &self.watchers {
            watcher(&seen);
        }
    }
}

impl State {
    pub(super) fn take(&mut self, id: BucketId, limit: Limit, now: OffsetDateTime) -> bool {
        let bucket = self.buckets.entry(id);
        bucket
            .or_insert_with(|| Bucket::full(limit, now))
            .take(limit, now)
    }

    pub(super) fn used(&mut self, key: usize) -> &mut Used {
        self.used.entry(key).or_default()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("api", &self.api.id())
            .field("stage", &self.api.stage())
            .finish_non_exhaustive()
    }
}
