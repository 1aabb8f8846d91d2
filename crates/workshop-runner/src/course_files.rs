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

/// The list of protected files and their hashes, in the course's root. The hashes of a `workshop` that was
/// built from a student's own checkout (`cargo run`) would follow an edited test; this list does not.
pub const LIST: &str = "exercises/protected.toml";

/// The files of the course a student must not edit: the tests, the manifest, and given source
/// files. Everything else in an exercise (the task's text, notes of their own) is free.
///
/// They are those of the course's own [`LIST`], if it has one.
pub fn protected(course: &Tree) -> Protected {
    let list = course.files.get(LIST);
    if let Some(listed) = list.and_then(|text| parse_list(&String::from_utf8_lossy(text))) {
        return listed;
    }
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
        || within.starts_with("examples/")
        || (within.starts_with("src/") && within != STUDENT_FILE)
}

const HEAD: &str = "\
# SHA-256 of each file that decides whether success in an exercise counts.
# `workshop verify --bless` writes it anew; do that when you change a test.
";

fn parse_list(text: &str) -> Option<Protected> {
    let table: toml::Table = text.parse().ok()?;
    let entry = |(path, hash): (String, toml::Value)| Some((path, from_hex(hash.as_str()?)?));
    table.into_iter().map(entry).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..32).map(digit).collect::<Option<_>>()?;
    (text.len() == 64).then(|| bytes.try_into().ok()).flatten()
}

fn to_hex(hash: [u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the [`LIST`] should say about an exercise.
fn wanted(exercise: &ExerciseDir) -> Protected {
    let mut files = BTreeMap::new();
    collect(&exercise.dir, &exercise.dir, &mut files);
    let named = files.into_iter().map(|(path, bytes)| {
        let path = path.to_string_lossy().replace('\\', "/");
        (format!("exercises/{}/{path}", exercise.name), bytes)
    });
    named
        .filter(|(path, _)| is_protected(path))
        .map(|(path, bytes)| (path, hash(&bytes)))
        .collect()
}

/// What is not as it must be about the [`LIST`] of those exercises; rewrites it instead when asked to.
pub(crate) fn settle_list(root: &Path, exercises: &[ExerciseDir], bless: bool) -> Vec<String> {
    let file = root.join(LIST);
    let before = fs::read_to_string(&file).unwrap_or_default();
    let mut listed = parse_list(&before).unwrap_or_default();
    let mut misfits: Vec<String> = Vec::new();
    for exercise in exercises {
        let prefix = format!("exercises/{}/", exercise.name);
        let had: Protected = listed
            .extract_if(.., |path, _| path.starts_with(&prefix))
            .collect();
        let wanted = wanted(exercise);
        let differs = wanted
            .iter()
            .find(|(path, hash)| had.get(*path) != Some(hash));
        let gone = had.keys().find(|path| !wanted.contains_key(*path));
        if let Some(path) = differs.map(|(path, _)| path).or(gone) {
            misfits.push(path.clone());
        }
        listed.extend(wanted);
    }
    if !bless {
        let first = misfits.first().map(|first| {
            let more = match misfits.len() - 1 {
                0 => String::new(),
                n => format!(" and files of {n} more exercises"),
            };
            format!(
                "{LIST}: does not fit {first}{more}, so success there would not count; `workshop verify --bless` writes the list anew"
            )
        });
        return first.into_iter().collect();
    }
    let lines = listed
        .into_iter()
        .map(|(path, hash)| format!("{path:?} = \"{}\"\n", to_hex(hash)));
    let text = HEAD.to_owned() + &lines.collect::<String>();
    match fs::write(&file, text) {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("{LIST}: cannot be written: {error}")],
    }
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
/// relative to the exercise's folder. What the student added counts too where it decides what is built and
/// tested: it is not the course's.
pub(crate) fn edited(exercise: &ExerciseDir, protected: &Protected) -> Vec<String> {
    let prefix = format!("exercises/{}/", exercise.name);
    let ours: BTreeMap<_, _> = protected
        .iter()
        .filter_map(|(path, hash)| Some((path.strip_prefix(&prefix)?, hash)))
        .collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let changed = ours.iter().filter(|(path, wanted)| {
        fs::read(exercise.dir.join(path)).map_or(true, |bytes| hash(&bytes) != ***wanted)
    });
    let changed = changed.map(|(path, _)| (*path).to_owned());
    let here = decisive(&exercise.dir);
    let added = here
        .into_iter()
        .filter(|path| !ours.contains_key(path.as_str()));
    changed.chain(added).collect()
}

/// The files of an exercise that decide what is built and tested, whether the course has them or not. Not
/// `src/`: whoever divides an answer into modules may.
fn decisive(exercise: &Path) -> Vec<String> {
    const FOLDERS: [&str; 5] = [".cargo", "benches", "examples", "src/bin", "tests"];
    const FILES: [&str; 2] = ["build.rs", "src/main.rs"];
    let mut found = BTreeMap::new();
    for folder in FOLDERS {
        collect(exercise, &exercise.join(folder), &mut found);
    }
    let folders = found
        .into_keys()
        .map(|path| path.to_string_lossy().replace('\\', "/"));
    let files = FILES
        .into_iter()
        .filter(|file| exercise.join(file).exists());
    folders.chain(files.map(str::to_owned)).collect()
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
            ("exercises/001-x/examples/bootstrap.rs", true),
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
    fn the_list_is_read_as_it_was_written() {
        let hash = hash(b"a");
        let text = format!(
            "# c\n\"exercises/001-x/tests/check.rs\" = \"{}\"\n",
            to_hex(hash)
        );
        let wanted = Protected::from([("exercises/001-x/tests/check.rs".to_owned(), hash)]);
        assert_eq!(parse_list(&text), Some(wanted));
        assert_eq!(parse_list("a = \"zz\""), None);
        assert_eq!(parse_list(&format!("a = \"{}0\"", to_hex(hash))), None);
    }

    #[test]
    fn line_ends_do_not_make_a_file_edited() {
        assert_eq!(hash(b"a\r\nb\r\n"), hash(b"a\nb\n"));
        assert_ne!(hash(b"a\nb\n"), hash(b"a\nc\n"));
    }
}
