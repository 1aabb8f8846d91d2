//! Where the student's files are.

use std::path::{Path, PathBuf};

/// A checkout of the workshop: the folder with `Cargo.toml`, `exercises/` and `.workshop/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace at that folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
