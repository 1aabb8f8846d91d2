//! What the student has reached: `.workshop/progress.json`.
//!
//! Plain JSON that reads well without us. It is replaced atomically (a new file, flushed to the
//! disk, renamed over the old one), so a crash at any moment leaves the old or the new state; a
//! lock file makes several writers (a watcher, the site, a second terminal) take turns. A file
//! that is no longer valid JSON is put aside, never overwritten.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Outcome, Report, TestStatus, Workspace, recall::Remembered};

/// The newest format this program writes.
const VERSION: u32 = 1;

/// Verdicts kept for each exercise.
const HISTORY_MAX: usize = 20;

/// Everything the student has reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Format of the file.
    pub version: u32,
    /// By exercise id.
    #[serde(default)]
    pub exercises: BTreeMap<String, Entry>,
    /// Recall questions that were answered, by their text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recall: BTreeMap<String, Remembered>,
    /// Bugs found on find-the-bug pages: their ids, and when each was found (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bugs: BTreeMap<String, String>,
    /// Fields written by a newer program are kept.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// What the student has reached in one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// How far.
    pub state: State,
    /// When a check first failed (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_red: Option<String>,
    /// When a check first succeeded (RFC 3339, UTC). It stays when the code is changed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solved_at: Option<String>,
    /// Checks that reached a verdict.
    pub runs: u32,
    /// The highest hint that was shown (0 to 3).
    pub hints: u8,
    /// When the solution was first shown (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solution_shown: Option<String>,
    /// When the student chose to go on without solving it (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_at: Option<String>,
    /// The last verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// The last twenty verdicts, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Past>,
    /// Fields written by a newer program are kept.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// How far an exercise is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never checked.
    #[default]
    New,
    /// Checked, not yet solved.
    Started,
    /// Solved, by the course's own tests.
    Solved,
}

/// The last verdict on an exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Last {
    /// When (RFC 3339, UTC).
    pub at: String,
    /// Tests that passed.
    pub passed: usize,
    /// Tests in all; 0 when it did not compile.
    pub total: usize,
    /// Names of the tests that did not pass.
    pub failing: Vec<String>,
}

/// One verdict of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// When (RFC 3339, UTC).
    pub at: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Tests that passed.
    #[serde(default)]
    pub passed: usize,
    /// Tests in all; 0 when it did not compile.
    #[serde(default)]
    pub total: usize,
    /// Milliseconds from start to verdict.
    #[serde(default)]
    pub ms: u64,
}

/// Why progress cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct ProgressError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            version: VERSION,
            exercises: BTreeMap::new(),
            recall: BTreeMap::new(),
            bugs: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }
}

impl Progress {
    /// The progress as saved; empty when there is none or it is unreadable (the next
    /// [`update`](Self::update) puts an unreadable file aside and says so).
    pub fn load(workspace: &Workspace) -> Self {
        let text = fs::read_to_string(path(workspace)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Reads, changes and saves progress, one writer at a time. The answer holds sentences for
    /// the student: a damaged file that was put aside.
    pub fn update(
        workspace: &Workspace,
        change: impl FnOnce(&mut Self),
    ) -> Result<Vec<String>, ProgressError> {
        let folder = workspace.state_dir();
        fs::create_dir_all(&folder).map_err(at("create", &folder))?;
        let lock_path = folder.join("progress.lock");
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&lock_path);
        let lock = lock.map_err(at("open", &lock_path))?;
        // Released by the system when the file is closed, however this process ends.
        lock.lock().map_err(at("lock", &lock_path))?;
        let (mut progress, notes) = read_or_put_aside(workspace)?;
        change(&mut progress);
        progress.save(workspace)?;
        Ok(notes)
    }

    /// Whether that exercise is solved.
    pub fn solved(&self, id: &str) -> bool {
        self.state(id) == State::Solved
    }

    /// How far that exercise is.
    pub fn state(&self, id: &str) -> State {
        self.exercises.get(id).map_or(State::New, |e| e.state)
    }

    /// Where the student left off, of the course's exercises in their order: the one they were
    /// last at if it is unsolved, else the first after it that is neither solved nor skipped,
    /// else the first such of all; `None` when everything is solved.
    pub fn current<'a>(&self, course: &[&'a str]) -> Option<&'a str> {
        let open = |id: &&&str| {
            let entry = self.exercises.get(**id);
            entry.is_none_or(|e| e.state != State::Solved && e.skipped_at.is_none())
        };
        let last = course
            .iter()
            .enumerate()
            .filter_map(|(n, id)| Some((self.exercises.get(*id)?.last.as_ref()?.at.as_str(), n)))
            .max();
        let from = last.map_or(0, |(_at, n)| n);
        let found = course[from..]
            .iter()
            .find(open)
            .or_else(|| course.iter().find(open));
        let skipped = || course.iter().find(|id| !self.solved(id));
        found.or_else(skipped).copied()
    }

    /// Whether the solution may be shown without asking for it expressly: after success.
    pub fn solution_allowed(&self, id: &str) -> bool {
        self.solved(id)
    }

    /// Takes a verdict into account. A broken set-up is no verdict on the student's work.
    pub fn record(&mut self, report: &Report, now: OffsetDateTime) {
        use Outcome::{BrokenSetup, DoesNotCompile, NotSolved, Solved};
        if report.outcome == BrokenSetup {
            return;
        }
        let now = stamp(now);
        let entry = self.entry(&report.exercise);
        entry.runs = entry.runs.saturating_add(1);
        if entry.state == State::New {
            entry.state = State::Started;
        }
        match report.outcome {
            Solved if report.counts() => {
                entry.state = State::Solved;
                entry.skipped_at = None;
                entry.solved_at.get_or_insert_with(|| now.clone());
            }
            NotSolved | DoesNotCompile => {
                entry.first_red.get_or_insert_with(|| now.clone());
            }
            Solved | BrokenSetup => {}
        }
        if entry.history.len() >= HISTORY_MAX {
            entry.history.drain(..=entry.history.len() - HISTORY_MAX);
        }
        entry.history.push(Past {
            at: now.clone(),
            outcome: report.outcome,
            passed: report.passed(),
            total: report.tests.len(),
            ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
        });
        let failing = report
            .tests
            .iter()
            .filter(|t| t.status != TestStatus::Passed);
        entry.last = Some(Last {
            at: now,
            passed: report.passed(),
            total: report.tests.len(),
            failing: failing.map(|t| t.name.clone()).collect(),
        });
    }

    /// Remembers that a hint was shown.
    pub fn hint_shown(&mut self, id: &str, level: u8) {
        let entry = self.entry(id);
        entry.hints = entry.hints.max(level);
    }

    /// Remembers that the solution was shown.
    pub fn solution_shown(&mut self, id: &str, now: OffsetDateTime) {
        self.entry(id)
            .solution_shown
            .get_or_insert_with(|| stamp(now));
    }

    /// Remembers that the student goes on without solving it.
    pub fn skip(&mut self, id: &str, now: OffsetDateTime) {
        let entry = self.entry(id);
        if entry.state != State::Solved {
            entry.skipped_at = Some(stamp(now));
        }
    }

    /// Remembers that a bug was found; the first time counts.
    pub fn bug_found(&mut self, id: &str, now: OffsetDateTime) {
        self.bugs.entry(id.to_owned()).or_insert_with(|| stamp(now));
    }

    fn entry(&mut self, id: &str) -> &mut Entry {
        self.exercises.entry(id.to_owned()).or_default()
    }

    fn save(&self, workspace: &Workspace) -> Result<(), ProgressError> {
        let path = path(workspace);
        let folder = workspace.state_dir();
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        let mut new = tempfile::Builder::new()
            .prefix(".progress-")
            .tempfile_in(&folder)
            .map_err(at("write into", &folder))?;
        new.write_all(text.as_bytes()).map_err(at("write", &path))?;
        new.as_file().sync_all().map_err(at("write", &path))?;
        new.persist(&path)
            .map_err(|e| at("replace", &path)(e.error))?;
        // Makes the rename itself durable; folders cannot be synced everywhere.
        let _ = File::open(&folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Records a check's verdict and adds what has to be said to the report's notes.
pub(crate) fn record(workspace: &Workspace, report: &mut Report) {
    let now = OffsetDateTime::now_utc();
    match Progress::update(workspace, |progress| progress.record(report, now)) {
        Ok(notes) => report.notes.extend(notes),
        Err(error) => report
            .notes
            .push(format!("progress was not saved: {error}")),
    }
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.state_dir().join("progress.json")
}

fn read_or_put_aside(workspace: &Workspace) -> Result<(Progress, Vec<String>), ProgressError> {
    let path = path(workspace);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(error) => return Err(at("read", &path)(error)),
    };
    let error = match serde_json::from_slice(&bytes) {
        Ok(progress) => return Ok((progress, Vec::new())),
        Err(error) => error,
    };
    let aside = path.with_file_name(format!("progress.json.bad-{}", crate::live::now_ms()));
    fs::rename(&path, &aside).map_err(at("put aside", &path))?;
    let note = format!(
        "{} could not be read ({error}). It has been kept as {} and progress starts anew; mend it and rename it back if you can.",
        path.display(),
        aside.display()
    );
    Ok((Progress::default(), vec![note]))
}

fn at(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> ProgressError {
    let path = path.to_owned();
    move |source| ProgressError {
        doing,
        path,
        source,
    }
}

/// To the second, so that the file stays readable.
fn stamp(now: OffsetDateTime) -> String {
    let now = now.replace_nanosecond(0).unwrap_or(now);
    now.format(&Rfc3339).unwrap_or_default()
}
