//! Checks again on every save.
//!
//! A save cancels the check that is under way: its verdict would be about old text. Keys, colours
//! and the terminal belong to the command line.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use notify::{RecursiveMode, Watcher as _};

use crate::{
    CancelToken, CheckOptions, Report, Workspace, check_with, live::Event,
    workspace::WorkspaceError,
};

/// How to watch.
#[derive(Debug, Clone, Default)]
pub struct WatchOptions {
    /// How to check; its token is not used, every check gets one of its own.
    pub check: CheckOptions,
    /// Look every half second instead of asking the system: for network and shared folders, where
    /// the system does not tell.
    pub poll: bool,
}

/// What a watcher tells.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Watched {
    /// The exercise that is watched from now on.
    Watching(String),
    /// Something happened in the check under way.
    Event(Event),
    /// A verdict.
    Verdict(Report),
    /// A sentence: the system does not tell about saves, so we look ourselves.
    Note(String),
}

/// A watcher on a thread of its own; ended when dropped, with the check under way.
#[derive(Debug)]
pub struct Watcher {
    orders: Sender<Order>,
    /// What happens, in order.
    pub events: Receiver<Watched>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Watch(String),
    Again,
    Cancel,
    Saved,
    CheckEnded(u64),
    Stop,
}

/// Editors write, rename and touch in a burst; one check is enough for it.
const QUIET: Duration = Duration::from_millis(80);
/// A burst that does not end is checked anyway.
const LONGEST_BURST: Duration = Duration::from_millis(800);
const POLL: Duration = Duration::from_millis(500);

impl Watcher {
    /// Watches an exercise, beginning with a check.
    pub fn start(
        workspace: Workspace,
        id: &str,
        options: WatchOptions,
    ) -> Result<Self, WorkspaceError> {
        let first = workspace.exercise(id)?.id;
        let (orders, inbox) = mpsc::channel();
        let (tell, events) = mpsc::channel();
        let watching = Watching {
            workspace,
            options,
            orders: orders.clone(),
            tell,
            dir: PathBuf::new(),
            id: first.clone(),
            seen: 0,
            running: None,
            checks: 0,
        };
        let _ = orders.send(Order::Watch(first));
        let thread = thread::spawn(move || watching.follow(&inbox));
        Ok(Self {
            orders,
            events,
            thread: Some(thread),
        })
    }

    /// Watches another exercise instead, beginning with a check.
    pub fn watch(&self, id: &str) {
        // The thread ends only when we say so.
        let _ = self.orders.send(Order::Watch(id.to_owned()));
    }

    /// Checks once more, saved or not.
    pub fn again(&self) {
        let _ = self.orders.send(Order::Again);
    }

    /// Ends the check under way; the next save starts another.
    pub fn stop_check(&self) {
        let _ = self.orders.send(Order::Cancel);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

struct Watching {
    workspace: Workspace,
    options: WatchOptions,
    orders: Sender<Order>,
    tell: Sender<Watched>,
    dir: PathBuf,
    id: String,
    /// Hash of the watched files when the last check began: a touch without a change is no save.
    seen: u64,
    running: Option<Running>,
    checks: u64,
}

struct Running {
    number: u64,
    cancel: CancelToken,
    thread: thread::JoinHandle<()>,
}

/// Tells of saves until dropped.
enum Source {
    System {
        _watcher: notify::RecommendedWatcher,
    },
    Polling {
        _stop: Sender<()>,
    },
}

impl Watching {
    fn follow(mut self, inbox: &Receiver<Order>) {
        let mut source = None;
        while let Ok(order) = inbox.recv() {
            match order {
                Order::Watch(id) => match self.workspace.exercise(&id) {
                    Ok(exercise) => {
                        self.id = exercise.id;
                        self.dir = exercise.dir;
                        drop(source.take());
                        source = Some(self.source());
                        let _ = self.tell.send(Watched::Watching(self.id.clone()));
                        self.check();
                    }
                    Err(error) => {
                        let _ = self.tell.send(Watched::Note(error.to_string()));
                    }
                },
                Order::Again => self.check(),
                Order::Cancel => self.cancel(),
                Order::Saved => {
                    if let Some(other) = burst(inbox) {
                        let _ = self.orders.send(other);
                    }
                    if fingerprint(&self.dir) != self.seen {
                        self.check();
                    }
                }
                Order::CheckEnded(number) => {
                    if let Some(ended) = self.running.take_if(|r| r.number == number) {
                        let _ = ended.thread.join();
                    }
                }
                Order::Stop => break,
            }
        }
        drop(source);
        self.cancel();
    }

    /// Ends the check under way, and waits until nothing of it is left.
    fn cancel(&mut self) {
        if let Some(running) = self.running.take() {
            running.cancel.cancel();
            let _ = running.thread.join();
        }
    }

    fn check(&mut self) {
        self.cancel();
        self.seen = fingerprint(&self.dir);
        self.checks += 1;
        let (number, cancel) = (self.checks, CancelToken::new());
        let options = CheckOptions {
            cancel: cancel.clone(),
            ..self.options.check.clone()
        };
        let (workspace, id) = (self.workspace.clone(), self.id.clone());
        let (tell, orders) = (self.tell.clone(), self.orders.clone());
        let thread = thread::spawn(move || {
            let report = check_with(&workspace, &id, &options, &mut |event| {
                let _ = tell.send(Watched::Event(event.clone()));
            });
            if let Some(report) = report {
                let _ = tell.send(Watched::Verdict(report));
            }
            let _ = orders.send(Order::CheckEnded(number));
        });
        self.running = Some(Running {
            number,
            cancel,
            thread,
        });
    }

    fn source(&self) -> Source {
        if !self.options.poll {
            match self.system() {
                Ok(source) => return source,
                Err(error) => {
                    let _ = self.tell.send(Watched::Note(format!(
                        "the system does not report saves ({error}), so the files are looked at twice a second"
                    )));
                }
            }
        }
        self.polling()
    }

    /// The folders rather than the files: an editor that replaces a file by renaming another
    /// over it would take the watch along with the old one.
    fn system(&self) -> notify::Result<Source> {
        let orders = self.orders.clone();
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                // Reads are no saves. After an error (events lost), the fingerprint decides.
                if !event.is_ok_and(|e| e.kind.is_access()) {
                    let _ = orders.send(Order::Saved);
                }
            })?;
        for folder in watched_folders(&self.dir) {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Source::System { _watcher: watcher })
    }

    fn polling(&self) -> Source {
        let (stop, stopped) = mpsc::channel::<()>();
        let (orders, dir) = (self.orders.clone(), self.dir.clone());
        thread::spawn(move || {
            let mut seen = fingerprint(&dir);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL) {
                let now = fingerprint(&dir);
                if now != seen {
                    seen = now;
                    let _ = orders.send(Order::Saved);
                }
            }
        });
        Source::Polling { _stop: stop }
    }
}

/// Waits until saves stop coming; another order that came meanwhile is given back.
fn burst(inbox: &Receiver<Order>) -> Option<Order> {
    let end = Instant::now() + LONGEST_BURST;
    while Instant::now() < end {
        match inbox.recv_timeout(QUIET) {
            Ok(Order::Saved) => {}
            Ok(other) => return Some(other),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    None
}

fn watched_folders(dir: &Path) -> Vec<PathBuf> {
    ["src", "tests"]
        .map(|name| dir.join(name))
        .into_iter()
        .filter(|d| d.is_dir())
        .collect()
}

/// A hash of the watched files' names and texts; an unreadable moment is just another state.
fn fingerprint(dir: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for folder in watched_folders(dir) {
        let mut files: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "rs"));
        files.sort();
        for file in files {
            (&file, fs::read(&file).ok()).hash(&mut hasher);
        }
    }
    hasher.finish()
}
