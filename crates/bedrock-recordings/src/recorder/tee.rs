//! A body that passes through, with a note of each part and its time.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bedrock_emulator::wire::{Body, Due, End, Frame};
use bytes::{Bytes, BytesMut};
use hyper::body::{Body as HttpBody, Frame as HttpFrame, Incoming, SizeHint};

use crate::stream;

/// What passed.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Until the answer's head had come.
    begun: Duration,
    /// Each part with the time since the request left.
    parts: Vec<(Duration, Bytes)>,
    end: Ended,
}

#[derive(Debug, Default, PartialEq)]
enum Ended {
    /// The client took no more.
    #[default]
    Abandoned,
    Clean,
    /// The other side broke off.
    Cut,
}

impl Taken {
    /// As a recording has it; `None` if the client left, so that nobody knows the rest.
    pub(super) fn into_body(self) -> Option<Body> {
        let mut whole = BytesMut::new();
        for (_, part) in &self.parts {
            whole.extend_from_slice(part);
        }
        let whole = whole.freeze();
        let end = match self.end {
            Ended::Abandoned => return None,
            Ended::Clean => End::Clean,
            Ended::Cut => End::Cut,
        };
        let messages = stream::messages(&whole).filter(|messages| !messages.is_empty());
        let Some(messages) = messages else {
            return Some(match end {
                End::Clean => Body::Whole {
                    due: Due::After(self.begun),
                    bytes: whole,
                },
                End::Cut => Body::Disconnect {
                    due: Due::After(self.begun),
                },
            });
        };
        // A message came when its last byte had come.
        let mut arrivals = self.parts.into_iter();
        let (mut arrived, mut at) = (0, self.begun);
        let mut end_of_message = 0;
        let frames = messages.into_iter().map(|bytes| {
            end_of_message += bytes.len();
            while arrived < end_of_message
                && let Some((time, part)) = arrivals.next()
            {
                (arrived, at) = (arrived + part.len(), time);
            }
            Frame {
                due: Due::After(at),
                bytes,
            }
        });
        Some(Body::Frames {
            frames: frames.collect(),
            end,
        })
    }
}

type Done = Box<dyn FnOnce(Taken) + Send + Sync>;

/// The body.
pub(super) struct Tee {
    body: Incoming,
    started: Instant,
    taken: Taken,
    done: Option<Done>,
}

impl Tee {
    pub(super) fn new(
        body: Incoming,
        started: Instant,
        done: impl FnOnce(Taken) + Send + Sync + 'static,
    ) -> Self {
        let mut tee = Self {
            taken: Taken {
                begun: started.elapsed(),
                ..Taken::default()
            },
            done: Some(Box::new(done)),
            body,
            started,
        };
        tee.look_for_the_end();
        tee
    }

    /// Nobody polls a body that says it has ended.
    fn look_for_the_end(&mut self) {
        if self.body.is_end_stream() {
            self.finish(Ended::Clean);
        }
    }

    fn finish(&mut self, end: Ended) {
        if let Some(done) = self.done.take() {
            self.taken.end = end;
            done(std::mem::take(&mut self.taken));
        }
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        self.finish(Ended::Abandoned);
    }
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let part = (self.started.elapsed(), data.clone());
                    self.taken.parts.push(part);
                }
                self.look_for_the_end();
            }
            Some(Err(_)) => self.finish(Ended::Cut),
            None => self.finish(Ended::Clean),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
