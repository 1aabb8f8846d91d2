//! The live events: what arrives, what it adds up to per exercise, and the stream to the browser.
//!
//! Two sources feed the [`Hub`]: the student's event log ([`crate::tail`]) and the emulator beside
//! the site. A page is rendered from the [`Board`] of its exercise, and names the last event it
//! knows; its stream goes on from there, so nothing is lost or counted twice in between.

mod board;
mod hub;
mod kept;
mod sse;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use workshop_runner::live::Event;

use crate::AppState;

pub(crate) use board::EMULATOR_TEST;
pub use board::{Board, Lit, Mark, Phase, Seen, Status, Usage};
pub use hub::{Hub, Subscription};
pub use sse::stream;

/// The board of requests that belong to no exercise: those sent to the emulator by hand.
pub const EMULATOR: &str = "";

/// Tells the hub of every request to the emulator beside the site, from this call on.
pub fn follow_emulator(state: AppState) -> impl Future<Output = ()> + Send {
    let entries = state.emulator().map(|endpoint| endpoint.subscribe());
    async move {
        if let Some(entries) = entries {
            pass_on(&state, entries).await;
        }
    }
}

/// Tells the hub of what lights diagrams beside them.
pub(crate) async fn follow_beside(state: AppState, mut entries: mpsc::Receiver<Value>) {
    while let Some(entry) = entries.recv().await {
        by_hand(&state, entry);
    }
}

async fn pass_on<E: Serialize>(state: &AppState, mut entries: broadcast::Receiver<Arc<E>>) {
    loop {
        match entries.recv().await {
            Ok(entry) => by_hand(state, serde_json::to_value(&*entry).unwrap_or_default()),
            // Missed entries are still in the emulator's journal, which its page shows.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn by_hand(state: &AppState, entry: Value) {
    state.hub().publish_event(&Event::Request {
        exercise: EMULATOR.to_owned(),
        test: EMULATOR_TEST.to_owned(),
        entry,
    });
}
