//! One child process in a process group of its own, and its certain end.
//!
//! A thread per process starts it, waits for it and reaps it. A thread and not a task, so that no
//! zombie is left when the tokio runtime goes first; and the thread reaps only after it has ended
//! the rest of the group, so that a number is never signalled that may belong to somebody else.

use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::{oneshot, watch};

use crate::warden::Warden;

/// What a thread that only waits needs.
const STACK: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    alive: Mutex<Alive>,
    exit: watch::Receiver<Option<Exit>>,
}

/// Guards the process's number: as long as `.0` is true it is not reaped and nobody else's.
#[derive(Debug)]
struct Alive(bool);

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal { number: i32, core: bool },
}

impl Process {
    /// Starts `command`, known to the warden from then on.
    pub(crate) async fn start(command: Command, warden: Arc<Warden>) -> io::Result<Arc<Self>> {
        let (started, starting) = oneshot::channel();
        thread::Builder::new()
            .name("lambda-host process".to_owned())
            .stack_size(STACK)
            .spawn(move || live(command, &warden, started))?;
        starting
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the thread that starts it ended")))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends the process and all of its group at once.
    pub(crate) fn kill(&self) {
        self.while_alive(|pid| signal_group(pid, GroupSignal::Kill));
    }

    /// Stops the process and its group where they are.
    pub(crate) fn freeze(&self) {
        self.while_alive(|pid| signal_group(pid, GroupSignal::Stop));
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.while_alive(|pid| signal_group(pid, GroupSignal::Continue));
    }

    /// The number stays the process's own as long as `act` runs.
    fn while_alive(&self, act: impl FnOnce(u32)) {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if alive.0 {
            act(self.pid);
        }
    }

    /// How it ended, if it did.
    pub(crate) fn exited(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until it has ended and is reaped.
    pub(crate) async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        // The thread sends before it ends; a panic in it would be ours.
        ended.map_or(None, |exit| *exit).unwrap_or(Exit::Code(-1))
    }
}

/// The whole life of a process, on its thread.
fn live(mut command: Command, warden: &Warden, started: oneshot::Sender<io::Result<Arc<Process>>>) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let spawned = warden.ready().and_then(|()| command.spawn());
    // It holds our copies of the child's end of the pipe.
    drop(command);
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let pid = child.id();
    let guarded = warden.guard(pid);
    let (exit, exiting) = watch::channel(None);
    let process = Arc::new(Process {
        pid,
        alive: Mutex::new(Alive(true)),
        exit: exiting,
    });
    if started.send(Ok(Arc::clone(&process))).is_err() || !guarded {
        // Whoever wanted it is gone, or the whole host.
        process.kill();
    }
    wait_unreaped(&mut child);
    let mut alive = process.alive.lock().unwrap_or_else(PoisonError::into_inner);
    signal_group(pid, GroupSignal::Kill);
    warden.forget(pid);
    let status = child.wait();
    alive.0 = false;
    drop(alive);
    exit.send_replace(Some(status.map_or(Exit::Code(-1), Exit::from)));
}

/// Returns when the process has ended, and leaves it unreaped.
#[cfg(unix)]
fn wait_unreaped(child: &mut Child) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let over = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let pid = Pid::from_child(child);
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), over) {}
}

#[derive(Clone, Copy)]
enum GroupSignal {
    Stop,
    Continue,
    Kill,
}

#[cfg(unix)]
fn signal_group(pid: u32, signal: GroupSignal) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = match signal {
        GroupSignal::Stop => Signal::STOP,
        GroupSignal::Continue => Signal::CONT,
        GroupSignal::Kill => Signal::KILL,
    };
    let group = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // Fails only when nobody is left in it.
        let _ = kill_process_group(group, signal);
    }
}

/// A handle keeps the number taken.
#[cfg(not(unix))]
fn wait_unreaped(child: &mut Child) {
    let _ = child.wait();
}

#[cfg(not(unix))]
fn signal_group(pid: u32, signal: GroupSignal) {
    if let GroupSignal::Kill = signal {
        let _ = Command::new("taskkill")
            .args(["/F", "/T", "/PID", &pid.to_string()])
            .output();
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            if let Some(number) = status.signal() {
                let core = status.core_dumped();
                return Self::Signal { number, core };
            }
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl Exit {
    /// Lambda's sentence for a runtime that ended. It names exit codes and signals as Go does.
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::Code(0) => "Runtime exited without providing a reason".to_owned(),
            Self::Code(code) => format!("Runtime exited with error: exit status {code}"),
            Self::Signal { number, core } => {
                let core = if core { " (core dumped)" } else { "" };
                let signal = signal(number);
                format!("Runtime exited with error: signal: {signal}{core}")
            }
        }
    }
}

/// A signal's name as Go prints it.
fn signal(number: i32) -> String {
    let name = match number {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_end_reads_as_on_aws() {
        let check = |exit: Exit, text: &str| assert_eq!(exit.sentence(), text);
        check(Exit::Code(0), "Runtime exited without providing a reason");
        check(
            Exit::Code(101),
            "Runtime exited with error: exit status 101",
        );
        let (number, core) = (9, false);
        check(
            Exit::Signal { number, core },
            "Runtime exited with error: signal: killed",
        );
        let (number, core) = (11, true);
        check(
            Exit::Signal { number, core },
            "Runtime exited with error: signal: segmentation fault (core dumped)",
        );
    }
}
