//! Lets go of connections on which nothing happens.
//!
//! hyper can time out heads, but sets and clears a timer for each request. Here one timer a connection
//! runs, and looks, when it ends, whether the connection was really quiet all that time.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// What a connection is doing.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests between the end of their head and the end of their answer.
    busy: usize,
    /// When the last of them ended; before the first, when the connection opened.
    quiet_since: Instant,
}

impl Default for Activity {
    fn default() -> Self {
        Self(Mutex::new(State {
            busy: 0,
            quiet_since: Instant::now(),
        }))
    }
}

impl Activity {
    /// The connection is busy until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.change(|state| state.busy += 1);
        Busy(Arc::clone(self))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Since when it waits for a head; `None` while it is busy.
    fn quiet_since(&self) -> Option<Instant> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.busy == 0).then_some(state.quiet_since)
    }
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.busy -= 1;
            state.quiet_since = Instant::now();
        });
    }
}

/// Ends when a connection has waited too long for a whole head.
#[derive(Debug)]
pub(crate) struct Idle {
    activity: Arc<Activity>,
    most: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Idle {
    pub(crate) fn new(activity: Arc<Activity>, most: Duration) -> Self {
        Self {
            activity,
            most,
            timer: None,
        }
    }

    /// Ready once it has.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let most = self.most;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + most)));
        loop {
            ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            let since = self.activity.quiet_since().unwrap_or(now);
            if since + most <= now {
                return Poll::Ready(());
            }
            timer.as_mut().reset(since + most);
        }
    }
}
