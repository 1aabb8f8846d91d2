//! A copy of the checkout in which everything before an exercise is solved.
//!
//! For who joins late or wants to start in the middle. Nothing in the checkout itself is changed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use time::OffsetDateTime;

use crate::{
    Progress, Workspace,
    progress::ProgressError,
    workspace::{STARTER, STUDENT_FILE, WorkspaceError},
};

/// What stands in the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The new checkout.
    pub folder: PathBuf,
    /// Ids of the exercises whose file is the reference solution.
    pub solved: Vec<String>,
    /// Id of the exercise that is at its start.
    pub start: String,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// No such exercise.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// There is something at that place.
    #[error("{} exists already; nothing was written. Name another folder with --to, or remove that one", .0.display())]
    Exists(PathBuf),
    /// The copy would contain itself.
    #[error("{} lies inside the checkout; name a folder outside of it with --to", .0.display())]
    Inside(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot copy {}: {source}", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The copy's progress cannot be written.
    #[error(transparent)]
    Progress(#[from] ProgressError),
}

/// Copies the checkout to `to`, with solutions in the place of all exercises before `id` and `id` at its
/// start. Later ones are as they are in the checkout. Build output, history and progress stay behind.
pub fn checkpoint(
    workspace: &Workspace,
    id: &str,
    to: &Path,
    now: OffsetDateTime,
) -> Result<Checkpoint, CheckpointError> {
    let start = workspace.exercise(id)?;
    if fs::symlink_metadata(to).is_ok() {
        return Err(CheckpointError::Exists(to.to_owned()));
    }
    let whole = |path: &Path| path.canonicalize().map_err(copying(path));
    let parent = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(copying(parent))?;
    if whole(parent)?.starts_with(whole(workspace.root())?) {
        return Err(CheckpointError::Inside(to.to_owned()));
    }
    // Under its name only when it is complete. Dropped otherwise, and its files with it.
    let draft = tempfile::Builder::new()
        .prefix(".workshop-checkpoint-")
        .tempdir_in(parent)
        .map_err(copying(parent))?;
    copy(workspace.root(), draft.path())?;
    let there = Workspace::at(draft.path());
    let mut solved = Vec::new();
    for exercise in there.exercises()? {
        let from = match exercise.id.cmp(&start.id) {
            std::cmp::Ordering::Less => {
                solved.push(exercise.id.clone());
                "solution/lib.rs"
            }
            std::cmp::Ordering::Equal => STARTER,
            std::cmp::Ordering::Greater => continue,
        };
        let from = exercise.dir.join(from);
        fs::copy(&from, exercise.dir.join(STUDENT_FILE)).map_err(copying(&from))?;
    }
    Progress::update(&there, |progress| {
        for id in &solved {
            progress.skip(id, now);
        }
    })?;
    fs::rename(draft.keep(), to).map_err(copying(to))?;
    Ok(Checkpoint {
        folder: to.to_owned(),
        solved,
        start: start.id,
    })
}

fn copying(path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::Copy { path, source }
}

/// All files but those that are made: build output (marked by `CACHEDIR.TAG`), history, progress.
fn copy(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    for entry in fs::read_dir(from).map_err(copying(from))? {
        let entry = entry.map_err(copying(from))?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(copying(&path))?;
        let there = to.join(&name);
        if kind.is_dir() {
            let left_behind = [".git", ".workshop", "node_modules"];
            let made = path.join("CACHEDIR.TAG").exists();
            if made || left_behind.iter().any(|other| name == *other) {
                continue;
            }
            fs::create_dir(&there).map_err(copying(&there))?;
            copy(&path, &there)?;
        } else if kind.is_file() {
            fs::copy(&path, &there).map_err(copying(&path))?;
        }
    }
    Ok(())
}
