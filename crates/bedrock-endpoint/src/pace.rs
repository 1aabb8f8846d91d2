//! Response bodies whose parts leave when they are due.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bedrock_emulator::wire::{Due, End, Frame};
use bytes::Bytes;
use hyper::body::{Body, Frame as HttpFrame, SizeHint};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, Sleep, sleep_until},
};

use crate::{Gates, idle::Busy, serve::InFlight};

/// When a request arrived (or the last of its gates opened), and what opens its gates.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) since: Instant,
    pub(crate) gates: Gates,
}

impl Clock {
    /// Returns when that moment has come, with the moment that what follows counts from.
    pub(crate) async fn wait(self, due: Due) -> Instant {
        let mut since = self.since;
        let (gates, after) = match due {
            Due::After(after) => (Vec::new(), after),
            Due::Gates(gates, after) => (gates, after),
            Due::Never => std::future::pending().await,
        };
        for gate in gates {
            until(since + gate.after).await;
            self.gates.opened(&gate.name).await;
            since = Instant::now();
        }
        until(since + after).await;
        since
    }
}

/// Sleeps until then; not at all when that is past, where tokio would still wait for the next
/// millisecond.
async fn until(moment: Instant) {
    if moment > Instant::now() {
        sleep_until(moment).await;
    }
}

/// How a body that is cut waits until what came before the cut has left.
#[derive(Debug, Clone)]
pub(crate) struct Departure {
    /// Notified by the connection after each flush.
    pub(crate) flushed: Arc<Notify>,
    /// Extra time for HTTP/2, where the frames are written by another task than the one that
    /// polls the body: a flush may have begun before it saw the last frame.
    pub(crate) settle: Duration,
}

impl Departure {
    async fn wait(self) -> Instant {
        self.flushed.notified().await;
        if !self.settle.is_zero() {
            tokio::time::sleep(self.settle).await;
        }
        Instant::now()
    }
}

type Wait = Pin<Box<dyn Future<Output = Instant> + Send>>;

/// A frame that is not due yet.
struct Next {
    bytes: Bytes,
    /// What it waits for beside the timer.
    wait: Option<Wait>,
}

/// The body of one response.
pub(crate) struct Paced {
    whole: Option<Bytes>,
    frames: std::vec::IntoIter<Frame>,
    /// A frame that is not due yet.
    next: Option<Next>,
    /// One for all frames: most of them wait for nothing but the time.
    timer: Option<Pin<Box<Sleep>>>,
    /// The wait before a cut; `None` once the stream ends cleanly.
    cut: Option<Wait>,
    clock: Clock,
    /// Frames that are still being made.
    live: Option<mpsc::Receiver<Bytes>>,
    /// Dropped with the body: sent to the end, or the client is gone.
    _in_flight: Option<InFlight>,
    /// The same for the connection.
    busy: Option<Busy>,
}

impl Paced {
    /// A body that leaves at once.
    pub(crate) fn whole(bytes: Bytes, clock: Clock, in_flight: Option<InFlight>) -> Self {
        Self {
            whole: Some(bytes).filter(|b| !b.is_empty()),
            frames: Vec::new().into_iter(),
            next: None,
            timer: None,
            cut: None,
            clock,
            live: None,
            _in_flight: in_flight,
            busy: None,
        }
    }

    /// As long as it is there, its connection is not idle.
    pub(crate) fn keep_busy(&mut self, busy: Busy) {
        self.busy = Some(busy);
    }

    /// A body of messages that are still being made, each sent at once.
    pub(crate) fn live(
        frames: mpsc::Receiver<Bytes>,
        clock: Clock,
        in_flight: Option<InFlight>,
    ) -> Self {
        Self {
            live: Some(frames),
            ..Self::whole(Bytes::new(), clock, in_flight)
        }
    }

    /// A body of event-stream messages, one HTTP chunk or DATA frame each.
    pub(crate) fn frames(
        frames: Vec<Frame>,
        end: End,
        departure: Departure,
        clock: Clock,
        in_flight: InFlight,
    ) -> Self {
        let cut = match end {
            End::Clean => None,
            End::Cut => Some(Box::pin(departure.wait()) as Wait),
        };
        Self {
            whole: None,
            frames: frames.into_iter(),
            next: None,
            timer: None,
            cut,
            clock,
            live: None,
            _in_flight: Some(in_flight),
            busy: None,
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if let Some(live) = &mut this.live {
            let frame = ready!(live.poll_recv(cx));
            return Poll::Ready(frame.map(|bytes| Ok(HttpFrame::data(bytes))));
        }
        if let Some(bytes) = this.whole.take() {
            return Poll::Ready(Some(Ok(HttpFrame::data(bytes))));
        }
        if this.next.is_none()
            && let Some(frame) = this.frames.next()
        {
            let wait: Option<Wait> = match frame.due {
                Due::After(delay) => {
                    let moment = this.clock.since + delay;
                    if moment <= Instant::now() {
                        return Poll::Ready(Some(Ok(HttpFrame::data(frame.bytes))));
                    }
                    match &mut this.timer {
                        Some(timer) => timer.as_mut().reset(moment),
                        timer => *timer = Some(Box::pin(sleep_until(moment))),
                    }
                    None
                }
                due => Some(Box::pin(this.clock.clone().wait(due))),
            };
            let bytes = frame.bytes;
            this.next = Some(Next { bytes, wait });
        }
        if let Some(next) = &mut this.next {
            match (&mut next.wait, &mut this.timer) {
                (Some(wait), _) => this.clock.since = ready!(wait.as_mut().poll(cx)),
                (None, Some(timer)) => ready!(timer.as_mut().poll(cx)),
                (None, None) => {}
            }
            let bytes = std::mem::take(&mut next.bytes);
            this.next = None;
            return Poll::Ready(Some(Ok(HttpFrame::data(bytes))));
        }
        if let Some(wait) = &mut this.cut {
            ready!(wait.as_mut().poll(cx));
            this.cut = None;
            return Poll::Ready(Some(Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "the script cuts the stream here",
            ))));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        if self.live.is_some() {
            return false;
        }
        self.whole.is_none()
            && self.next.is_none()
            && self.cut.is_none()
            && self.frames.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.whole {
            Some(bytes) => SizeHint::with_exact(bytes.len() as u64),
            None if self.is_end_stream() => SizeHint::with_exact(0),
            None => SizeHint::default(),
        }
    }
}
