//! A shell that outlives us by a moment and ends what we started.
//!
//! `kill -9` runs no destructor, and asking the system to end a child with its parent needs
//! `unsafe` here. A pipe does it: the shell reads the numbers of our process groups from it, and when
//! the pipe ends, because we closed it or because we are gone, it ends them.

use std::{
    io::{self, Write as _},
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

use tokio::sync::watch;

use crate::ids;

const SCRIPT: &str = include_str!("warden.sh");

/// Watches over the processes of one host. The shell starts with the first process.
#[derive(Debug)]
pub(crate) struct Warden {
    /// What marks our processes' environments.
    marker: String,
    line: Mutex<Line>,
    gone: watch::Sender<bool>,
}

#[derive(Debug)]
enum Line {
    NotStarted,
    /// Without a shell where there is none.
    Open(Option<ChildStdin>),
    Closed,
}

impl Warden {
    pub(crate) fn new() -> Self {
        Self {
            marker: format!("{:032x}", ids::random()),
            line: Mutex::new(Line::NotStarted),
            gone: watch::Sender::new(false),
        }
    }

    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// Makes sure the shell runs. Nothing may be started without it.
    pub(crate) fn ready(&self) -> io::Result<()> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        match *line {
            Line::Open(_) => Ok(()),
            Line::Closed => Err(io::Error::other("the host is closed")),
            Line::NotStarted => {
                *line = self.start()?;
                Ok(())
            }
        }
    }

    #[cfg(unix)]
    fn start(&self) -> io::Result<Line> {
        use std::os::unix::process::CommandExt as _;
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "lambda-host-warden", &self.marker])
            // Not in our group: Ctrl-C must reach us only.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .map_err(|e| io::Error::new(e.kind(), format!("cannot start /bin/sh: {e}")))?;
        let stdin = shell.stdin.take();
        let gone = self.gone.clone();
        thread::Builder::new()
            .name("lambda-host warden".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || {
                let _ = shell.wait();
                gone.send_replace(true);
            })?;
        Ok(Line::Open(stdin))
    }

    /// Without a shell: what `taskkill /T` finds at a drop is all there is.
    #[cfg(not(unix))]
    fn start(&self) -> io::Result<Line> {
        let _ = (SCRIPT, Stdio::null(), Command::new("sh"), thread::current());
        self.gone.send_replace(true);
        Ok(Line::Open(None))
    }

    /// From now on this group ends with us. False: we have ended already.
    pub(crate) fn guard(&self, group: u32) -> bool {
        self.tell('+', group)
    }

    /// This group's number is about to be given back.
    pub(crate) fn forget(&self, group: u32) {
        self.tell('-', group);
    }

    fn tell(&self, verb: char, group: u32) -> bool {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let Line::Open(stdin) = &mut *line else {
            return false;
        };
        if let Some(stdin) = stdin {
            // A shell that somebody killed cannot be told; the groups still end with the host's
            // own `kill`.
            let _ = stdin.write_all(format!("{verb} {group}\n").as_bytes());
        }
        true
    }

    /// Lets the shell do its work and end.
    pub(crate) fn close(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*line, Line::NotStarted) {
            self.gone.send_replace(true);
        }
        *line = Line::Closed;
    }

    /// Waits until the shell has done its work. After [`Warden::close`].
    pub(crate) async fn gone(&self) {
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }
}
