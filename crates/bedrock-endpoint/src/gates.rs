//! Gates: points in a scripted answer that wait until a test lets them pass.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::watch;

/// A handle to an endpoint's gates; cheap to clone. An opened gate stays open.
#[derive(Debug, Clone)]
pub struct Gates {
    open: Arc<watch::Sender<BTreeSet<String>>>,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            open: Arc::new(watch::Sender::new(BTreeSet::new())),
        }
    }
}

impl Gates {
    /// Lets everything behind the gate of that name pass.
    pub fn open(&self, name: &str) {
        self.open.send_modify(|open| {
            open.insert(name.to_owned());
        });
    }

    /// Returns when the gate of that name is open.
    pub async fn opened(&self, name: &str) {
        let mut open = self.open.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = open.wait_for(|open| open.contains(name)).await;
    }
}
