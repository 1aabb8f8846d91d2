//! Which exercises are open in a browser, and what happens to their files meanwhile.
//!
//! A page's event stream says which exercise it shows. As long as one does, the student's file is
//! looked at, so that a save in any editor reaches the page; nobody looks at files that nobody
//! shows. What was started for a page (checking on save) ends when its last stream does.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use workshop_runner::{
    Workspace,
    student_file::{self, FileError},
};

use crate::AppState;

/// How often an open file is looked at. Polling works on every file system, and the file is small.
const INTERVAL: Duration = Duration::from_millis(250);

/// Looks for which the open pages must stay the same until those without one count as left: a reload
/// takes a moment.
const LOOKS_BEFORE_LEFT: u32 = 12;

/// The pages that are open, by exercise.
#[derive(Debug, Default)]
pub struct Presence(Mutex<BTreeMap<String, usize>>);

/// One open page; it leaves when this is dropped.
#[derive(Debug)]
pub struct Here {
    state: AppState,
    exercise: String,
}

impl Presence {
    /// The exercises with a page.
    pub fn exercises(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Here {
    /// A page of that exercise opens; `None` if the course has no such exercise.
    pub fn enter(state: &AppState, exercise: &str) -> Option<Self> {
        state.edition().course.exercise(exercise)?;
        *state
            .presence()
            .lock()
            .entry(exercise.to_owned())
            .or_default() += 1;
        Some(Self {
            state: state.clone(),
            exercise: exercise.to_owned(),
        })
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut pages = self.state.presence().lock();
        if let Some(count) = pages.get_mut(&self.exercise) {
            *count -= 1;
            if *count == 0 {
                pages.remove(&self.exercise);
            }
        }
    }
}

/// Tells the hub of every change to a file that a page shows, from this call on.
pub async fn follow(state: AppState) {
    if let Some(workspace) = state.workspace().cloned() {
        look_on(&state, &workspace).await;
    }
}

async fn look_on(state: &AppState, workspace: &Workspace) {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut before, mut steady) = (Vec::new(), 0_u32);
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    loop {
        tick.tick().await;
        let present = state.presence().exercises();
        known.retain(|id, _| present.contains(id));
        steady = if present == before {
            steady.saturating_add(1)
        } else {
            0
        };
        before.clone_from(&present);
        if steady >= LOOKS_BEFORE_LEFT {
            state.runs().only_watch(&present);
        }
        if present.is_empty() {
            continue;
        }
        let workspace = workspace.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let look = |id: String| (version(&workspace, &id), id);
            present.into_iter().map(look).collect::<Vec<_>>()
        });
        for (version, id) in looked.await.unwrap_or_default() {
            // The first look is always told: the file may have changed since the page was made.
            if known.get(&id) != Some(&version) {
                state.hub().publish_file(&id, version.as_deref());
                known.insert(id, version);
            }
        }
    }
}

/// The file's version; `None` when there is none that can be shown.
fn version(workspace: &Workspace, id: &str) -> Option<String> {
    let read: Result<_, FileError> = student_file::read(workspace, id);
    read.ok().map(|file| file.version)
}
