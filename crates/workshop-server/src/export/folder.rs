//! The folder that is written: only what changed, and nothing of anybody else's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// Names the files that we wrote, one a line; a folder that has it is ours to write again.
const WRITTEN: &str = ".workshop-build";

/// What happened to files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// New, or with other bytes than before.
    pub changed: usize,
    /// As before; they were not touched.
    pub unchanged: usize,
    /// Written the last time, and no longer part of the site.
    pub removed: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why the folder was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It has files that we did not write.
    #[error(
        "{} is not empty, and was not written by `workshop build`; give an empty or a new folder",
        .0.display()
    )]
    NotOurs(PathBuf),
    /// Reading or writing failed.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Whether the folder may be written, before any work is done.
pub(super) fn check(out: &Path) -> Result<(), FolderError> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("read", out)(source)),
    };
    let ours = out.join(WRITTEN).is_file();
    if ours || entries.count() == 0 {
        return Ok(());
    }
    Err(FolderError::NotOurs(out.to_owned()))
}

/// Writes what differs, and removes what was written before and is no longer there.
pub(super) fn write(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Written, FolderError> {
    let mut written = Written::default();
    fs::create_dir_all(out).map_err(failed("make", out))?;
    let list = out.join(WRITTEN);
    let before: BTreeSet<String> = fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .filter(|name| is_plain(name))
        .map(str::to_owned)
        .collect();
    // Listed before they are there: if we are stopped, the next build still knows what is ours.
    let all: BTreeSet<&str> = before
        .iter()
        .chain(files.keys())
        .map(String::as_str)
        .collect();
    save_list(&list, all.into_iter())?;
    for (name, bytes) in files {
        let path = out.join(name);
        written.bytes += bytes.len() as u64;
        if fs::read(&path).is_ok_and(|old| old == *bytes) {
            written.unchanged += 1;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed("make", parent))?;
        }
        fs::write(&path, bytes).map_err(failed("write", &path))?;
        written.changed += 1;
    }
    for name in before.iter().filter(|name| !files.contains_key(*name)) {
        remove(out, name, &mut written)?;
    }
    save_list(&list, files.keys().map(String::as_str))?;
    Ok(written)
}

/// A name that stays below the folder, whatever somebody wrote into the list.
fn is_plain(name: &str) -> bool {
    let mut parts = name.split('/');
    !name.is_empty() && parts.all(|part| !matches!(part, "" | "." | "..")) && !name.contains('\\')
}

fn remove(out: &Path, name: &str, written: &mut Written) -> Result<(), FolderError> {
    let path = out.join(name);
    match fs::remove_file(&path) {
        Ok(()) => written.removed += 1,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed("remove", &path)(source)),
    }
    // Folders that became empty; the others stay.
    let parents = path.ancestors().skip(1).take_while(|dir| *dir != out);
    for parent in parents {
        if fs::remove_dir(parent).is_err() {
            break;
        }
    }
    Ok(())
}

fn save_list<'n>(list: &Path, names: impl Iterator<Item = &'n str>) -> Result<(), FolderError> {
    let text: String = names.flat_map(|name| [name, "\n"]).collect();
    if fs::read_to_string(list).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(list, text).map_err(failed("write", list))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io {
        doing,
        path,
        source,
    }
}
