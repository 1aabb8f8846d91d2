//! Stopping a check that is under way.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A handle to stop a check: the cargo it runs and the tests it runs end with it.
///
/// Clones are the same token. A cancelled token stays cancelled; take a new one for the next check.
#[derive(Clone, Default)]
pub struct CancelToken {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    cancelled: bool,
    next: u64,
    hooks: BTreeMap<u64, Box<dyn Fn() + Send>>,
}

impl CancelToken {
    /// A token that nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops everything that runs under this token, now and in future.
    pub fn cancel(&self) {
        let mut shared = self.lock();
        shared.cancelled = true;
        for hook in std::mem::take(&mut shared.hooks).into_values() {
            hook();
        }
    }

    /// Whether somebody has cancelled it.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Calls `hook` once on cancellation (at once if that has happened) until the answer is
    /// dropped. The hook runs under the token's lock, so it must not touch the token.
    pub(crate) fn on_cancel(&self, hook: impl Fn() + Send + 'static) -> OnCancel {
        let mut shared = self.lock();
        let key = shared.next;
        shared.next += 1;
        if shared.cancelled {
            hook();
        } else {
            shared.hooks.insert(key, Box::new(hook));
        }
        OnCancel {
            token: self.clone(),
            key,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// Keeps a hook registered.
#[must_use = "the hook is gone when this is dropped"]
pub(crate) struct OnCancel {
    token: CancelToken,
    key: u64,
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        self.token.lock().hooks.remove(&self.key);
    }
}
