//! Where the student's files are.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// A checkout of the workshop: the folder with `Cargo.toml`, `exercises/` and `.workshop/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// One exercise's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExerciseDir {
    /// Three digits.
    pub id: String,
    /// The folder's name, `001-first-converse-call`.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
}

/// Why an exercise cannot be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// There is no `exercises/` here.
    #[error("{} is not a checkout of the workshop: it has no `exercises` folder; run this inside your clone", root.display())]
    NotAWorkspace {
        /// The folder that was taken for the checkout.
        root: PathBuf,
    },
    /// No folder has that id.
    #[error("there is no exercise {id}; there are: {known}")]
    NoExercise {
        /// The id asked for.
        id: String,
        /// The ids there are.
        known: String,
    },
    /// A folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Workspace {
    /// The workspace at that folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The nearest folder at or above `start` that has `Cargo.toml` and `exercises/`.
    pub fn find(start: &Path) -> Result<Self, WorkspaceError> {
        start
            .ancestors()
            .find(|dir| dir.join("Cargo.toml").is_file() && dir.join("exercises").is_dir())
            .map(Self::at)
            .ok_or_else(|| WorkspaceError::NotAWorkspace {
                root: start.to_owned(),
            })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `.workshop/`: progress, the event log and backups. Not under version control.
    pub fn state_dir(&self) -> PathBuf {
        self.root.join(".workshop")
    }

    /// `.workshop/live.jsonl`.
    pub fn live_log(&self) -> PathBuf {
        self.state_dir().join("live.jsonl")
    }

    /// All exercises, in order of their ids.
    pub fn exercises(&self) -> Result<Vec<ExerciseDir>, WorkspaceError> {
        let folder = self.root.join("exercises");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WorkspaceError::NotAWorkspace {
                    root: self.root.clone(),
                });
            }
            Err(source) => {
                return Err(WorkspaceError::Unreadable {
                    path: folder,
                    source,
                });
            }
        };
        let mut found: Vec<_> = entries
            .flatten()
            .filter_map(|entry| ExerciseDir::from_folder(&entry.path()))
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The exercise a person means by `1`, `001`, `ex001` or `001-first-converse-call`.
    pub fn exercise(&self, id: &str) -> Result<ExerciseDir, WorkspaceError> {
        let exercises = self.exercises()?;
        let wanted = normal_id(id);
        if let Some(found) = exercises.iter().find(|e| e.id == wanted || e.name == id) {
            return Ok(found.clone());
        }
        let known: Vec<_> = exercises.iter().map(|e| e.id.as_str()).collect();
        Err(WorkspaceError::NoExercise {
            id: id.to_owned(),
            known: known.join(", "),
        })
    }
}

/// `1`, `ex1`, `001-first-converse-call` → `001`.
fn normal_id(id: &str) -> String {
    let id = id.trim().trim_start_matches("ex");
    let digits = id.split('-').next().unwrap_or(id);
    format!("{digits:0>3}")
}

/// How long one test of an exercise may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pace {
    /// A test of a solution.
    pub(crate) test: Duration,
    /// Why it may take longer than others'.
    pub(crate) because: Option<String>,
}

impl ExerciseDir {
    /// How long its tests may take, where they take longer than those of others: `seconds` below
    /// `[package.metadata.workshop]` in its manifest. Students cannot change it: the manifest is protected.
    pub fn patience(&self) -> Option<Duration> {
        let seconds = self.metadata()?.get("seconds")?.as_integer()?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// How long one test may take: two seconds, or `test-seconds` in the same place, and then
    /// `test-seconds-because` has to say why.
    pub(crate) fn pace(&self) -> Result<Pace, String> {
        let metadata = self.metadata().unwrap_or_default();
        let Some(seconds) = metadata.get("test-seconds") else {
            return Ok(Pace {
                test: Duration::from_secs(2),
                because: None,
            });
        };
        let seconds = seconds.as_integer().and_then(|n| u64::try_from(n).ok());
        let because = metadata.get("test-seconds-because");
        let because = because.and_then(|why| why.as_str());
        match (seconds, because.filter(|why| !why.trim().is_empty())) {
            (Some(seconds @ 1..), Some(why)) => Ok(Pace {
                test: Duration::from_secs(seconds),
                because: Some(why.to_owned()),
            }),
            _ => Err("Cargo.toml: test-seconds must be a whole number, and test-seconds-because must say why one test takes so long".to_owned()),
        }
    }

    /// `[package.metadata.workshop]` of its manifest.
    fn metadata(&self) -> Option<toml::Table> {
        let manifest = fs::read_to_string(self.dir.join("Cargo.toml")).ok()?;
        let manifest: toml::Table = manifest.parse().ok()?;
        let workshop = manifest.get("package")?.get("metadata")?.get("workshop")?;
        workshop.as_table().cloned()
    }

    fn from_folder(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (id, _slug) = name.split_once('-')?;
        let is_id = id.len() == 3 && id.bytes().all(|b| b.is_ascii_digit());
        (is_id && path.is_dir()).then(|| Self {
            id: id.to_owned(),
            name: name.to_owned(),
            dir: path.to_owned(),
        })
    }

    /// The cargo package: `ex001`.
    pub fn package(&self) -> String {
        format!("ex{}", self.id)
    }

    /// The file the student edits.
    pub fn student_file(&self) -> PathBuf {
        self.dir.join(STUDENT_FILE)
    }
}

/// The file the student edits, relative to the exercise's folder.
pub const STUDENT_FILE: &str = "src/lib.rs";

/// What the student's file begins as, and becomes again by a reset; nobody edits it but authors.
pub const STARTER: &str = "starter/lib.rs";
