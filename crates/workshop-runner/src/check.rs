//! One exercise: build, run each test in a process of its own, verdict.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    CancelToken, Workspace,
    cargo::{Build, Built, CompilerMessage, Products, Progress, target_dir, toolchain_libraries},
    course_files::{Backup, Protected, edited},
    integrity::{Watch, compiled_in, edited_kit},
    live::{Event, Log, now_ms},
    process::Limits,
    progress::record,
    suite::{Ran, Suite},
    workspace::{ExerciseDir, STUDENT_FILE},
};

/// How a check ended; each has an exit code of its own in the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every test passed.
    Solved,
    /// It compiles, but a test fails.
    NotSolved,
    /// The student's file does not compile.
    DoesNotCompile,
    /// Something else is broken: no cargo, a full disk, an edited test.
    BrokenSetup,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The exercise's id.
    pub exercise: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The tests, in the order of the test file.
    pub tests: Vec<TestResult>,
    /// Compiler messages about the student's file, rendered by rustc; or why the set-up is broken.
    pub diagnostics: Vec<String>,
    /// The same messages as data, one for each of `diagnostics`; empty when the set-up is broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Sentences on what else happened: files put back, tests that are not the course's.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether the tests differ from the course's (then success is not counted).
    pub tampered: bool,
    /// From start to verdict.
    pub elapsed: Duration,
}

/// What the compiler says about a place in the exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// `error` or `warning`.
    pub level: String,
    /// `E0308`, or the lint's name.
    pub code: Option<String>,
    /// Without place and source.
    pub message: String,
    /// What it says about the place itself (`expected String, found &str`).
    pub label: Option<String>,
    /// Relative to the exercise's folder; `None` when it is about no place.
    pub place: Option<Place>,
}

/// A place in a source file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Relative to the exercise's folder, with `/`.
    pub file: String,
    /// Its first line.
    pub line: usize,
    /// Its first column.
    pub column: usize,
    /// Its last line.
    pub end_line: usize,
    /// The column behind its end.
    pub end_column: usize,
}

/// One test's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Its name, a sentence in snake case.
    pub name: String,
    /// How it ended.
    pub status: TestStatus,
    /// The failure's message; empty when it passed.
    pub message: String,
    /// Where the failure was raised (`src/lib.rs:12:5`), if known.
    pub location: Option<String>,
    /// What it printed, cut at a limit.
    pub output: String,
    /// Milliseconds it ran.
    pub ms: u64,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestStatus {
    /// As it should.
    Passed,
    /// An assertion failed, or the code panicked.
    Failed,
    /// Stopped: it ran too long.
    TimedOut,
    /// Stopped or ended abnormally: flood of output, `exit`, a signal.
    Aborted,
}

/// How to check; the default is what a student gets.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// What each test may use.
    pub limits: Limits,
    /// The program that acts as [guard](mod@crate::guard); without one, tests run directly in a
    /// process group, and a daemon they start may survive them.
    pub guard: Option<PathBuf>,
    /// Stops the check.
    pub cancel: CancelToken,
    /// The course's own files, to tell whether the tests are still the course's.
    pub protected: Protected,
    /// Where cargo builds; without it, where the user's cargo builds.
    pub target_dir: Option<PathBuf>,
    /// Whether compiler messages carry terminal colours.
    pub color: bool,
    /// Whether to leave `.workshop/` alone: no progress, no events (for benchmarks).
    pub unrecorded: bool,
}

/// Checks one exercise, telling `on_event` what happens as it happens.
pub fn check(workspace: &Workspace, id: &str, on_event: &mut dyn FnMut(&Event)) -> Report {
    // Only the holder of a token can cancel a check, and nobody holds this one.
    check_with(workspace, id, &CheckOptions::default(), on_event)
        .unwrap_or_else(|| Report::broken(id, "the check was cancelled".to_owned(), Instant::now()))
}

/// The limits of a run against real Bedrock; the testkit enforces them on every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BedrockLimits {
    /// Requests of one run; reaches the tests as `WORKSHOP_MAX_CALLS`.
    pub max_calls: u32,
    /// `maxTokens` of each request; reaches the tests as `WORKSHOP_MAX_TOKENS`.
    pub max_tokens: u32,
    /// Seconds the whole run may take.
    pub wall: Duration,
}

impl BedrockLimits {
    /// With two minutes for the whole run.
    pub fn new(max_calls: u32, max_tokens: u32) -> Self {
        Self {
            max_calls,
            max_tokens,
            wall: Duration::from_mins(2),
        }
    }
}

/// Runs the exercise's `tests/bedrock.rs` against real Bedrock; `None` when it was cancelled.
///
/// It is built with the feature `live` (an SDK with TLS) in a target folder of its own,
/// `<target>/bedrock`, so that the student's loop keeps its build. The user's AWS configuration
/// reaches the tests. They run one after another and only once. Whoever calls this has shown the
/// price ceiling and asked. Progress is not touched: only the emulator's tests count.
pub fn check_bedrock(
    workspace: &Workspace,
    id: &str,
    limits: BedrockLimits,
    options: &CheckOptions,
    on_event: &mut dyn FnMut(&Event),
) -> Option<Report> {
    run(workspace, id, options, Some(limits), on_event)
}

/// Checks one exercise; `None` when it was cancelled.
pub fn check_with(
    workspace: &Workspace,
    id: &str,
    options: &CheckOptions,
    on_event: &mut dyn FnMut(&Event),
) -> Option<Report> {
    run(workspace, id, options, None, on_event)
}

fn run(
    workspace: &Workspace,
    id: &str,
    options: &CheckOptions,
    bedrock: Option<BedrockLimits>,
    on_event: &mut dyn FnMut(&Event),
) -> Option<Report> {
    let started = Instant::now();
    let exercise = match workspace.exercise(id) {
        Ok(exercise) => exercise,
        Err(error) => return Some(Report::broken(id, error.to_string(), started)),
    };
    let mut log = if options.unrecorded {
        None
    } else {
        // A log that cannot be written (read-only folder) must not stop anybody from learning.
        Log::open(&workspace.live_log()).ok()
    };
    let mut tell = |event: Event| {
        if let Some(log) = &mut log {
            let _ = log.append(&event);
        }
        on_event(&event);
    };
    let id = exercise.id.clone();
    tell(Event::Started {
        exercise: id.clone(),
        t: now_ms(),
    });
    if bedrock.is_some() {
        tell(Event::Bedrock {
            exercise: id.clone(),
        });
    }
    let Some(mut report) = build_and_run(workspace, &exercise, options, bedrock, &mut tell) else {
        tell(Event::Stopped {
            exercise: id,
            t: now_ms(),
        });
        return None;
    };
    report.tampered |= note_edits(&exercise, options, &mut report.notes);
    report.elapsed = started.elapsed();
    if !options.unrecorded && bedrock.is_none() {
        record(workspace, &mut report);
    }
    tell(Event::Finished {
        exercise: id,
        outcome: report.outcome,
        passed: report.passed(),
        total: report.tests.len(),
        diagnostics: report.diagnostics.clone(),
        problems: report.problems.clone(),
        t: now_ms(),
    });
    Some(report)
}

impl Report {
    /// How many tests passed.
    pub fn passed(&self) -> usize {
        let passed = self.tests.iter().filter(|t| t.status == TestStatus::Passed);
        passed.count()
    }

    /// Whether this counts as success: solved, by the course's own tests.
    pub fn counts(&self) -> bool {
        self.outcome == Outcome::Solved && !self.tampered
    }

    fn new(exercise: &str, outcome: Outcome) -> Self {
        Self {
            exercise: exercise.to_owned(),
            outcome,
            tests: Vec::new(),
            diagnostics: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            tampered: false,
            elapsed: Duration::ZERO,
        }
    }

    fn broken(exercise: &str, why: String, started: Instant) -> Self {
        Self {
            diagnostics: vec![why],
            elapsed: started.elapsed(),
            ..Self::new(exercise, Outcome::BrokenSetup)
        }
    }
}

fn build_and_run(
    workspace: &Workspace,
    exercise: &ExerciseDir,
    options: &CheckOptions,
    bedrock: Option<BedrockLimits>,
    tell: &mut dyn FnMut(Event),
) -> Option<Report> {
    let id = exercise.id.as_str();
    let suite_name = if bedrock.is_some() {
        "bedrock"
    } else {
        "check"
    };
    let source = exercise.dir.join(format!("tests/{suite_name}.rs"));
    if bedrock.is_some() && !source.exists() {
        let why = format!("Exercise {id} has no part that runs against real Bedrock.");
        return Some(Report::broken(id, why, Instant::now()));
    }
    let build_dir = match (bedrock, &options.target_dir) {
        (None, dir) => dir.clone(),
        (Some(_), Some(dir)) => Some(dir.join("bedrock")),
        (Some(_), None) => match target_dir(workspace.root()) {
            Ok(dir) => Some(dir.join("bedrock")),
            Err(why) => return Some(Report::broken(id, why, Instant::now())),
        },
    };
    // Needed to run, not to build: found out while cargo works.
    let libraries = {
        let root = workspace.root().to_owned();
        thread::spawn(move || toolchain_libraries(&root))
    };
    let order = Build {
        root: workspace.root().to_owned(),
        args: build_args(exercise, suite_name),
        env: Vec::new(),
        target_dir: build_dir,
        color: options.color,
        guard: options.guard.clone(),
        cancel: options.cancel.clone(),
    };
    let built = order.run(&mut |progress| {
        let exercise = id.to_owned();
        tell(match progress {
            Progress::Crates { done, total } => Event::Building {
                exercise,
                done,
                total,
            },
            Progress::Note(text) => Event::Note { exercise, text },
        });
    });
    let products = match built {
        Built::Ready(products) => products,
        Built::Failed(products) => return Some(does_not_compile(exercise, &products)),
        Built::Broken(why) => return Some(Report::broken(id, why, Instant::now())),
        Built::Cancelled => return None,
    };
    let Some(program) = products.tests.iter().find(|t| t.target == suite_name) else {
        let why = format!(
            "cargo built no test program for exercise {id}: is tests/{suite_name}.rs there?"
        );
        return Some(Report::broken(id, why, Instant::now()));
    };
    let mut dirs: Vec<PathBuf> = products.library_dirs.iter().cloned().collect();
    dirs.extend(libraries.join().ok().flatten());
    let suite = Suite {
        program: program.path.clone(),
        text: fs::read_to_string(&source).unwrap_or_default(),
        source,
        manifest_dir: exercise.dir.clone(),
        package: exercise.package(),
        library_dirs: dirs,
        live: (!options.unrecorded).then(|| workspace.live_log()),
        limits: Limits {
            wall: bedrock.map_or(options.limits.wall, |limits| limits.wall),
            ..options.limits.clone()
        },
        patience: exercise.patience(),
        guard: options.guard.clone(),
        bedrock: bedrock.map(|limits| {
            vec![
                ("WORKSHOP_MAX_CALLS", limits.max_calls.to_string()),
                ("WORKSHOP_MAX_TOKENS", limits.max_tokens.to_string()),
            ]
        }),
        threads: match bedrock {
            Some(_) => 1,
            None => thread::available_parallelism().map_or(1, usize::from),
        },
        trial: Vec::new(),
        offline: None,
        cancel: options.cancel.clone(),
    };
    let backup = Backup::take(&exercise.dir);
    let watch = Watch::start(exercise);
    let ran = suite.run(&mut |result| {
        let result = in_exercise(result.clone(), workspace, exercise);
        tell(Event::Test {
            exercise: id.to_owned(),
            result,
        });
    });
    let mut report = match ran {
        Ran::Done(tests) => {
            let tests: Vec<_> = tests
                .into_iter()
                .map(|test| in_exercise(test, workspace, exercise))
                .collect();
            let solved = tests.iter().all(|t| t.status == TestStatus::Passed);
            let outcome = if solved {
                Outcome::Solved
            } else {
                Outcome::NotSolved
            };
            Report {
                tests,
                ..Report::new(id, outcome)
            }
        }
        Ran::Broken(why) => Report::broken(id, why, Instant::now()),
        Ran::Cancelled => {
            backup.restore_missing();
            return None;
        }
    };
    if report.diagnostics.is_empty() {
        let own = products.messages.iter();
        let own = own.filter(|m| m.package == exercise.package() && !m.rendered.is_empty());
        said(&mut report, exercise, own);
    }
    if report.outcome == Outcome::Solved && bedrock.is_none() {
        let root = workspace.root();
        let compiled = compiled_in(root, exercise, &products);
        let read = read_twice(watch, exercise, &suite);
        let doubts = [
            doubt(
                &compiled,
                "is compiled into your crate",
                "Write the answer in src/lib.rs.",
            ),
            doubt(
                &read,
                "was read while the tests ran",
                "Find the answer without it; `workshop hint` helps.",
            ),
            doubt(
                &edited_kit(root),
                "differs from the last commit, and the tests stand on it",
                "`git checkout -- crates` undoes every change there.",
            ),
        ];
        report.tampered = doubts.iter().any(Option::is_some);
        report.notes.extend(doubts.into_iter().flatten());
    }
    report
        .notes
        .extend(keep_files(workspace, exercise, &backup));
    Some(report)
}

/// What student code read that it should not, in two runs: an editor or an indexer may have been the reader
/// of one.
fn read_twice(watch: Watch, exercise: &ExerciseDir, suite: &Suite) -> Vec<String> {
    let first = watch.read();
    if first.is_empty() {
        return first;
    }
    let again = Watch::start(exercise);
    suite.run(&mut |_| {});
    let again = again.read();
    first.into_iter().filter(|f| again.contains(f)).collect()
}

/// Why a success does not count, and what to do.
fn doubt(files: &[String], what: &str, cure: &str) -> Option<String> {
    let first = files.first()?;
    let more = match files.len() - 1 {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    Some(format!(
        "{first}{more} {what}, so this is practice and does not count. {cure}"
    ))
}

fn build_args(exercise: &ExerciseDir, test: &str) -> Vec<String> {
    let package = exercise.package();
    let mut args = vec!["test", "--no-run", "-p", &package, "--test", test];
    if test == "bedrock" {
        args.extend(["--features", "live"]);
    }
    args.into_iter().map(str::to_owned).collect()
}

/// Errors of the student's crate; an error in any other crate is not theirs to mend.
fn does_not_compile(exercise: &ExerciseDir, products: &Products) -> Report {
    let errors: Vec<_> = products.messages.iter().filter(|m| m.is_error()).collect();
    let (own, others): (Vec<_>, Vec<_>) = errors
        .into_iter()
        .partition(|m| m.package == exercise.package());
    let rendered = |m: &&CompilerMessage| m.rendered.clone();
    if own.is_empty() {
        let mut report = Report::new(&exercise.id, Outcome::BrokenSetup);
        report.diagnostics = others.iter().map(rendered).collect();
        let names: Vec<_> = others.iter().map(|m| m.package.as_str()).collect();
        report.diagnostics.push(format!(
            "The crate {} does not compile; it belongs to the workshop, not to your exercise. Undo changes to it (`git status` shows them), or update the workshop.",
            names.first().unwrap_or(&"above"),
        ));
        return report;
    }
    let mut report = Report::new(&exercise.id, Outcome::DoesNotCompile);
    said(&mut report, exercise, own.into_iter());
    report
}

/// The messages as text and as data, in the same order.
fn said<'m>(
    report: &mut Report,
    exercise: &ExerciseDir,
    messages: impl Iterator<Item = &'m CompilerMessage>,
) {
    for message in messages {
        report.diagnostics.push(message.rendered.clone());
        report.problems.push(problem(message, exercise));
    }
}

fn problem(message: &CompilerMessage, exercise: &ExerciseDir) -> Problem {
    let prefix = format!("exercises/{}/", exercise.name);
    let place = message.span.as_ref().and_then(|span| {
        let file = span.file_name.replace('\\', "/");
        Some(Place {
            file: file.strip_prefix(&prefix)?.to_owned(),
            line: span.line_start,
            column: span.column_start,
            end_line: span.line_end,
            end_column: span.column_end,
        })
    });
    Problem {
        level: if message.is_error() {
            "error"
        } else {
            "warning"
        }
        .to_owned(),
        code: message.code.clone(),
        message: message.message.clone(),
        label: message.span.as_ref().and_then(|s| s.label.clone()),
        place,
    }
}

/// Paths as the student knows them: relative to the exercise.
fn in_exercise(mut test: TestResult, workspace: &Workspace, exercise: &ExerciseDir) -> TestResult {
    let relative = format!("exercises/{}/", exercise.name);
    let absolute = format!("{}/", exercise.dir.display());
    let root = format!("{}/", workspace.root().display());
    test.location = test.location.map(|location| {
        let location = location.replace('\\', "/");
        for prefix in [&absolute, &relative, &root] {
            if let Some(short) = location.strip_prefix(prefix.as_str()) {
                return short.to_owned();
            }
        }
        location
    });
    test
}

/// Undoes what student code did to its own exercise, as far as that is certain.
fn keep_files(workspace: &Workspace, exercise: &ExerciseDir, backup: &Backup) -> Vec<String> {
    let mut notes = backup.restore_missing();
    if let Some(before) = backup.emptied() {
        let kept = workspace
            .state_dir()
            .join("backups")
            .join(&exercise.id)
            .join("before-run.rs");
        let saved = kept.parent().map(fs::create_dir_all).transpose();
        if saved.and_then(|_| fs::write(&kept, before)).is_ok() {
            notes.push(format!(
                "{STUDENT_FILE} became empty while the tests ran. The text before is in {}.",
                kept.display()
            ));
        }
    }
    notes
}

/// Says when the tests are not the course's.
fn note_edits(exercise: &ExerciseDir, options: &CheckOptions, notes: &mut Vec<String>) -> bool {
    let edited = edited(exercise, &options.protected);
    if edited.is_empty() {
        return false;
    }
    notes.push(format!(
        "{} differs from the course, so this is practice and does not count. `workshop reset {}` restores the exercise and keeps a backup; a file that the course does not have is yours to remove.",
        edited.join(", "),
        exercise.id
    ));
    true
}
