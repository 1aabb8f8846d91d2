//! Starting an exercise anew, without losing what the student wrote.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use time::{OffsetDateTime, macros::format_description};
use workshop_course::Tree;

use crate::{Workspace, workspace::WorkspaceError};

/// What a reset did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetReport {
    /// Where the replaced files are now; `None` when nothing differed.
    pub backup: Option<PathBuf>,
    /// The files that were restored, relative to the exercise's folder, with `/`.
    pub restored: Vec<String>,
}

/// Why a reset failed. Nothing is replaced before its backup is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResetError {
    /// No such exercise.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The course has no files for it.
    #[error("the course has no files for exercise {0}")]
    NotInCourse(String),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Puts the exercise's files back as the course ships them. Files that differ are first copied to
/// `.workshop/backups/<id>/<time>/`; files of the student's own are left where they are.
pub fn reset(
    workspace: &Workspace,
    course: &Tree,
    id: &str,
    now: OffsetDateTime,
) -> Result<ResetReport, ResetError> {
    let exercise = workspace.exercise(id)?;
    let prefix = format!("exercises/{}/", exercise.name);
    let ours: Vec<_> = course
        .files
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes)))
        .collect();
    if ours.is_empty() {
        return Err(ResetError::NotInCourse(exercise.id));
    }
    let differing: Vec<_> = ours
        .into_iter()
        .filter(|(path, bytes)| {
            fs::read(exercise.dir.join(path)).map_or(true, |found| found != **bytes)
        })
        .collect();
    let backups = workspace.state_dir().join("backups").join(&exercise.id);
    let mut backup = None;
    for (path, _) in &differing {
        let Ok(found) = fs::read(exercise.dir.join(path)) else {
            continue;
        };
        let folder = match &backup {
            Some(folder) => folder,
            None => backup.insert(new_folder(&backups, now)?),
        };
        write(&folder.join(path), &found)?;
    }
    for (path, bytes) in &differing {
        write(&exercise.dir.join(path), bytes)?;
    }
    Ok(ResetReport {
        backup,
        restored: differing
            .into_iter()
            .map(|(path, _)| path.to_owned())
            .collect(),
    })
}

/// A folder named after the time; two resets within a second get two folders.
pub(crate) fn new_folder(backups: &Path, now: OffsetDateTime) -> Result<PathBuf, ResetError> {
    let format = format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]");
    let name = now
        .format(format)
        .unwrap_or_else(|_| now.unix_timestamp().to_string());
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| ResetError::Write { path, source }
    };
    fs::create_dir_all(backups).map_err(at(backups))?;
    let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    for name in names {
        let folder = backups.join(name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder.clone()).map_err(at(&folder)),
        }
    }
    unreachable!("the names never end")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ResetError> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, bytes))
        .map_err(|source| ResetError::Write {
            path: path.to_owned(),
            source,
        })
}
