//! The process between us and the student's test: it sets the limits, and nothing it started
//! outlives it.
//!
//! The command line runs itself again as `workshop __guard … -- program args…`. On Linux the guard
//!
//! 1. sets resource limits (CPU seconds, size of files, memory, number of processes, no core dump),
//! 2. becomes the *subreaper*: a grandchild whose parent ended, a daemon included, becomes its
//!    child instead of running on by itself,
//! 3. runs the program in a process group of its own and waits,
//! 4. ends everything that is left, and exits as the program did.
//!
//! Its standard input is a pipe from the runner that is never written. When the runner closes it,
//! or is itself killed, the guard ends the program. On other Unix systems there are limits and the
//! process group, but no subreaper; elsewhere the guard only waits.
//!
//! For `workshop verify` it also [cuts a program off](offline) from every other machine and counts what it
//! tried.
//!
//! This protects a student from their own mistakes. It is no sandbox against malice: student code
//! runs with the student's rights.

pub(crate) mod offline;

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
};

/// The first argument that makes the command line a guard.
pub const ARG: &str = "__guard";

/// Exit code of a guard that could not start its program.
pub const CANNOT_START: i32 = 125;

/// This very program, to be run as a guard. On Linux that works even after cargo has replaced the
/// file on disk.
pub fn this_program() -> Option<PathBuf> {
    let by_link = PathBuf::from("/proc/self/exe");
    if by_link.exists() {
        return Some(by_link);
    }
    std::env::current_exe().ok()
}

/// What a guard enforces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// End what is left when the program is over. Not for cargo: a compiler cache's server is
    /// meant to stay.
    pub(crate) end_the_rest: bool,
    /// CPU seconds of each process.
    pub(crate) cpu_seconds: Option<u64>,
    /// Largest file, in bytes.
    pub(crate) file_bytes: Option<u64>,
    /// Private writable memory, in bytes.
    pub(crate) memory_bytes: Option<u64>,
    /// Processes and threads of the user, in all.
    pub(crate) processes: Option<u64>,
    /// No way to any other machine; what the program tried is added to that file.
    pub(crate) offline: Option<PathBuf>,
}

impl Rules {
    /// As arguments, up to and including `--`.
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![ARG.into()];
        if self.end_the_rest {
            args.push("--end-the-rest".into());
        }
        let numbers = [
            ("--cpu-seconds", self.cpu_seconds),
            ("--file-bytes", self.file_bytes),
            ("--memory-bytes", self.memory_bytes),
            ("--processes", self.processes),
        ];
        for (name, value) in numbers {
            if let Some(value) = value {
                args.push(name.into());
                args.push(value.to_string().into());
            }
        }
        if let Some(findings) = &self.offline {
            args.push("--offline".into());
            args.push(findings.into());
        }
        args.push("--".into());
        args
    }

    fn parse(args: &mut impl Iterator<Item = OsString>) -> Option<Self> {
        let mut rules = Self::default();
        loop {
            let name = args.next()?;
            match name.to_str()? {
                "--" => return Some(rules),
                "--offline" => rules.offline = Some(args.next()?.into()),
                "--end-the-rest" => rules.end_the_rest = true,
                "--cpu-seconds" => rules.cpu_seconds = Some(number(args.next())?),
                "--file-bytes" => rules.file_bytes = Some(number(args.next())?),
                "--memory-bytes" => rules.memory_bytes = Some(number(args.next())?),
                "--processes" => rules.processes = Some(number(args.next())?),
                _ => return None,
            }
        }
    }
}

fn number(arg: Option<OsString>) -> Option<u64> {
    arg?.to_str()?.parse().ok()
}

/// Acts as a guard; `args` are the process's arguments after [`ARG`].
pub fn main(args: impl IntoIterator<Item = OsString>) -> ! {
    let mut args = args.into_iter();
    let (Some(rules), Some(program)) = (Rules::parse(&mut args), args.next()) else {
        eprintln!("workshop {ARG}: this command is for the workshop itself");
        std::process::exit(CANNOT_START);
    };
    let mut command = Command::new(&program);
    command.args(args).stdin(Stdio::null());
    let status = guarded(&rules, &program, command);
    exit_like(status)
}

#[cfg(unix)]
fn guarded(rules: &Rules, program: &OsStr, mut command: Command) -> ExitStatus {
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
    use std::os::unix::process::CommandExt as _;

    // While this process has no second thread: with one, Linux refuses.
    let alone = rules.offline.as_ref().map(|_| offline::cut_off());
    set_limits(rules);
    if rules.end_the_rest {
        adopt_orphans();
    }
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => cannot_start(program, &error),
    };
    let pid = Pid::from_child(&child);
    std::thread::spawn(move || {
        use std::io::Read as _;
        let mut byte = [0];
        while let Ok(1..) = std::io::stdin().read(&mut byte) {}
        // The main thread reaps the program only after this, or exits the process.
        let _ = kill_process_group(pid, Signal::KILL);
    });
    // Not reaped yet: its number, which names the group too, stays taken until the group is gone.
    let over = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), over) {}
    if rules.end_the_rest {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let status = child.wait();
    if rules.end_the_rest {
        end_the_rest();
    }
    if let (Some(findings), Some(alone)) = (&rules.offline, alone) {
        tell_attempts(findings, alone);
    }
    status.unwrap_or_else(|error| cannot_start(program, &error))
}

#[cfg(unix)]
fn tell_attempts(findings: &std::path::Path, alone: Result<(), String>) {
    use offline::Finding;
    let counted = alone.and_then(|()| offline::attempts().map_err(|error| error.to_string()));
    let finding = counted.map_or_else(Finding::NotChecked, Finding::Attempts);
    // Findings that are missing count as "not checked".
    let _ = finding.write(findings);
}

#[cfg(not(unix))]
fn guarded(_rules: &Rules, program: &OsStr, mut command: Command) -> ExitStatus {
    command
        .status()
        .unwrap_or_else(|error| cannot_start(program, &error))
}

fn cannot_start(program: &OsStr, error: &std::io::Error) -> ! {
    eprintln!(
        "workshop {ARG}: cannot run {}: {error}",
        program.to_string_lossy()
    );
    std::process::exit(CANNOT_START)
}

/// Exits as the program did: the same code, or the same signal.
fn exit_like(status: ExitStatus) -> ! {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            // Twice: the first SIGSEGV or SIGBUS only removes the handler that Rust installs.
            for _ in 0..2 {
                if let Some(signal) = Signal::from_named_raw(signal) {
                    let _ = kill_process(getpid(), signal);
                }
            }
            std::process::exit(128 + signal);
        }
    }
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(unix)]
fn set_limits(rules: &Rules) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let lower = |resource: Resource, wanted: Option<u64>| {
        let Some(wanted) = wanted else { return };
        let had = getrlimit(resource);
        let limit = had.current.map_or(wanted, |had| had.min(wanted));
        let rlimit = Rlimit {
            current: Some(limit),
            maximum: had.maximum.map_or(Some(limit), |max| Some(max.min(limit))),
        };
        if let Err(error) = setrlimit(resource, rlimit) {
            eprintln!("workshop {ARG}: cannot limit {resource:?}: {error}");
        }
    };
    lower(Resource::Cpu, rules.cpu_seconds);
    lower(Resource::Fsize, rules.file_bytes);
    lower(Resource::Data, rules.memory_bytes);
    lower(Resource::Nproc, rules.processes);
    lower(Resource::Core, rules.end_the_rest.then_some(0));
}

#[cfg(target_os = "linux")]
fn adopt_orphans() {
    let me = rustix::process::getpid();
    if let Err(error) = rustix::process::set_child_subreaper(Some(me)) {
        eprintln!("workshop {ARG}: cannot adopt orphans: {error}");
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn adopt_orphans() {}

/// Ends every descendant, until there is none or three seconds are over (something that forks
/// faster than we can kill).
#[cfg(target_os = "linux")]
fn end_the_rest() {
    use rustix::process::{Signal, WaitOptions, getpid, kill_process, wait};
    use std::time::{Duration, Instant};
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => {
                for pid in descendants(getpid()) {
                    let _ = kill_process(pid, Signal::KILL);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(_) => return,
        }
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn end_the_rest() {}

/// All processes below `top`, from `/proc`.
#[cfg(target_os = "linux")]
fn descendants(top: rustix::process::Pid) -> Vec<rustix::process::Pid> {
    use std::collections::BTreeMap;
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut todo = vec![top.as_raw_nonzero().get()];
    while let Some(pid) = todo.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.extend(rustix::process::Pid::from_raw(child));
            todo.push(child);
        }
    }
    found
}

#[cfg(target_os = "linux")]
fn parent_of(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state ppid …`; the name may hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

/// Processes and threads the user runs now: what a limit on their number has to be added to.
#[cfg(target_os = "linux")]
pub(crate) fn processes_now() -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::getuid().as_raw();
    let mut count = 0;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let is_process = entry
            .file_name()
            .to_str()
            .is_some_and(|n| n.parse::<u32>().is_ok());
        if is_process && entry.metadata().is_ok_and(|m| m.uid() == me) {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let threads = stat
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(17)?.parse::<u64>().ok());
            count += threads.unwrap_or(1);
        }
    }
    count
}

/// Not known: no limit on processes.
#[cfg(not(target_os = "linux"))]
pub(crate) fn processes_now() -> u64 {
    u64::from(u32::MAX)
}
