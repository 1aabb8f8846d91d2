//! The course's own files beside the student's: what may not be edited, what must come back.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use workshop_course::Tree;

use crate::workspace::{ExerciseDir, STUDENT_FILE};

/// SHA-256 of each file that decides whether success counts, by its path relative to the
/// course's root (`exercises/001-x/tests/check.rs`). Line ends do not matter.
pub type Protected = BTreeMap<String, [u8; 32]>;

/// The files of the course a student must not edit: the tests, the manifest, and given source
/// files. Everything else in an exercise (the task's text, notes of their own) is free.
pub fn protected(course: &Tree) -> Protected {
    course
        .files
        .iter()
        .filter(|(path, _)| is_protected(path))
        .map(|(path, bytes)| (path.clone(), hash(bytes)))
        .collect()
}

fn is_protected(path: &str) -> bool {
    let mut parts = path.splitn(3, '/');
    if parts.next() != Some("exercises") || parts.next().is_none() {
        return false;
    }
    let within = parts.next().unwrap_or_default();
    within == "Cargo.toml"
        || within.starts_with("tests/")
        || (within.starts_with("src/") && within != STUDENT_FILE)
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let unix: Vec<u8> = if bytes.contains(&b'\r') {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        text.into_bytes()
    } else {
        bytes.to_owned()
    };
    Sha256::digest(&unix).into()
}

/// The protected files of an exercise that are not as the course ships them, with `/`,
/// relative to the exercise's folder. A test the student added counts too: it is not the course's.
pub(crate) fn edited(exercise: &ExerciseDir, protected: &Protected) -> Vec<String> {
    let prefix = format!("exercises/{}/", exercise.name);
    let ours: BTreeMap<_, _> = protected
        .iter()
        .filter_map(|(path, hash)| Some((path.strip_prefix(&prefix)?, hash)))
        .collect();
    ours.into_iter()
        .filter(|(path, wanted)| {
            fs::read(exercise.dir.join(path)).map_or(true, |bytes| hash(&bytes) != **wanted)
        })
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// The exercise's files before student code ran, in memory: a few small texts.
#[derive(Debug)]
pub(crate) struct Backup {
    dir: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Backup {
    /// Larger files are data of the student's own making.
    const MAX_FILE: u64 = 1024 * 1024;

    pub(crate) fn take(dir: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(dir, dir, &mut files);
        Self {
            dir: dir.to_owned(),
            files,
        }
    }

    /// Puts back what has gone, and tells what. A file that is still there is left alone: an
    /// editor may have saved it meanwhile. For the same reason nothing is ever overwritten.
    pub(crate) fn restore_missing(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (path, bytes) in &self.files {
            let full = self.dir.join(path);
            if full.exists() {
                continue;
            }
            let name = path.to_string_lossy().replace('\\', "/");
            match write_new(&full, bytes) {
                Ok(()) => notes.push(format!(
                    "{name} was deleted while the tests ran. It has been put back as it was. Does your code remove files?"
                )),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => notes.push(format!(
                    "{name} was deleted while the tests ran and could not be put back: {error}"
                )),
            }
        }
        notes
    }

    /// The student's file as it was, if it has been emptied or overwritten by less than was there.
    pub(crate) fn emptied(&self) -> Option<&[u8]> {
        let before = self.files.get(Path::new(STUDENT_FILE))?;
        let now = fs::read(self.dir.join(STUDENT_FILE)).ok()?;
        (!before.trim_ascii().is_empty() && now.trim_ascii().is_empty()).then_some(before)
    }
}

fn collect(top: &Path, dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            if entry.file_name() != "target" {
                collect(top, &path, files);
            }
        } else if kind.is_file()
            && entry.metadata().is_ok_and(|m| m.len() <= Backup::MAX_FILE)
            && let (Ok(relative), Ok(bytes)) = (path.strip_prefix(top), fs::read(&path))
        {
            files.insert(relative.to_owned(), bytes);
        }
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create_new(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_protected() {
        let rows = [
            ("exercises/001-x/Cargo.toml", true),
            ("exercises/001-x/tests/check.rs", true),
            ("exercises/001-x/src/given.rs", true),
            ("exercises/001-x/src/lib.rs", false),
            ("exercises/001-x/README.md", false),
            ("exercises/tracks.toml", false),
            ("content/posts/tests/check.rs", false),
        ];
        for (path, wanted) in rows {
            assert_eq!(is_protected(path), wanted, "{path}");
        }
    }

    #[test]
    fn line_ends_do_not_make_a_file_edited() {
        assert_eq!(hash(b"a\r\nb\r\n"), hash(b"a\nb\n"));
        assert_ne!(hash(b"a\nb\n"), hash(b"a\nc\n"));
    }
}
