//! Gates: points in a scripted answer that wait until a test lets them pass.
//!
//! The configured account's gates have the names of its script; those of another account begin with
//! its id and a slash.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// A handle to an endpoint's gates; cheap to clone. An opened gate stays open until it is closed.
#[derive(Debug, Clone)]
pub struct Gates {
    open: Arc<watch::Sender<BTreeSet<String>>>,
    waiting: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// Whether what comes to it passes.
    pub open: bool,
    /// How many answers wait at it now.
    pub waiting: usize,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            open: Arc::new(watch::Sender::new(BTreeSet::new())),
            waiting: Arc::default(),
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

    /// What comes to the gate of that name from now on waits again.
    pub fn close(&self, name: &str) {
        self.open.send_modify(|open| {
            open.remove(name);
        });
    }

    /// Closes all gates whose name fits.
    pub(crate) fn close_where(&self, fits: impl Fn(&str) -> bool) {
        self.open
            .send_modify(|open| open.retain(|name| !fits(name)));
    }

    /// Every gate that is open or waited at.
    pub fn list(&self) -> Vec<Gate> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.open.borrow();
        let names: BTreeSet<&String> = open.iter().chain(waiting.keys()).collect();
        let gates = names.into_iter().map(|name| Gate {
            name: name.clone(),
            open: open.contains(name),
            waiting: waiting.get(name).copied().unwrap_or_default(),
        });
        gates.collect()
    }

    /// Returns when the gate of that name is open.
    pub async fn opened(&self, name: &str) {
        let mut open = self.open.subscribe();
        let _waiting = Waiting::at(self, name);
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = open.wait_for(|open| open.contains(name)).await;
    }
}

/// Somebody waits at a gate, until this is dropped.
struct Waiting<'g> {
    gates: &'g Gates,
    name: &'g str,
}

impl<'g> Waiting<'g> {
    fn at(gates: &'g Gates, name: &'g str) -> Self {
        let waiting = Self { gates, name };
        waiting.count(|n| n + 1);
        waiting
    }

    fn count(&self, change: impl Fn(usize) -> usize) {
        let waiting = &self.gates.waiting;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let n = waiting.entry(self.name.to_owned()).or_default();
        *n = change(*n);
        if *n == 0 {
            waiting.remove(self.name);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count(|n| n - 1);
    }
}
