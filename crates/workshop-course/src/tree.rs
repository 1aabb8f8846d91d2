//! The course's files as bytes, from a folder or from those built into the binary.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Diagnostic, document::line_of};

/// The folders of a course, below its root.
pub const FOLDERS: [&str; 3] = ["content", "diagrams", "exercises"];

/// Larger files are left out: no text or picture of a course needs more.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Deeper folders are left out; it also ends loops that a link might make.
const DEPTH_MAX: usize = 12;

/// Endings of pictures; every other file has to be text.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "webp", "avif"];

/// Files by their path relative to the course's root (with `/`).
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The folder they were read from; `None` for files built into the binary.
    pub root: Option<PathBuf>,
    /// The files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What was left out while reading, and why; [`crate::Course::load`] passes it on.
    pub diagnostics: Vec<Diagnostic>,
}

/// What tools leave in a course's folders.
const NOT_THE_COURSE: [&str; 3] = ["target", "node_modules", "Cargo.lock"];

impl Tree {
    /// Reads `content/`, `diagrams/`, `exercises/` below `root`: texts and pictures of at most
    /// [`FILE_BYTES_MAX`]. Build output (`target/`), hidden files and symbolic links are left out,
    /// and so is `Cargo.lock`.
    ///
    /// A folder that is absent is an empty one. The error is about `root` itself; a file that
    /// cannot be read is a diagnostic.
    pub fn read(root: &Path) -> io::Result<Self> {
        fs::read_dir(root).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot read the course folder {}: {error}", root.display()),
            )
        })?;
        let mut tree = Self {
            root: Some(root.to_path_buf()),
            ..Self::default()
        };
        for folder in FOLDERS {
            let path = root.join(folder);
            if path.is_dir() {
                tree.read_folder(&path, folder, 0);
            }
        }
        Ok(tree)
    }

    /// The file's text, if it is there and is UTF-8.
    pub fn text(&self, path: &str) -> Option<&str> {
        str::from_utf8(self.files.get(path)?).ok()
    }

    fn read_folder(&mut self, folder: &Path, name: &str, depth: usize) {
        if depth > DEPTH_MAX {
            self.left_out(
                name,
                "the folder lies too deep",
                "move it closer to the root",
            );
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let message = format!("cannot read the folder: {error}");
                self.left_out(name, &message, "check its permissions");
                return;
            }
        };
        for entry in entries.flatten() {
            let Some(file) = entry.file_name().to_str().map(str::to_owned) else {
                let message = format!("the name of {} is not UTF-8", entry.path().display());
                self.left_out(name, &message, "rename it");
                continue;
            };
            if file.starts_with('.') || NOT_THE_COURSE.contains(&file.as_str()) {
                continue;
            }
            let path = format!("{name}/{file}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.read_folder(&entry.path(), &path, depth + 1),
                Ok(kind) if kind.is_file() => self.read_file(&entry.path(), path),
                _ => self.left_out(
                    &path,
                    "not a file or folder",
                    "put a plain file in its place",
                ),
            }
        }
    }

    fn read_file(&mut self, path: &Path, name: String) {
        let bytes = match fs::metadata(path) {
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
                let message = format!(
                    "the file has {} bytes; the limit is {FILE_BYTES_MAX}",
                    metadata.len()
                );
                self.left_out(
                    &name,
                    &message,
                    "make it smaller or move it out of the course",
                );
                return;
            }
            _ => fs::read(path),
        };
        match bytes {
            Ok(bytes) if is_picture(&name) || str::from_utf8(&bytes).is_ok() => {
                self.files.insert(name, bytes);
            }
            Ok(bytes) => {
                let line = first_bad_line(&bytes);
                self.diagnostics.push(Diagnostic::error(
                    name,
                    line,
                    "the file is not UTF-8 text and is left out",
                    "save it as UTF-8",
                ));
            }
            Err(error) => {
                let message = format!("cannot read the file: {error}");
                self.left_out(&name, &message, "check its permissions");
            }
        }
    }

    fn left_out(&mut self, name: &str, message: &str, cure: &str) {
        self.diagnostics.push(Diagnostic::warning(
            name,
            0,
            format!("{message}; it is left out"),
            cure,
        ));
    }
}

/// Whether the ending is that of a picture that pages may show.
pub(crate) fn is_picture(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| {
        ending.eq_ignore_ascii_case("svg")
            || PICTURES.iter().any(|p| ending.eq_ignore_ascii_case(p))
    })
}

fn first_bad_line(bytes: &[u8]) -> usize {
    let good = match str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    line_of(bytes, good)
}
