//! From what a process prints to lines of its log.
//!
//! Standard output and standard error share one pipe, so that their order is kept. Whoever finishes
//! an invocation reads the pipe to its end first ([`LogStream::catch_up`]): what the function
//! printed before it answered stands before END, every time.

use std::{
    fmt,
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::{OffsetDateTime, format_description::well_known::Iso8601};

use crate::Clock;

/// The longest line; a longer one is cut in pieces (CloudWatch Logs' long-standing event limit).
const LINE_MAX: usize = 256 * 1024;

/// The most that one `catch_up` reads: more than a pipe holds, so that everything written before is
/// read, and not without end when a process prints without end.
const CATCH_UP_MAX: usize = 1024 * 1024;

/// One line of a function's log, without its line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// `/aws/lambda/<function>`.
    pub group: Arc<str>,
    /// One stream per execution environment.
    pub stream: Arc<str>,
    /// When it was read.
    pub time: OffsetDateTime,
    /// The line.
    pub message: String,
    /// The invocation it belongs to; `None` during initialization and between invocations.
    pub request_id: Option<Arc<str>>,
}

/// Sees every line of every function, in the order of each stream. It must return quickly and must
/// not call the host.
#[derive(Clone, Default)]
pub struct LogSink(Option<Arc<See>>);

type See = dyn Fn(&LogEvent) + Send + Sync;

impl<F: Fn(&LogEvent) + Send + Sync + 'static> From<F> for LogSink {
    fn from(see: F) -> Self {
        Self(Some(Arc::new(see)))
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogSink").field(&self.0.is_some()).finish()
    }
}

/// The log stream of one environment.
#[derive(Debug)]
pub(crate) struct LogStream {
    group: Arc<str>,
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    sink: LogSink,
    /// How much of what one invocation prints is kept.
    output_max: usize,
    state: Mutex<State>,
}

/// How much of a process's output has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caught {
    /// All of it.
    All,
    /// A good part.
    More,
    /// All there will ever be.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    pipe: Option<Pipe>,
    /// The beginning of a line.
    partial: Vec<u8>,
    request_id: Option<Arc<str>>,
    lines: Vec<LogEvent>,
    printed: usize,
}

impl LogStream {
    pub(crate) fn new(
        group: &str,
        name: &str,
        clock: Arc<dyn Clock>,
        sink: LogSink,
        output_max: usize,
    ) -> Self {
        Self {
            group: group.into(),
            name: name.into(),
            clock,
            sink,
            output_max,
            state: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What follows belongs to this invocation.
    pub(crate) fn begin(&self, request_id: &Arc<str>) {
        let mut state = self.lock();
        self.read(&mut state);
        self.flush(&mut state);
        state.request_id = Some(Arc::clone(request_id));
    }

    /// One of Lambda's own lines, after everything the process has printed so far.
    pub(crate) fn platform(&self, message: String) {
        let mut state = self.lock();
        self.read(&mut state);
        self.flush(&mut state);
        self.push(&mut state, message);
    }

    /// Ends the invocation and gives its lines, those of its initialization included.
    pub(crate) fn end(&self) -> Vec<LogEvent> {
        let mut state = self.lock();
        state.request_id = None;
        state.printed = 0;
        std::mem::take(&mut state.lines)
    }

    /// The process of this stream prints here from now on.
    pub(crate) fn attach(&self, pipe: Option<Pipe>) {
        let mut state = self.lock();
        self.read(&mut state);
        self.flush(&mut state);
        state.pipe = pipe;
    }

    /// Reads what the process has printed.
    pub(crate) fn catch_up(&self) -> Caught {
        let mut state = self.lock();
        self.read(&mut state)
    }

    /// The state is only ever held for a few reads and the sink's look, never across an await.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, state: &mut State) -> Caught {
        let mut chunk = [0; 16 * 1024];
        let mut seen = 0;
        while seen < CATCH_UP_MAX {
            let Some(pipe) = &mut state.pipe else {
                return Caught::Closed;
            };
            match pipe.read(&mut chunk) {
                Ok(0) => {
                    state.pipe = None;
                    self.flush(state);
                    return Caught::Closed;
                }
                Ok(length) => {
                    seen += length;
                    self.take(state, &chunk[..length]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Caught::All,
            }
        }
        Caught::More
    }

    fn take(&self, state: &mut State, mut printed: &[u8]) {
        while !printed.is_empty() {
            let line = printed.iter().position(|byte| *byte == b'\n');
            let room = LINE_MAX - state.partial.len();
            let end = line.unwrap_or(printed.len()).min(room);
            state.partial.extend_from_slice(&printed[..end]);
            printed = &printed[end..];
            if printed.first() == Some(&b'\n') {
                printed = &printed[1..];
                self.print(state);
            } else if state.partial.len() == LINE_MAX {
                self.print(state);
            }
        }
    }

    fn flush(&self, state: &mut State) {
        if !state.partial.is_empty() {
            self.print(state);
        }
    }

    /// A line of the process's own, as long as there is room for it.
    fn print(&self, state: &mut State) {
        let line = std::mem::take(&mut state.partial);
        let before = state.printed;
        state.printed = before.saturating_add(line.len() + 1);
        if state.printed <= self.output_max {
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            self.push(state, String::from_utf8_lossy(line).into_owned());
        } else if before <= self.output_max {
            // Marked as over, so that the note stands once.
            state.printed = usize::MAX;
            let max = self.output_max;
            self.push(
                state,
                format!("[lambda-host] what this invocation prints beyond {max} bytes is dropped"),
            );
        }
    }

    fn push(&self, state: &mut State, message: String) {
        let event = LogEvent {
            group: Arc::clone(&self.group),
            stream: Arc::clone(&self.name),
            time: self.clock.now(),
            message,
            request_id: state.request_id.clone(),
        };
        if let Some(see) = &self.sink.0 {
            see(&event);
        }
        state.lines.push(event);
    }

    /// The time of day as Lambda writes it into a line: `2026-11-22T12:00:00.000Z`.
    pub(crate) fn timestamp(&self) -> String {
        use time::format_description::well_known::iso8601::{Config, TimePrecision};
        const MILLIS: u128 = Config::DEFAULT
            .set_time_precision(TimePrecision::Second {
                decimal_digits: std::num::NonZeroU8::new(3),
            })
            .encode();
        let now = self.clock.now();
        now.format(&Iso8601::<MILLIS>).unwrap_or_default()
    }
}

/// Our end of a process's output, which never blocks.
#[derive(Debug)]
pub(crate) struct Pipe(Source);

#[cfg(unix)]
type Source = std::fs::File;

/// Filled by a thread.
#[cfg(not(unix))]
type Source = std::sync::mpsc::Receiver<Vec<u8>>;

impl Pipe {
    #[cfg(unix)]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }

    #[cfg(not(unix))]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        use std::sync::mpsc::TryRecvError;
        match self.0.try_recv() {
            Ok(chunk) => {
                into[..chunk.len()].copy_from_slice(&chunk);
                Ok(chunk.len())
            }
            Err(TryRecvError::Empty) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryRecvError::Disconnected) => Ok(0),
        }
    }
}

/// Makes the pipe of a process that is about to start: the end it writes to, and the task that
/// reads ours whenever there is something.
#[cfg(unix)]
pub(crate) fn pipe(
    stream: &Arc<LogStream>,
) -> io::Result<(io::PipeWriter, impl Future<Output = ()> + use<>)> {
    use std::os::fd::OwnedFd;
    use tokio::net::unix::pipe::Receiver;

    let (reader, writer) = io::pipe()?;
    let reader = OwnedFd::from(reader);
    let ours = reader.try_clone()?;
    // Switches the pipe to non-blocking, for both descriptors. It only tells when there is something:
    // `catch_up` must not depend on whether tokio has heard of it yet.
    let watched = Receiver::from_owned_fd(reader)?;
    stream.attach(Some(Pipe(ours.into())));
    let stream = Arc::clone(stream);
    let follow = async move {
        let mut caught = Caught::More;
        while caught != Caught::Closed && watched.readable().await.is_ok() {
            // Readiness is cleared by `WouldBlock`, unless more came while we read.
            let _ = watched.try_io(|| {
                caught = stream.catch_up();
                match caught {
                    Caught::All => Err(io::ErrorKind::WouldBlock.into()),
                    Caught::More | Caught::Closed => Ok(()),
                }
            });
            tokio::task::yield_now().await;
        }
    };
    Ok((writer, follow))
}

#[cfg(not(unix))]
pub(crate) fn pipe(
    stream: &Arc<LogStream>,
) -> io::Result<(io::PipeWriter, impl Future<Output = ()> + use<>)> {
    let (mut reader, writer) = io::pipe()?;
    let (chunks, source) = std::sync::mpsc::sync_channel(64);
    stream.attach(Some(Pipe(source)));
    let woken = Arc::new(tokio::sync::Notify::new());
    let wake = Arc::clone(&woken);
    std::thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut chunk) {
            if chunks.send(chunk[..length].to_vec()).is_err() {
                break;
            }
            wake.notify_one();
        }
        drop(chunks);
        wake.notify_one();
    });
    let stream = Arc::clone(stream);
    let follow = async move {
        loop {
            woken.notified().await;
            if stream.catch_up() == Caught::Closed {
                break;
            }
        }
    };
    Ok((writer, follow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    fn stream(output_max: usize) -> LogStream {
        LogStream::new(
            "/aws/lambda/f",
            "s",
            Arc::new(SystemClock),
            LogSink::default(),
            output_max,
        )
    }

    fn messages(stream: &LogStream) -> Vec<String> {
        stream.end().into_iter().map(|e| e.message).collect()
    }

    fn print(stream: &LogStream, text: &[u8]) {
        stream.take(&mut stream.lock(), text);
    }

    #[test]
    fn pieces_become_lines_and_the_last_one_needs_no_line_feed() {
        let stream = stream(1000);
        print(&stream, b"on");
        print(&stream, b"e\ntwo\r\n\nfo");
        print(&stream, b"ur");
        stream.platform("END".to_owned());
        assert_eq!(messages(&stream), ["one", "two", "", "four", "END"]);
    }

    #[test]
    fn a_long_line_is_cut_and_what_is_no_utf8_is_replaced() {
        let stream = stream(usize::MAX - 1);
        print(&stream, &vec![b'x'; LINE_MAX + 3]);
        print(&stream, b"\n\xff\n");
        let lengths: Vec<usize> = messages(&stream).iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_MAX, 3, 3]);
    }

    #[test]
    fn output_is_bounded_once_per_invocation_and_platform_lines_always_stand() {
        let stream = stream(10);
        print(&stream, b"12345678\nxxx\nyyy\n");
        stream.platform("END".to_owned());
        let lines = messages(&stream);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].contains("beyond 10 bytes"), "{lines:?}");
        print(&stream, b"next\n");
        assert_eq!(messages(&stream), ["next"]);
    }
}
