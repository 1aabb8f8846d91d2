//! Where the course comes from: a folder, the checkout around us, or the binary itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use workshop_course::{Course, Tree};
use workshop_runner::Workspace;

/// The course built into the binary, by path relative to the repository's root.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/course.rs"));

/// What the command line works on.
#[derive(Debug)]
pub(crate) struct Source {
    /// The folder the course is read from; `None`: built in.
    pub(crate) folder: Option<PathBuf>,
    /// The checkout in which exercises are edited and checked, if there is one.
    pub(crate) workspace: Option<Workspace>,
}

impl Source {
    /// Finds the course: `--course`, else the checkout around the current folder, else built in.
    pub(crate) fn find(course: Option<&Path>) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("cannot read the current folder")?;
        if let Some(folder) = course {
            let folder = here.join(folder);
            if !folder.is_dir() {
                bail!(
                    "--course {}: there is no such folder; give a folder with content/, diagrams/ or exercises/",
                    folder.display()
                );
            }
            let workspace = is_checkout(&folder).then(|| Workspace::at(&folder));
            return Ok(Self {
                folder: Some(folder),
                workspace,
            });
        }
        let checkout = here.ancestors().find(|dir| is_checkout(dir));
        Ok(Self {
            folder: checkout.map(Path::to_owned),
            workspace: checkout.map(Workspace::at),
        })
    }

    /// The course's files as they are now.
    pub(crate) fn tree(&self) -> anyhow::Result<Tree> {
        match &self.folder {
            Some(folder) => Tree::read(folder)
                .with_context(|| format!("cannot read the course in {}", folder.display())),
            None => Ok(built_in()),
        }
    }

    /// The course as it is now.
    pub(crate) fn course(&self) -> anyhow::Result<Course> {
        Ok(Course::load(&self.tree()?))
    }

    /// The checkout, or an error that says how to get one.
    pub(crate) fn workspace(&self) -> anyhow::Result<&Workspace> {
        self.workspace.as_ref().context(
            "no exercises here: run this inside a checkout of the workshop (a folder with Cargo.toml and exercises/)",
        )
    }
}

/// The course built into the binary; working copies are the starters.
pub(crate) fn built_in() -> Tree {
    let mut files: BTreeMap<String, Vec<u8>> = BUILT_IN
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
        .collect();
    let starters = BUILT_IN.iter().filter_map(|(name, bytes)| {
        let dir = name.strip_suffix("/starter/lib.rs")?;
        Some((format!("{dir}/src/lib.rs"), bytes.to_vec()))
    });
    files.extend(starters);
    Tree {
        root: None,
        files,
        ..Tree::default()
    }
}

fn is_checkout(dir: &Path) -> bool {
    dir.join("exercises").is_dir() && dir.join("Cargo.toml").is_file()
}

/// The course as it was when nobody had worked on it: every working copy is its starter. For an
/// exercise folder that the binary does not know (a course of somebody else's), that course.
pub(crate) fn as_shipped(exercise_dir: &str, source: &Source) -> anyhow::Result<Tree> {
    let mut tree = built_in();
    let starter = |dir: &str| format!("{dir}/starter/lib.rs");
    if !tree.files.contains_key(&starter(exercise_dir)) {
        tree = source.tree()?;
    }
    if let Some(text) = tree.files.get(&starter(exercise_dir)).cloned() {
        tree.files
            .insert(format!("{exercise_dir}/src/lib.rs"), text);
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever has only the binary reads the same course: no file that a page needs stayed out.
    #[test]
    fn the_built_in_course_has_no_findings() {
        let course = Course::load(&built_in());
        let found: Vec<String> = course.diagnostics.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert!(!course.bugs.is_empty() && !course.posts.is_empty());
    }
}
