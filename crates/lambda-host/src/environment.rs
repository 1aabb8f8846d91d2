//! One execution environment: a process, its Runtime API and its log. It handles one event at a
//! time and is ended when it is dropped.

use std::{
    io::{self, ErrorKind},
    process::{Command, Stdio},
    sync::Arc,
};

use bytes::Bytes;
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::{
    FunctionConfig,
    host::Shared,
    output::{self, LogStream},
    process::{Exit, Process},
    runtime_api::{Answer, Desk, Signal, Work, serve},
    variables,
};

#[derive(Debug)]
pub(crate) struct Environment {
    /// What it was started from: a changed function does not use it any more.
    pub(crate) config: Arc<FunctionConfig>,
    pub(crate) log: Arc<LogStream>,
    process: Arc<Process>,
    work: mpsc::Sender<Work>,
    signals: mpsc::UnboundedReceiver<Signal>,
    tasks: [JoinHandle<()>; 2],
}

/// Why there is no environment.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The program cannot be run: the function's fault, and Lambda's words.
    InvalidEntrypoint(String),
    /// The machine cannot: ours.
    Host(String),
}

/// How an initialization ended.
#[derive(Debug)]
pub(crate) enum Init {
    Ready,
    Failed(Failure),
    TimedOut,
}

/// What went wrong before there was an answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The process ended.
    Exit(Exit),
    /// It reported an error of its own.
    Reported { kind: String, body: Bytes },
    /// It could not be started.
    InvalidEntrypoint(String),
}

/// How the handling of one event ended.
#[derive(Debug)]
pub(crate) enum Handled {
    /// Answered, and ready for the next event.
    Answered(Answer),
    /// Answered, and then the process ended or did not ask for the next event in time.
    AnsweredAndGone(Answer),
    Exit(Exit),
    TimedOut,
}

impl Environment {
    /// Starts the process. It is initializing from then on.
    pub(crate) async fn start(
        shared: &Shared,
        config: Arc<FunctionConfig>,
        log: Arc<LogStream>,
    ) -> Result<Self, StartError> {
        let ours = |what: &str, error: &io::Error| {
            StartError::Host(format!(
                "cannot {what} for an environment of the function '{}': {error}; each environment \
                 needs a port, a pipe and a process (`ulimit -n` and `ulimit -u` show the limits)",
                config.name
            ))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(|e| ours("open a port", &e))?;
        let addr = listener.local_addr();
        let addr = addr.map_err(|e| ours("open a port", &e))?;
        let (writer, follow) = output::pipe(&log).map_err(|e| ours("make a pipe", &e))?;
        let stderr = writer.try_clone();
        let stderr = stderr.map_err(|e| ours("make a pipe", &e))?;

        let variables = variables::of(
            &config,
            log.name(),
            &addr.to_string(),
            shared.warden.marker(),
        );
        let mut command = Command::new(&config.program);
        command
            .args(&config.arguments)
            .env_clear()
            .envs(variables)
            .current_dir(variables::task_root(&config))
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(stderr);
        let (desk, work, signals) = Desk::new();
        let process = Process::start(command, Arc::clone(&shared.warden)).await;
        let process = process.map_err(|error| cannot_start(&config, &error))?;
        shared.register(&process);
        let tasks = [tokio::spawn(serve(listener, desk)), tokio::spawn(follow)];
        Ok(Self {
            config,
            log,
            process,
            work,
            signals,
            tasks,
        })
    }

    /// Waits until the runtime asks for its first event.
    pub(crate) async fn init(&mut self, until: Instant) -> Init {
        match timeout_at(until, self.signal()).await {
            Err(_) => Init::TimedOut,
            Ok(Ok(Signal::InitError { kind, body })) => {
                Init::Failed(Failure::Reported { kind, body })
            }
            // The desk lets no answer through before the first event.
            Ok(Ok(Signal::Next | Signal::Answer(_))) => Init::Ready,
            Ok(Err(exit)) => Init::Failed(Failure::Exit(exit)),
        }
    }

    /// Gives the runtime an event and waits for its answer, and then until it asks for the next.
    pub(crate) async fn handle(&mut self, work: Work, until: Instant) -> Handled {
        // The desk takes one event at a time, and so do we: there is room.
        let _ = self.work.send(work).await;
        let answer = loop {
            match timeout_at(until, self.signal()).await {
                Err(_) => return Handled::TimedOut,
                Ok(Err(exit)) => return Handled::Exit(exit),
                Ok(Ok(Signal::Answer(answer))) => break answer,
                Ok(Ok(Signal::Next | Signal::InitError { .. })) => {}
            }
        };
        match timeout_at(until, self.signal()).await {
            Ok(Ok(_)) => Handled::Answered(answer),
            Ok(Err(_)) | Err(_) => Handled::AnsweredAndGone(answer),
        }
    }

    /// What the runtime says next, or its end.
    async fn signal(&mut self) -> Result<Signal, Exit> {
        tokio::select! {
            // What it said before it ended comes first.
            biased;
            Some(signal) = self.signals.recv() => Ok(signal),
            exit = self.process.wait() => Err(exit),
        }
    }

    /// Whether it can take an event. It may have ended while it was idle.
    pub(crate) fn is_alive(&self) -> bool {
        self.process.exited().is_none()
    }

    /// Between two events nothing runs, threads of the function included: AWS freezes an environment
    /// once its runtime asks for the next event (developer guide, execution environment lifecycle).
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    /// The next event is there.
    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    /// The most memory the process held so far.
    pub(crate) fn memory_max_mb(&self) -> Option<u32> {
        memory_max_mb(self.process.pid())
    }

    /// Ends it and waits until it is gone and everything it printed is read.
    pub(crate) async fn end(self) {
        self.process.kill();
        self.process.wait().await;
        self.log.attach(None);
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill();
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// "Exec format error" has no stable `ErrorKind`; its number is the same on every Unix.
const ENOEXEC: i32 = 8;

/// Tells a program that cannot run from a machine that cannot run it. The function's texts are
/// AWS's for `provided.al2023`.
fn cannot_start(config: &FunctionConfig, error: &io::Error) -> StartError {
    let program = config.program.display();
    let fork = |why: &str| StartError::InvalidEntrypoint(format!("fork/exec {program}: {why}"));
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            StartError::InvalidEntrypoint(format!("Couldn't find valid bootstrap(s): [{program}]"))
        }
        ErrorKind::PermissionDenied | ErrorKind::IsADirectory => fork("permission denied"),
        _ if error.raw_os_error() == Some(ENOEXEC) => fork("exec format error"),
        ErrorKind::InvalidInput => fork("invalid argument"),
        _ => StartError::Host(format!(
            "cannot start {program}: {error} (`ulimit -n` and `ulimit -u` show the limits on files \
             and processes)"
        )),
    }
}

/// `VmHWM` of a process that runs.
#[cfg(target_os = "linux")]
fn memory_max_mb(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u32 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}

#[cfg(not(target_os = "linux"))]
fn memory_max_mb(_pid: u32) -> Option<u32> {
    None
}
