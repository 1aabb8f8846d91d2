//! `GET /_workshop/events`: the journal as it grows, as server-sent events.
//!
//! A reader that is too slow misses requests and is told how many; nobody waits for it.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, time::Duration};

use bedrock_emulator::{Emulator, journal::Entry};
use bytes::Bytes;
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    mpsc,
};

use crate::serve::Shared;

/// Comments keep proxies and readers from believing that nobody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that wait for a slow reader, beside those in the endpoint's own channel.
const BUFFERED: usize = 32;

/// Begins a feed: first what the journal holds after `after`, then what happens.
pub(crate) fn feed(
    shared: &Shared,
    after: Option<u64>,
    account: Option<String>,
) -> mpsc::Receiver<Bytes> {
    let (out, body) = mpsc::channel(BUFFERED);
    // Before the journal is read: a request that is answered in between comes twice, not never.
    let entries = shared.subscribe();
    let emulator = Arc::clone(&shared.emulator);
    tokio::spawn(async move {
        // An error means that the reader is gone.
        let _ = run(&emulator, entries, after, account, &out).await;
    });
    body
}

async fn run(
    emulator: &Arc<Emulator>,
    mut entries: Receiver<Arc<Entry>>,
    after: Option<u64>,
    account: Option<String>,
    out: &mpsc::Sender<Bytes>,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    out.send(Bytes::from_static(b": the journal as it grows\n\n"))
        .await?;
    let mut told = BTreeSet::new();
    let missed = after.map(|after| emulator.entries_after(after, account.as_deref()));
    for entry in missed.into_iter().flatten() {
        told.insert(entry.seq);
        out.send(events(&entry)).await?;
    }
    loop {
        let next = tokio::select! {
            next = entries.recv() => next,
            () = tokio::time::sleep(KEEP_ALIVE) => {
                out.send(Bytes::from_static(b": keep-alive\n\n")).await?;
                continue;
            }
            () = out.closed() => return Ok(()),
        };
        match next {
            Ok(entry) => {
                let theirs = account.as_ref().is_none_or(|id| *id == entry.account);
                if theirs && !told.remove(&entry.seq) {
                    out.send(events(&entry)).await?;
                }
            }
            Err(RecvError::Lagged(missed)) => {
                let text = format!("event: lagged\ndata: {{\"missed\":{missed}}}\n\n");
                out.send(text.into()).await?;
            }
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// The request, then each node and edge that it lit. Only the request carries an id: a reader that
/// comes back has either seen all of a request or none of it.
fn events(entry: &Entry) -> Bytes {
    let mut text = String::new();
    for lit in &entry.trace {
        let data = serde_json::to_string(lit).unwrap_or_default();
        let _ = write!(text, "event: trace\ndata: {data}\n\n");
    }
    let data = serde_json::to_string(entry).unwrap_or_default();
    let _ = write!(text, "id: {}\nevent: request\ndata: {data}\n\n", entry.seq);
    text.into()
}
