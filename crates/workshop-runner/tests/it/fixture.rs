//! A workspace with one exercise, in a temporary folder.

use std::{fs, path::PathBuf, time::Duration};

use workshop_runner::{
    CheckOptions, Limits, Report, TestResult, Workspace, check_with, live::Event,
};

pub(crate) struct Fixture {
    pub(crate) workspace: Workspace,
    _folder: tempfile::TempDir,
}

pub(crate) const MANIFEST: &str = "[package]\nname = \"ex001\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ndoctest = false\ntest = false\n";

impl Fixture {
    /// An exercise 001 with that starter and those tests.
    pub(crate) fn new(lib: &str, tests: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Self {
            workspace: Workspace::at(folder.path()),
            _folder: folder,
        };
        fixture.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n[profile.dev]\ndebug = \"line-tables-only\"\n",
        );
        fixture.write("exercises/001-fixture/Cargo.toml", MANIFEST);
        fixture.lib(lib);
        fixture.write("exercises/001-fixture/tests/check.rs", tests);
        fixture
    }

    pub(crate) fn lib(&self, text: &str) {
        self.write("exercises/001-fixture/src/lib.rs", text);
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.workspace.root().join(path)
    }

    pub(crate) fn check(&self) -> Report {
        self.check_with(&options()).0
    }

    /// The report and the events.
    pub(crate) fn check_with(&self, options: &CheckOptions) -> (Report, Vec<Event>) {
        let mut events = Vec::new();
        // A folder of its own: tests do not wait for each other's cargo.
        let options = &CheckOptions {
            target_dir: Some(self.path("target")),
            ..options.clone()
        };
        let report = check_with(&self.workspace, "001", options, &mut |e| {
            events.push(e.clone());
        });
        (report.expect("nobody cancels"), events)
    }
}

/// With the guard, and limits that keep the tests short.
pub(crate) fn options() -> CheckOptions {
    CheckOptions {
        guard: Some(env!("CARGO_BIN_EXE_workshop-guard").into()),
        limits: Limits {
            wall: Duration::from_secs(20),
            ..Limits::default()
        },
        ..CheckOptions::default()
    }
}

/// The result of that test.
pub(crate) fn test<'a>(report: &'a Report, name: &str) -> &'a TestResult {
    let found = report.tests.iter().find(|t| t.name == name);
    found.unwrap_or_else(|| panic!("no test {name} in {report:#?}"))
}
