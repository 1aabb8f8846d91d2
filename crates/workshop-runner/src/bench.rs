//! How long a student waits: from a saved edit to the verdict, measured.
//!
//! Works on a copy of the exercise in a generated workspace below the target folder, never on the
//! student's file. Each edit changes a literal inside a function, so that code really is generated
//! and linked again. The variants take turns within each round: what else the machine does
//! meanwhile hits all of them alike.

use std::{
    fs, io,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    CheckOptions, Outcome, Report, Workspace,
    cargo::{cargo, target_dir, without_outer_cargo},
    check_with,
    variants::{COPY, write_copy},
};

/// What was measured; each figure is a median over the rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    /// The exercise's id.
    pub exercise: String,
    /// Rounds.
    pub rounds: usize,
    /// Tests of the exercise.
    pub tests: usize,
    /// The first check of the copy: what had to be built, and the tests.
    pub first: Duration,
    /// Edit → verdict with `workshop check`.
    pub edit_to_verdict: Duration,
    /// `workshop check` once more without an edit: cargo's own work and the tests.
    pub no_edit: Duration,
    /// Edit → the end of `cargo test` for the same crate.
    pub cargo_test: Duration,
    /// Edit → the end of `cargo check`: when a type error could be shown at the earliest.
    pub cargo_check: Duration,
    /// Cargo alone, when there is nothing to build.
    pub cargo_no_edit: Duration,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The exercise is not there.
    #[error(transparent)]
    Workspace(#[from] crate::WorkspaceError),
    /// The copy cannot be made, or cargo cannot be run.
    #[error("{0}")]
    Prepare(String),
    /// A file of the copy cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The copy does not build, so there is nothing to measure.
    #[error("the copy of exercise {exercise} does not build:\n{diagnostics}")]
    DoesNotBuild {
        /// The exercise's id.
        exercise: String,
        /// What the compiler or cargo said.
        diagnostics: String,
    },
}

/// Measures `rounds` edits of a copy of that exercise (its solution, where there is one).
pub fn bench_loop(
    workspace: &Workspace,
    id: &str,
    rounds: usize,
    options: &CheckOptions,
) -> Result<BenchReport, BenchError> {
    let exercise = workspace.exercise(id)?;
    let target = match &options.target_dir {
        Some(dir) => dir.clone(),
        None => target_dir(workspace.root()).map_err(BenchError::Prepare)?,
    };
    let solution = exercise.dir.join("solution/lib.rs");
    let text =
        fs::read_to_string(&solution).or_else(|_| fs::read_to_string(exercise.student_file()));
    let text = text.map_err(|error| BenchError::Prepare(error.to_string()))?;
    let folder = target.join("workshop-bench").join(&exercise.name);
    let copy = write_copy(workspace.root(), &folder, &exercise)
        .map_err(|error| BenchError::Prepare(error.to_string()))?;
    let scratch = Scratch {
        workspace: Workspace::at(folder.join(COPY)),
        id: exercise.id.clone(),
        package: exercise.package(),
        file: copy,
        text,
        target,
        options: options.clone(),
        edits: std::process::id().into(),
    };
    scratch.measure(rounds.max(1))
}

struct Scratch {
    workspace: Workspace,
    id: String,
    package: String,
    file: PathBuf,
    text: String,
    target: PathBuf,
    options: CheckOptions,
    edits: u64,
}

impl Scratch {
    fn measure(mut self, rounds: usize) -> Result<BenchReport, BenchError> {
        self.edit()?;
        let started = Instant::now();
        let first = self.check()?;
        let first_took = started.elapsed();
        // Once unmeasured: `cargo check` and `cargo test` build things of their own the first time.
        self.cargo(&["check", "-p", &self.package])?;
        self.cargo(&["test", "-p", &self.package])?;
        let mut samples: [Vec<Duration>; 5] = Default::default();
        for _ in 0..rounds {
            self.edit()?;
            samples[0].push(timed(|| self.check())?);
            samples[1].push(timed(|| self.check())?);
            samples[2].push(timed(|| {
                self.cargo(&["test", "--no-run", "-p", &self.package, "--test", "check"])
            })?);
            self.edit()?;
            samples[3].push(timed(|| self.cargo(&["test", "-p", &self.package]))?);
            self.edit()?;
            samples[4].push(timed(|| self.cargo(&["check", "-p", &self.package]))?);
        }
        let [edit, no_edit, cargo_no_edit, cargo_test, cargo_check] = samples.map(median);
        Ok(BenchReport {
            exercise: self.id,
            rounds,
            tests: first.tests.len(),
            first: first_took,
            edit_to_verdict: edit,
            no_edit,
            cargo_test,
            cargo_check,
            cargo_no_edit,
        })
    }

    /// Saves the copy with another literal in a function of its own.
    fn edit(&mut self) -> Result<(), BenchError> {
        self.edits += 1;
        let text = format!(
            "{}\n/// Changed for each measurement.\n#[doc(hidden)]\npub fn edited(n: u64) -> u64 {{\n    n.wrapping_mul({}) + 1\n}}\n",
            self.text, self.edits
        );
        fs::write(&self.file, text).map_err(|source| BenchError::Write {
            path: self.file.clone(),
            source,
        })
    }

    fn check(&self) -> Result<Report, BenchError> {
        let options = CheckOptions {
            target_dir: Some(self.target.clone()),
            unrecorded: true,
            ..self.options.clone()
        };
        let report = check_with(&self.workspace, &self.id, &options, &mut |_| {});
        match report {
            Some(report) if matches!(report.outcome, Outcome::Solved | Outcome::NotSolved) => {
                Ok(report)
            }
            Some(report) => Err(BenchError::DoesNotBuild {
                exercise: self.id.clone(),
                diagnostics: report.diagnostics.join("\n"),
            }),
            None => Err(BenchError::Prepare("it was cancelled".into())),
        }
    }

    /// Cargo as a person would call it; failing tests are no failure here.
    fn cargo(&self, args: &[&str]) -> Result<(), BenchError> {
        let mut command = Command::new(cargo());
        command
            .args(args)
            .arg("--offline")
            .current_dir(self.workspace.root())
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        without_outer_cargo(&mut command);
        let ran = command.status();
        ran.map(|_| ())
            .map_err(|error| BenchError::Prepare(format!("cargo could not be started: {error}")))
    }
}

fn timed<T>(run: impl FnOnce() -> Result<T, BenchError>) -> Result<Duration, BenchError> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed())
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

/// For people: one figure a line, in seconds.
impl std::fmt::Display for BenchReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let row = |f: &mut std::fmt::Formatter<'_>, name: &str, took: Duration| {
            writeln!(f, "  {name:<44} {:>7.2} s", took.as_secs_f64())
        };
        writeln!(
            f,
            "exercise {}, {} tests, medians of {} rounds",
            self.exercise, self.tests, self.rounds
        )?;
        row(f, "edit → verdict (workshop check)", self.edit_to_verdict)?;
        row(f, "edit → end of cargo test", self.cargo_test)?;
        row(f, "edit → type errors (cargo check)", self.cargo_check)?;
        row(f, "no edit → verdict (workshop check)", self.no_edit)?;
        row(f, "no edit: cargo alone", self.cargo_no_edit)?;
        row(f, "first check of the copy", self.first)
    }
}
