//! The one file of an exercise that the student edits, for an editor that is not theirs: read it,
//! write it if it is still what was read, keep a copy of what is replaced.
//!
//! The path is the exercise's own, never a caller's. A symbolic link is followed within the
//! exercise's folder and not out of it.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::{
    Workspace,
    reset::{ResetError, new_folder},
    workspace::{STUDENT_FILE, WorkspaceError},
};

/// The largest file that is read or written here, in bytes.
pub const FILE_MAX: usize = 256 * 1024;

/// The file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentFile {
    /// Its text.
    pub text: String,
    /// What tells this text from any other.
    pub version: String,
}

/// What a writer takes to be on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// That version.
    Version(String),
    /// Nothing.
    Missing,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The text is on the disk; this is its version.
    Done(String),
    /// Something else is on the disk, which was left alone; `None` when nothing is.
    Conflict(Option<StudentFile>),
}

/// Why the file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// No such exercise.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// It is not there.
    #[error("{STUDENT_FILE} is not there")]
    Missing,
    /// A link leads out of the exercise's folder, or something that is no file has its name.
    #[error("{STUDENT_FILE} is not a file within the exercise's folder")]
    NotOurs,
    /// Too large to edit here.
    #[error("{STUDENT_FILE} is larger than {} KB", FILE_MAX / 1024)]
    TooLarge,
    /// Not text.
    #[error("{STUDENT_FILE} is not UTF-8 text")]
    NotText,
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl StudentFile {
    fn new(text: String) -> Self {
        let version = version(text.as_bytes());
        Self { text, version }
    }
}

/// The version of a text: equal texts have equal versions.
pub fn version(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    digest[..16].iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Reads the student's file.
pub fn read(workspace: &Workspace, id: &str) -> Result<StudentFile, FileError> {
    read_at(&locate(workspace, id)?)
}

/// Writes `text` if the disk still holds what is `expected`: all of it or nothing, by renaming a
/// finished file over the old one. The old one's permissions stay.
///
/// Two editors that save within the same millisecond cannot be told apart by any file system; the
/// caller lets its own writers take turns.
pub fn write(
    workspace: &Workspace,
    id: &str,
    text: &str,
    expected: &Expected,
) -> Result<Written, FileError> {
    if text.len() > FILE_MAX {
        return Err(FileError::TooLarge);
    }
    let (path, found) = match locate(workspace, id) {
        Ok(path) => {
            let found = read_at(&path)?;
            (path, Some(found))
        }
        Err(FileError::Missing) => (workspace.exercise(id)?.student_file(), None),
        Err(error) => return Err(error),
    };
    let as_expected = match (&found, expected) {
        (Some(found), Expected::Version(version)) => found.version == *version,
        (None, Expected::Missing) => true,
        _ => false,
    };
    if !as_expected {
        return Ok(Written::Conflict(found));
    }
    replace(&path, text)?;
    Ok(Written::Done(version(text.as_bytes())))
}

/// Keeps a copy of `text` in `.workshop/backups/<id>/<time>/`, as a reset does, and tells where.
pub fn keep_copy(
    workspace: &Workspace,
    id: &str,
    text: &str,
    now: OffsetDateTime,
) -> Result<PathBuf, FileError> {
    let exercise = workspace.exercise(id)?;
    let backups = workspace.state_dir().join("backups").join(&exercise.id);
    let folder = new_folder(&backups, now).map_err(|error| match error {
        ResetError::Write { path, source } => at("write", &path)(source),
        _ => FileError::NotOurs,
    })?;
    let path = folder.join(STUDENT_FILE);
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(&path, text))
        .map_err(at("write", &path))?;
    Ok(path)
}

/// Where the file really is, within the exercise's folder.
fn locate(workspace: &Workspace, id: &str) -> Result<PathBuf, FileError> {
    let exercise = workspace.exercise(id)?;
    let path = exercise.student_file();
    let folder = fs::canonicalize(&exercise.dir).map_err(at("read", &exercise.dir))?;
    let real = match fs::canonicalize(&path) {
        Ok(real) => real,
        // A link to nowhere is not a missing file: writing would go through it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let dangling = path.symlink_metadata().is_ok();
            let outside = !path.parent().is_some_and(|parent| within(parent, &folder));
            return Err(if dangling || outside {
                FileError::NotOurs
            } else {
                FileError::Missing
            });
        }
        Err(error) => return Err(at("read", &path)(error)),
    };
    let is_file = real.metadata().is_ok_and(|m| m.is_file());
    if !is_file || !real.starts_with(&folder) {
        return Err(FileError::NotOurs);
    }
    Ok(real)
}

fn within(path: &Path, folder: &Path) -> bool {
    // A parent that is not there yet is made by us, as a plain folder.
    fs::canonicalize(path).map_or_else(
        |_| path.symlink_metadata().is_err(),
        |real| real.starts_with(folder),
    )
}

fn read_at(path: &Path) -> Result<StudentFile, FileError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing,
        _ => at("read", path)(source),
    })?;
    let mut bytes = Vec::new();
    let bound = FILE_MAX as u64 + 1;
    file.take(bound)
        .read_to_end(&mut bytes)
        .map_err(at("read", path))?;
    if bytes.len() > FILE_MAX {
        return Err(FileError::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| FileError::NotText)?;
    Ok(StudentFile::new(text))
}

fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at("create", folder))?;
    let mut new = tempfile::Builder::new();
    // Cargo and watchers look at `.rs` files; the one that is being written is not one yet.
    new.prefix(".saving-").suffix(".tmp");
    let old = fs::metadata(path).ok().map(|m| m.permissions());
    if old.is_none() {
        // Temporary files are for their owner only; a source file is for whoever may read it.
        #[cfg(unix)]
        new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    }
    let mut new = new.tempfile_in(folder).map_err(at("write into", folder))?;
    new.write_all(text.as_bytes()).map_err(at("write", path))?;
    if let Some(permissions) = old {
        new.as_file()
            .set_permissions(permissions)
            .map_err(at("write", path))?;
    }
    new.as_file().sync_all().map_err(at("write", path))?;
    new.persist(path)
        .map_err(|e| at("replace", path)(e.error))?;
    Ok(())
}

fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io {
        doing,
        path,
        source,
    }
}
