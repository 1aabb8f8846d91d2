//! `GET /events`: the stream to the browser.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use super::{Subscription, hub::Message};
use crate::{AppState, presence::Here};

/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// A comment this often keeps the connection from looking dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where the page stands; a browser that connects again sends `Last-Event-ID` itself.
#[derive(Debug, Deserialize)]
pub struct From {
    after: Option<String>,
    /// The exercise that the page shows.
    exercise: Option<String>,
}

/// Streams messages from the place asked for. `reset` means: load the page anew.
pub async fn stream(
    State(state): State<AppState>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let subscription = state.hub().subscribe(resumed.or(from.after.as_deref()));
    let hello = Event::default().comment("connected").retry(RETRY);
    let here = from.exercise.and_then(|id| Here::enter(&state, &id));
    let messages = stream::unfold((subscription, here), async |(at, here)| {
        let (message, at) = next(at).await?;
        Some((message, (at, here)))
    });
    let stream = stream::StreamExt::chain(stream::iter([Ok(hello)]), messages);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn next(mut at: Subscription) -> Option<(Result<Event, Infallible>, Subscription)> {
    if std::mem::take(&mut at.gap) {
        return Some((Ok(reset()), at));
    }
    if let Some(message) = at.backlog.pop_front() {
        return Some((Ok(event(&message)), at));
    }
    let closed = async {
        // An error means that the hub is gone, which ends the stream as well.
        let _ = at.closed.wait_for(|closed| *closed).await;
    };
    let received = tokio::select! {
        () = closed => return None,
        received = at.live.recv() => received,
    };
    match received {
        Ok(message) => Some((Ok(event(&message)), at)),
        Err(RecvError::Lagged(_)) => Some((Ok(reset()), at)),
        Err(RecvError::Closed) => None,
    }
}

fn event(message: &Message) -> Event {
    Event::default()
        .id(&message.id)
        .event(message.name)
        .data(&message.data)
}

fn reset() -> Event {
    Event::default().event("reset").data("{}")
}
