//! Tells when everything handed to a socket has left, and gives up on clients that neither read nor
//! write.
//!
//! A stream that is cut must first deliver the frames before the cut. hyper drops what it has
//! buffered when a body fails, so the body waits for the next completed flush and fails then.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::{
    sync::Notify,
    time::{Sleep, sleep},
};

use crate::idle::Idle;

/// An I/O object that notifies whenever a flush has completed.
pub(crate) struct Flushing<I> {
    io: I,
    flushed: Arc<Notify>,
    stall_max: Duration,
    /// Runs while the socket takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    idle: Idle,
}

impl<I> Flushing<I> {
    pub(crate) fn new(io: I, flushed: Arc<Notify>, stall_max: Duration, idle: Idle) -> Self {
        Self {
            io,
            flushed,
            stall_max,
            stalled: None,
            idle,
        }
    }

    /// Fails a write that has made no progress for too long.
    fn watched<T>(
        &mut self,
        wrote: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stalled = None;
            return wrote;
        }
        let stall_max = self.stall_max;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(stall_max)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<I: Read + Unpin> Read for Flushing<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if read.is_pending() && self.idle.poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<I: Write + Unpin> Write for Flushing<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.io).poll_write(cx, buf);
        self.watched(wrote, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.flushed.notify_waiters();
        }
        self.watched(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.watched(wrote, cx)
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// Writes `bytes` through a pipe that holds four.
    async fn write(stall_max: Duration, reads: bool) -> io::Result<()> {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let idle = Idle::new(Arc::default(), Duration::from_mins(1));
        let mut io = Flushing::new(TokioIo::new(ours), Arc::default(), stall_max, idle);
        let mut left: &[u8] = b"more than four";
        let writing = std::future::poll_fn(|cx| {
            while !left.is_empty() {
                match Pin::new(&mut io).poll_write(cx, left) {
                    Poll::Ready(Ok(n)) => left = &left[n..],
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(Ok(()))
        });
        let reading = async {
            let mut byte = [0];
            while reads && theirs.read_exact(&mut byte).await.is_ok() {}
            std::future::pending::<()>().await;
        };
        tokio::select! {
            wrote = writing => wrote,
            () = reading => unreachable!("it never ends"),
        }
    }

    #[tokio::test]
    async fn who_reads_nothing_is_let_go_and_who_reads_slowly_is_not() {
        let stalled = write(Duration::ZERO, false).await;
        assert_eq!(stalled.unwrap_err().kind(), io::ErrorKind::TimedOut);
        write(Duration::from_mins(1), true).await.unwrap();
    }
}
