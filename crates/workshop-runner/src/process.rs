//! Running one program within bounds: time, output, cancellation; nothing left behind.
//!
//! Every program gets a process group of its own. Where a [guard](mod@crate::guard) is available the
//! program runs below it; the guard's standard input is a pipe that only we hold, so the program
//! ends with us however we end.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Read, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{CancelToken, guard};

/// What a test process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From start to end; after that it is stopped.
    pub wall: Duration,
    /// Bytes of standard output, and of standard error; after that it is stopped.
    pub output_bytes: usize,
    /// Largest file it may write, in bytes (Linux and macOS, with the guard).
    pub file_bytes: u64,
    /// Memory it may ask for, in bytes (Linux, with the guard).
    pub memory_bytes: u64,
    /// Processes and threads it may add to those the user already runs (with the guard; the
    /// system does not count root's).
    pub processes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(10),
            output_bytes: 64 * 1024,
            file_bytes: 256 * 1024 * 1024,
            memory_bytes: 4 * 1024 * 1024 * 1024,
            processes: 256,
        }
    }
}

/// A program to run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) cwd: PathBuf,
    /// `None` removes the variable.
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    /// The guard executable and what it shall enforce.
    pub(crate) guard: Option<(PathBuf, guard::Rules)>,
    /// What it reads; a guarded program reads nothing, since the guard's own input is its leash.
    pub(crate) input: Vec<u8>,
}

/// How a bounded program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) how: How,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// When the standard output had how many bytes.
    pub(crate) marks: Vec<(usize, Duration)>,
    pub(crate) elapsed: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By itself.
    Exited(ExitStatus),
    /// We stopped it: too long.
    TimedOut,
    /// We stopped it: too much output.
    Flooded(Stream),
    /// We stopped it: the token.
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

enum Message {
    Exited,
    Flooded(Stream),
    Closed,
    Cancelled,
}

impl Program {
    /// With more arguments.
    pub(crate) fn with(mut self, args: impl IntoIterator<Item = OsString>) -> Self {
        self.args.extend(args);
        self
    }

    fn command(&self) -> Command {
        let mut command = if let Some((guard, rules)) = &self.guard {
            let mut command = Command::new(guard);
            command.args(rules.to_args()).arg(&self.path);
            command.stdin(Stdio::piped());
            command
        } else {
            let mut command = Command::new(&self.path);
            command.stdin(if self.input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            });
            command
        };
        command
            .args(&self.args)
            .current_dir(&self.cwd)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        own_group(&mut command);
        command
    }

    /// Runs it to its end, or to the first limit it meets.
    pub(crate) fn run(&self, limits: &Limits, cancel: &CancelToken) -> io::Result<Ended> {
        let started = Instant::now();
        let mut running = Running::start(self.command())?;
        if self.guard.is_none() {
            running.feed(&self.input);
        }
        let (tell, messages) = mpsc::channel();
        let stdout = collect(
            running.child.stdout.take(),
            Stream::Stdout,
            limits.output_bytes,
            started,
            &tell,
        );
        let stderr = collect(
            running.child.stderr.take(),
            Stream::Stderr,
            limits.output_bytes,
            started,
            &tell,
        );
        running.tell_exit(tell.clone());
        let _hook = cancel.on_cancel({
            let tell = Mutex::new(tell);
            move || {
                let tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
                // Nobody listens any more when the program has just ended by itself.
                let _ = tell.send(Message::Cancelled);
            }
        });

        let mut open = 2;
        let how = loop {
            let left = limits.wall.saturating_sub(started.elapsed());
            match messages.recv_timeout(left) {
                Ok(Message::Exited) => break None,
                Ok(Message::Closed) => open -= 1,
                Ok(Message::Flooded(stream)) => break Some(How::Flooded(stream)),
                Ok(Message::Cancelled) => break Some(How::Cancelled),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    break Some(How::TimedOut);
                }
            }
        };
        let elapsed = started.elapsed();
        let status = running.finish(how.is_some())?;
        // What was written before the end may still be in the pipes. A process that escaped and
        // holds them open does not get to hold us.
        let drained = Instant::now() + Duration::from_millis(300);
        while open > 0 {
            match messages.recv_timeout(drained.saturating_duration_since(Instant::now())) {
                Ok(Message::Closed) => open -= 1,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let (stdout, stderr) = (take(&stdout), take(&stderr));
        Ok(Ended {
            how: how.unwrap_or(How::Exited(status)),
            stdout: stdout.bytes,
            marks: stdout.marks,
            stderr: stderr.bytes,
            elapsed,
        })
    }

    /// Runs it without limits, giving each line as it comes; `None` when it was cancelled.
    pub(crate) fn stream(
        &self,
        cancel: &CancelToken,
        on_line: &mut dyn FnMut(Stream, String),
    ) -> io::Result<Option<ExitStatus>> {
        let mut running = Running::start(self.command())?;
        let (tell, lines) = mpsc::channel();
        let stdout = read_lines(running.child.stdout.take(), Stream::Stdout, tell.clone());
        let stderr = read_lines(running.child.stderr.take(), Stream::Stderr, tell.clone());
        let _hook = cancel.on_cancel({
            let tell = Mutex::new(tell);
            move || {
                let tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = tell.send(None);
            }
        });
        let mut open = 2;
        while open > 0 {
            match lines.recv() {
                Ok(Some((stream, Some(line)))) => on_line(stream, line),
                Ok(Some((_, None))) => open -= 1,
                Ok(None) => {
                    running.finish(true)?;
                    return Ok(None);
                }
                Err(_) => break,
            }
        }
        // Both ends are closed; joining cannot wait for anything.
        for reader in [stdout, stderr].into_iter().flatten() {
            let _ = reader.join();
        }
        running.finish(false).map(Some)
    }
}

/// A started child; ended, with its group, when dropped.
struct Running {
    child: Child,
    /// Closing it tells the guard to end everything.
    leash: Option<ChildStdin>,
    reaped: bool,
}

impl Running {
    fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let leash = child.stdin.take();
        Ok(Self {
            child,
            leash,
            reaped: false,
        })
    }

    /// Writes its input and closes it, on a thread: a program that does not read must not hold us.
    fn feed(&mut self, input: &[u8]) {
        if let Some(mut stdin) = self.leash.take() {
            let input = input.to_vec();
            // A program that ends before it has read all has its reasons.
            thread::spawn(move || stdin.write_all(&input));
        }
    }

    /// Sends [`Message::Exited`] when the child is over, leaving it to be reaped by
    /// [`Running::finish`]: as long as it is not reaped its number cannot be given to another.
    #[cfg(unix)]
    fn tell_exit(&self, tell: Sender<Message>) {
        let pid = self.pid();
        thread::spawn(move || {
            use rustix::process::{WaitId, WaitIdOptions, waitid};
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
            let _ = tell.send(Message::Exited);
        });
    }

    /// Without `waitid` the standard output's end is the best sign; the deadline covers the rest.
    #[cfg(not(unix))]
    fn tell_exit(&mut self, tell: Sender<Message>) {
        let _ = tell;
    }

    #[cfg(unix)]
    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Reaps the child; ends its group first when it has to be stopped.
    fn finish(&mut self, stop: bool) -> io::Result<ExitStatus> {
        if stop {
            self.stop();
        } else if self.leash.is_none() {
            self.end_group();
        }
        let status = self.child.wait();
        self.reaped = true;
        status
    }

    #[cfg(unix)]
    fn stop(&mut self) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        if self.leash.take().is_some() {
            // The guard ends what it started and then itself. If it cannot (somebody stopped it),
            // its group is ended without it.
            let pid = self.pid();
            let over = Instant::now() + Duration::from_secs(4);
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
            while Instant::now() < over {
                match waitid(WaitId::Pid(pid), options) {
                    Ok(None) => thread::sleep(Duration::from_millis(2)),
                    _ => return,
                }
            }
        }
        self.end_group();
    }

    #[cfg(unix)]
    fn end_group(&self) {
        // Gone already is what we want.
        let _ = rustix::process::kill_process_group(self.pid(), rustix::process::Signal::KILL);
    }

    #[cfg(not(unix))]
    fn stop(&mut self) {
        self.end_group();
    }

    /// Other systems have no process groups: the child itself is ended.
    #[cfg(not(unix))]
    fn end_group(&mut self) {
        let _ = self.child.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.finish(true);
        }
    }
}

/// A process group of its own: ending it ends its children, and Ctrl-C in the terminal reaches
/// only us.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    marks: Vec<(usize, Duration)>,
}

/// Reads a stream up to `limit` bytes, on a thread of its own.
fn collect(
    stream: Option<impl Read + Send + 'static>,
    which: Stream,
    limit: usize,
    started: Instant,
    tell: &Sender<Message>,
) -> Arc<Mutex<Collected>> {
    let collected = Arc::new(Mutex::new(Collected::default()));
    let (into, tell) = (Arc::clone(&collected), tell.clone());
    thread::spawn(move || {
        if let Some(mut stream) = stream {
            let mut chunk = [0; 8192];
            while let Ok(n @ 1..) = stream.read(&mut chunk) {
                let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
                let room = limit - into.bytes.len();
                into.bytes.extend_from_slice(&chunk[..n.min(room)]);
                let mark = (into.bytes.len(), started.elapsed());
                into.marks.push(mark);
                if n > room {
                    let _ = tell.send(Message::Flooded(which));
                    break;
                }
            }
        }
        let _ = tell.send(Message::Closed);
    });
    collected
}

fn take(collected: &Mutex<Collected>) -> Collected {
    std::mem::take(&mut collected.lock().unwrap_or_else(PoisonError::into_inner))
}

type LineMessage = Option<(Stream, Option<String>)>;

fn read_lines(
    stream: Option<impl Read + Send + 'static>,
    which: Stream,
    tell: Sender<LineMessage>,
) -> Option<thread::JoinHandle<()>> {
    let stream = stream?;
    Some(thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while let Ok(1..) = reader.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if tell.send(Some((which, Some(text)))).is_err() {
                return;
            }
        }
        let _ = tell.send(Some((which, None)));
    }))
}
