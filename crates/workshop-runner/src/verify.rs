//! The author's proof: starters fail, solutions pass, wrong answers die in their named test.
//!
//! All variants of all exercises are built with one cargo call and run with the very runner that
//! students get. What is demanded:
//!
//! - the **starter** compiles without a warning, fails at least one test, and every failure text
//!   carries the id of a point (`001/3`), so that a student's first red is a lesson;
//! - the **solution**, and every other file in `solution/`, passes every test, without a warning
//!   from rustc or clippy, and is formatted;
//! - each **wrong answer** compiles and fails the tests that its first line names
//!   (`//! dies in: a_test, another_test`) and no other, with messages that no other wrong
//!   answer of the exercise gives, so that each mistake is told apart;
//! - each **step**, from the starter to a wrong answer to the solution, makes the red tests
//!   [fewer](order), and turns no green one red;
//! - the **texts** of the dead wrong answers are at most twelve lines each, and are those that
//!   `messages.txt` keeps for review;
//! - the **manifest** adds no dependency and no feature of its own.
//!
//! The solutions run once more as [trials] in labs where the model says other words and the models have other
//! ids and prices, and once more in [company]: two copies at once, beside another exercise's tests. Nothing of
//! a solution may try to reach another machine, and no test of it may take longer than a student
//! [has patience for](pace).
//!
//! On demand the solutions run again and again ([`VerifyOptions::repeat`]), also with more tests at once and
//! on a machine that others keep busy. A test that then fails is counted as a flake.
//!
//! Which starter? `starter/lib.rs`: a student's edited `src/lib.rs` says nothing about the course.

mod company;
mod order;
mod pace;
mod repeats;
mod run;
pub(crate) mod trials;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub use self::repeats::Repeats;
use self::run::{Bench, Outcome};

use crate::{
    CancelToken, Limits, TestResult, TestStatus, Workspace,
    cargo::{Build, Built, Products, Progress, target_dir, toolchain_libraries},
    course_files,
    guard::{Rules, offline::Finding},
    messages::{LINES_MAX, Messages},
    process::Program,
    suite::milliseconds,
    variants::{Generated, Kind, Variant, manifest_problems, variants},
    workspace::{ExerciseDir, STARTER, STUDENT_FILE},
};
use serde::{Deserialize, Serialize};
use workshop_course::{Tree, coverage};

/// How to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// Which exercises; empty means all.
    pub ids: Vec<String>,
    /// What each test may use.
    pub limits: Limits,
    /// The program that acts as [guard](mod@crate::guard).
    pub guard: Option<PathBuf>,
    /// Where cargo builds; without it, where the user's cargo builds.
    pub target_dir: Option<PathBuf>,
    /// Rewrites each exercise's `messages.txt` instead of comparing with it.
    pub bless: bool,
    /// Runs each solution so often again, to find tests that sometimes fail; 0: not at all.
    pub repeat: usize,
    /// Stops it.
    pub cancel: CancelToken,
}

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyEvent {
    /// Cargo finished crates.
    Building {
        /// Crates done.
        done: usize,
        /// Crates in all.
        total: usize,
    },
    /// A sentence.
    Note(String),
    /// One variant has been run.
    Ran {
        /// The exercise's id.
        exercise: String,
        /// The variant's file, relative to the exercise's folder.
        file: String,
        /// Whether it is as it must be.
        ok: bool,
        /// How long that took.
        took: Duration,
    },
    /// A solution's tests have been run twice at once, beside those of another exercise.
    InCompany {
        /// The exercise's id.
        exercise: String,
        /// The solution's file, relative to the exercise's folder.
        file: String,
        /// Whether all of them passed.
        ok: bool,
    },
    /// One solution has been run again and again.
    Repeated {
        /// The exercise's id.
        exercise: String,
        /// The solution's file, relative to the exercise's folder.
        file: String,
        /// On what kind of machine: `as usual`.
        load: &'static str,
        /// What came of it.
        repeats: Repeats,
    },
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// One row an exercise.
    pub rows: Vec<Row>,
    /// The sums.
    pub totals: Totals,
    /// What is not as it must be about the course as a whole.
    #[serde(default)]
    pub course: Vec<String>,
    /// What of the documents that the course grew from is taken up; empty for a course that names none.
    #[serde(default)]
    pub sources: String,
    /// What concerns no single exercise: a tool that is missing, a build that broke.
    pub notes: Vec<String>,
    /// Why nothing could be proved at all: cause and cure.
    pub broken: Option<String>,
    /// Crates that had to be compiled.
    pub compiled: usize,
    /// What cargo took of it. Next to nothing where nothing has changed since the last time.
    #[serde(default)]
    pub building: Duration,
    /// From start to end.
    pub elapsed: Duration,
}

/// One exercise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub exercise: String,
    /// Whether the starter compiles and fails as it should.
    pub starter_fails: bool,
    /// Whether each step from the starter over a wrong answer to the solution makes red tests fewer.
    #[serde(default)]
    pub shows_progress: bool,
    /// Whether every solution passes cleanly.
    pub solution_passes: bool,
    /// Whether every solution also passes when the model says other words, and when the models have other
    /// ids and prices.
    pub bears_trials: bool,
    /// Whether every solution also passes while a second copy of its tests runs, and another exercise's.
    #[serde(default)]
    pub bears_company: bool,
    /// Whether no solution's tests tried to reach another machine; `None` where that cannot be seen.
    #[serde(default)]
    pub stays_on_the_machine: Option<bool>,
    /// Wrong answers.
    pub wrong: usize,
    /// Wrong answers that die as they should.
    pub wrong_dead: usize,
    /// The slowest passing test of the solutions, in milliseconds.
    pub slowest_ms: u64,
    /// What a test of this exercise may take, in milliseconds; more than twice as long is a problem.
    #[serde(default)]
    pub may_take_ms: u64,
    /// Why that is more than usual.
    #[serde(default)]
    pub may_take_because: Option<String>,
    /// The solutions' runs after the first, if any were asked for.
    #[serde(default)]
    pub repeats: Repeats,
    /// What is not as it must be: file, what, cure.
    pub problems: Vec<String>,
}

/// The sums over all exercises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Exercises looked at.
    pub exercises: usize,
    /// Those whose starter fails as it should.
    pub starters_fail: usize,
    /// Those whose solutions pass.
    pub solutions_pass: usize,
    /// Wrong answers.
    pub wrong: usize,
    /// Wrong answers that die as they should.
    pub wrong_dead: usize,
    /// Exercises with at least one problem.
    pub failed: usize,
}

impl VerifyReport {
    /// Whether everything is proved.
    pub fn ok(&self) -> bool {
        self.broken.is_none()
            && self.course.is_empty()
            && self.totals.failed == 0
            && self.totals.exercises > 0
    }
}

/// Proves exercises; `None` when it was cancelled.
pub fn verify(
    workspace: &Workspace,
    options: &VerifyOptions,
    on_event: &mut dyn FnMut(&VerifyEvent),
) -> Option<VerifyReport> {
    let started = Instant::now();
    let mut report = VerifyReport::default();
    match prove(workspace, options, &mut report, on_event) {
        Ok(()) => {}
        Err(Stop::Cancelled) => return None,
        Err(Stop::Broken(why)) => report.broken = Some(why),
    }
    report.totals = totals(&report.rows);
    report.elapsed = started.elapsed();
    Some(report)
}

enum Stop {
    Cancelled,
    Broken(String),
}

fn broken(error: &dyn std::error::Error) -> Stop {
    Stop::Broken(error.to_string())
}

fn prove(
    workspace: &Workspace,
    options: &VerifyOptions,
    report: &mut VerifyReport,
    on_event: &mut dyn FnMut(&VerifyEvent),
) -> Result<(), Stop> {
    let exercises = chosen(workspace, &options.ids)?;
    let mut all = Vec::new();
    for exercise in &exercises {
        let starter = starter(exercise, &mut report.notes)?;
        all.extend(variants(exercise, starter).map_err(|e| broken(&e))?);
    }
    let target = match &options.target_dir {
        Some(dir) => dir.clone(),
        None => target_dir(workspace.root()).map_err(Stop::Broken)?,
    };
    let folder = target.join("workshop-verify");
    let everything = everything(workspace, &all)?;
    let generated =
        Generated::write(workspace.root(), &folder, &everything).map_err(|e| broken(&e))?;
    let clippy = clippy_driver(workspace.root());
    if clippy.is_none() {
        report.notes.push(
            "clippy is not installed, so solutions were not linted: rustup component add clippy"
                .into(),
        );
    }
    let began = Instant::now();
    let products = build(&generated, &all, clippy, options, on_event)?;
    report.building = began.elapsed();
    report.compiled = products.compiled;
    let unformatted = unformatted(workspace.root(), &generated, &all, &mut report.notes);
    let findings = tempfile::tempdir().map_err(|e| broken(&e))?;
    let offline = no_way_out(options, findings.path());
    if let Err(why) = &offline {
        report.notes.push(format!(
            "whether tests stay on this machine is not checked here: {why}"
        ));
    }
    let bench = Bench {
        generated: &generated,
        products: &products,
        libraries: toolchain_libraries(workspace.root()),
        options,
        offline: offline.map(|()| findings.path()),
    };
    let mut outcomes = bench.run_all(&all, on_event).ok_or(Stop::Cancelled)?;
    let timed = bench.time_again(&all, &mut outcomes);
    timed.ok_or(Stop::Cancelled)?;
    let in_company = bench.run_in_company(&all, &mut outcomes, on_event);
    in_company.ok_or(Stop::Cancelled)?;
    let repeated = bench.repeat_solutions(&all, &mut outcomes, on_event);
    repeated.ok_or(Stop::Cancelled)?;
    report.rows = exercises
        .iter()
        .map(|exercise| {
            let of_exercise = all
                .iter()
                .zip(&outcomes)
                .filter(|(v, _)| v.exercise == *exercise);
            row(
                exercise,
                of_exercise,
                &products,
                &unformatted,
                options.bless,
            )
        })
        .collect();
    // The files themselves: tests that a student may have edited count for nobody else.
    let list = course_files::settle_list(workspace.root(), &exercises, options.bless);
    report.course.extend(list);
    let tree = Tree::read(workspace.root()).map_err(|e| broken(&e))?;
    let (covered, findings) = coverage::check(&tree);
    report
        .course
        .extend(findings.iter().map(ToString::to_string));
    if covered.groups > 0 {
        report.sources = format!(
            "{} lines of {} source documents in {} groups, {}",
            covered.lines,
            covered.documents,
            covered.groups,
            if findings.is_empty() {
                "each claimed by the course"
            } else {
                "NOT all claimed"
            },
        );
    }
    Ok(())
}

/// The chosen variants, and those of every other exercise whose files can be read: the generated workspace has
/// them all, so that it is the same whoever is chosen.
fn everything(workspace: &Workspace, chosen: &[Variant]) -> Result<Vec<Variant>, Stop> {
    let mut everything = chosen.to_vec();
    for exercise in workspace.exercises().map_err(|e| broken(&e))? {
        let is_chosen = chosen.iter().any(|v| v.exercise == exercise);
        let starter = fs::read(exercise.dir.join(STARTER));
        if let (false, Ok(starter)) = (is_chosen, starter) {
            everything.extend(variants(&exercise, starter).unwrap_or_default());
        }
    }
    Ok(everything)
}

fn chosen(workspace: &Workspace, ids: &[String]) -> Result<Vec<ExerciseDir>, Stop> {
    if ids.is_empty() {
        return workspace.exercises().map_err(|e| broken(&e));
    }
    ids.iter()
        .map(|id| workspace.exercise(id).map_err(|e| broken(&e)))
        .collect()
}

/// The starter's text; see the module's words on which one.
fn starter(exercise: &ExerciseDir, notes: &mut Vec<String>) -> Result<Vec<u8>, Stop> {
    let path = exercise.dir.join(STARTER);
    let starter = fs::read(&path).map_err(|error| {
        Stop::Broken(format!(
            "cannot read {}: {error}; every exercise keeps its starter there, beside the student's copy",
            path.display()
        ))
    })?;
    if fs::read(exercise.student_file()).is_ok_and(|theirs| theirs != starter) {
        notes.push(format!(
            "exercises/{}/{STUDENT_FILE} differs from the starter; the starter was checked",
            exercise.name
        ));
    }
    Ok(starter)
}

/// Clippy as a compiler: it lints and generates code in one go, so that nothing has to be checked
/// a second time, dependencies included.
fn clippy_driver(root: &Path) -> Option<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let driver = sysroot
        .join("bin")
        .join(format!("clippy-driver{}", std::env::consts::EXE_SUFFIX));
    driver.exists().then_some(driver)
}

fn build(
    generated: &Generated,
    all: &[Variant],
    clippy: Option<PathBuf>,
    options: &VerifyOptions,
    on_event: &mut dyn FnMut(&VerifyEvent),
) -> Result<Products, Stop> {
    let mut env = Vec::new();
    if let Some(driver) = clippy {
        env.push(("RUSTC_WORKSPACE_WRAPPER", driver.into()));
    }
    let order = Build {
        root: generated.root.clone(),
        args: ["build", "--test", "check", "--keep-going"]
            .into_iter()
            .chain(all.iter().flat_map(|v| ["-p", v.package.as_str()]))
            .map(str::to_owned)
            .collect(),
        env,
        // Of its own: in a shared folder whoever builds last puts its `libworkshop_prelink.so`, a name
        // without a hash, over the other's, and every test program of the other is stale.
        target_dir: Some(generated.root.join("target")),
        color: false,
        guard: options.guard.clone(),
        cancel: options.cancel.clone(),
    };
    let built = order.run(&mut |progress| {
        on_event(&match progress {
            Progress::Crates { done, total } => VerifyEvent::Building { done, total },
            Progress::Note(text) => VerifyEvent::Note(text),
        });
    });
    match built {
        // A variant that does not compile is a finding about that variant.
        Built::Ready(products) | Built::Failed(products) => Ok(products),
        Built::Broken(why) => Err(Stop::Broken(why)),
        Built::Cancelled => Err(Stop::Cancelled),
    }
}

/// Whether the guard can [cut tests off](crate::guard::offline) here, tried with a program that does nothing.
fn no_way_out(options: &VerifyOptions, scratch: &Path) -> Result<(), String> {
    let Some(guard) = &options.guard else {
        return Err("no guard watches the tests".to_owned());
    };
    let file = scratch.join("trial");
    let rules = Rules {
        offline: Some(file.clone()),
        ..Rules::default()
    };
    let program = Program {
        path: "true".into(),
        args: Vec::new(),
        cwd: scratch.to_owned(),
        env: Vec::new(),
        input: Vec::new(),
        guard: Some((guard.clone(), rules)),
    };
    let ran = program.run(&options.limits, &options.cancel);
    ran.map_err(|error| error.to_string())?;
    match Finding::sum(&fs::read_to_string(file).unwrap_or_default()) {
        Finding::Attempts(_) => Ok(()),
        Finding::NotChecked(why) => Err(why),
    }
}

/// Packages whose `lib.rs` rustfmt would change, with the first place.
fn unformatted(
    root: &Path,
    generated: &Generated,
    all: &[Variant],
    notes: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let solutions: Vec<_> = all.iter().filter(|v| v.kind == Kind::Solution).collect();
    let mut found = BTreeMap::new();
    if solutions.is_empty() {
        return found;
    }
    let mut command = Command::new("rustfmt");
    command.args(["--check", "--edition", "2024", "--color", "never"]);
    if ["rustfmt.toml", ".rustfmt.toml"]
        .iter()
        .any(|name| root.join(name).exists())
    {
        command.arg("--config-path").arg(root);
    }
    let output = command
        .args(solutions.iter().map(|v| generated.lib(v)))
        .current_dir(root)
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        notes.push(
            "rustfmt is not installed, so formatting was not checked: rustup component add rustfmt"
                .into(),
        );
        return found;
    };
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    for variant in solutions {
        let path = generated.lib(variant);
        let path = path.to_string_lossy();
        if let Some(line) = said.lines().find(|line| line.contains(&*path)) {
            let place = line
                .split_once(&*path)
                .map_or("", |(_, rest)| rest.trim_matches([':', ' ']));
            found.insert(variant.package.clone(), place.to_owned());
        }
    }
    if found.is_empty() && !output.status.success() {
        notes.push(format!(
            "rustfmt did not work, so formatting was not checked: {said}"
        ));
    }
    found
}

fn row<'a>(
    exercise: &ExerciseDir,
    outcomes: impl Iterator<Item = (&'a Variant, &'a Outcome)>,
    products: &Products,
    unformatted: &BTreeMap<String, String>,
    bless: bool,
) -> Row {
    let mut row = Row {
        exercise: exercise.id.clone(),
        ..Row::default()
    };
    row.problems = manifest_problems(exercise);
    let (mut solutions, mut clean_solutions) = (0, 0);
    row.bears_trials = true;
    row.bears_company = true;
    row.stays_on_the_machine = Some(true);
    if let Ok(pace) = exercise.pace() {
        row.may_take_ms = milliseconds(pace.test);
        row.may_take_because = pace.because;
    }
    // Message of a dead wrong answer → the file that gave it first.
    let mut messages: BTreeMap<String, String> = BTreeMap::new();
    let mut texts = Messages::default();
    let outcomes: Vec<_> = outcomes.collect();
    let steps = order::problems(&outcomes);
    row.shows_progress = steps.is_empty();
    row.problems.extend(steps);
    for (variant, outcome) in outcomes {
        let mut found = problems(variant, outcome);
        found.extend(warnings(variant, products));
        if let Some(place) = unformatted.get(&variant.package) {
            found.push(format!(
                "is not formatted (line {place}): rustfmt --edition 2024 it"
            ));
        }
        if variant.kind == Kind::Wrong && found.is_empty() {
            found.extend(same_message(variant, outcome, &mut messages));
            keep_messages(variant, outcome, &mut texts);
        }
        if variant.kind == Kind::Solution
            && let Outcome::Ran { tests, .. } = outcome
        {
            found.extend(pace::problem(exercise, tests));
        }
        let fine = found.is_empty();
        match variant.kind {
            Kind::Starter => row.starter_fails = fine,
            Kind::Solution => {
                solutions += 1;
                clean_solutions += usize::from(fine);
                row.bears_trials &= bears_trials(outcome);
                row.repeats.add(repeats(outcome));
                row.slowest_ms = row.slowest_ms.max(slowest(outcome));
                row.bears_company &= bears_company(outcome);
                row.stays_on_the_machine = and(row.stays_on_the_machine, stays(outcome));
            }
            Kind::Wrong => {
                row.wrong += 1;
                row.wrong_dead += usize::from(fine);
            }
        }
        row.problems.extend(
            found
                .into_iter()
                .map(|problem| format!("{}: {problem}", variant.file)),
        );
    }
    if row.wrong == row.wrong_dead {
        row.problems.extend(texts.settle(exercise, bless));
    }
    if !exercise.dir.join("solution/lib.rs").exists() {
        row.problems.push("solution/lib.rs: is missing".into());
    }
    if row.wrong == 0 {
        row.problems
            .push("wrong/: has no wrong answer, so nothing shows that the tests reject one".into());
    }
    row.solution_passes = solutions > 0 && solutions == clean_solutions;
    row
}

fn repeats(outcome: &Outcome) -> Repeats {
    match outcome {
        Outcome::Ran { repeats, .. } => *repeats,
        _ => Repeats::default(),
    }
}

fn bears_trials(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Ran { tests, trials, .. }
        if trials.is_empty() && tests.iter().all(|t| t.status == TestStatus::Passed))
}

fn bears_company(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Ran { in_company, .. } if in_company.is_empty())
}

fn stays(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Ran { network, .. } => match network {
            Finding::Attempts(n) => Some(*n == 0),
            Finding::NotChecked(_) => None,
        },
        _ => None,
    }
}

/// A "no" is a "no" whatever could not be seen.
fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn slowest(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Ran { tests, .. } => pace::slowest(tests).map_or(0, |test| test.ms),
        _ => 0,
    }
}

/// What is not as it must be about how a variant compiled and ran.
fn problems(variant: &Variant, outcome: &Outcome) -> Vec<String> {
    let (tests, more, network) = match outcome {
        Outcome::Ran {
            tests,
            trials,
            in_company,
            network,
            flakes,
            ..
        } => (tests, [trials, in_company, flakes], network),
        Outcome::DoesNotCompile(errors) if errors.is_empty() => {
            return vec!["was not built, because a crate it needs does not compile".into()];
        }
        Outcome::DoesNotCompile(errors) => {
            return vec![format!("does not compile:\n{}", errors.join("\n"))];
        }
        Outcome::Broken(why) => return vec![why.clone()],
    };
    match variant.kind {
        Kind::Starter => starter_problems(&variant.exercise.id, tests),
        Kind::Solution => tests
            .iter()
            .filter(|t| t.status != TestStatus::Passed)
            .map(|t| format!("{} does not pass:\n{}", t.name, t.message))
            .chain(more.into_iter().flatten().cloned())
            .chain(outward(network))
            .collect(),
        Kind::Wrong => wrong_problems(variant, tests),
    }
}

fn outward(network: &Finding) -> Option<String> {
    match network {
        Finding::Attempts(0) | Finding::NotChecked(_) => None,
        Finding::Attempts(n) => Some(format!(
            "its tests tried {n} times to reach another machine or a name server; what they need has to stand in the lab, on loopback"
        )),
    }
}

fn starter_problems(id: &str, tests: &[TestResult]) -> Vec<String> {
    let red: Vec<_> = tests
        .iter()
        .filter(|t| t.status != TestStatus::Passed)
        .collect();
    if red.is_empty() {
        return vec!["passes every test, so there is nothing to solve".into()];
    }
    let bad = red.into_iter().filter_map(|t| match t.status {
        TestStatus::Failed if has_point(&t.message, id) => None,
        TestStatus::Failed => Some(format!(
            "{} fails without the id of a point (`{id}/1`) in its text:\n{}",
            t.name, t.message
        )),
        _ => Some(format!(
            "{} does not fail but is stopped:\n{}",
            t.name, t.message
        )),
    });
    bad.collect()
}

/// Whether the text carries a point's id: `001/3`.
fn has_point(text: &str, id: &str) -> bool {
    let mark = format!("{id}/");
    text.match_indices(&mark)
        .any(|(at, _)| text[at + mark.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

/// The tests that the first line names: `//! dies in: a, b`.
fn dies_in(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let first = text
        .trim_start_matches('\u{feff}')
        .lines()
        .next()
        .unwrap_or_default();
    let named = first.strip_prefix("//! dies in:").unwrap_or_default();
    named
        .split(',')
        .map(|name| name.trim().trim_matches('`').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn wrong_problems(variant: &Variant, tests: &[TestResult]) -> Vec<String> {
    let named = dies_in(&variant.text);
    if named.is_empty() {
        return vec!["its first line must be `//! dies in: <name of the test>`".into()];
    }
    let mut found = Vec::new();
    for name in &named {
        match tests.iter().find(|t| t.name == *name) {
            None => found.push(format!("should die in {name}, but there is no such test")),
            Some(test) if test.status == TestStatus::Passed => {
                found.push(format!("survives {name}"));
            }
            Some(test) if test.status != TestStatus::Failed => {
                found.push(format!(
                    "is stopped in {name} instead of failing it: {}",
                    test.message
                ));
            }
            Some(test) if !has_point(&test.message, &variant.exercise.id) => {
                found.push(format!(
                    "dies in {name} without the id of a point in the text:\n{}",
                    test.message
                ));
            }
            Some(test) if test.message.lines().count() > LINES_MAX => {
                found.push(format!(
                    "dies in {name} with more than {LINES_MAX} lines of text:\n{}",
                    test.message
                ));
            }
            Some(_) => {}
        }
    }
    for test in tests
        .iter()
        .filter(|t| t.status != TestStatus::Passed && !named.contains(&t.name))
    {
        let first = test.message.lines().next().unwrap_or_default();
        found.push(format!(
            "also fails {}, which its first line does not name: {first}",
            test.name
        ));
    }
    found
}

/// A dead wrong answer whose text another one gave before.
fn same_message(
    variant: &Variant,
    outcome: &Outcome,
    messages: &mut BTreeMap<String, String>,
) -> Option<String> {
    let Outcome::Ran { tests, .. } = outcome else {
        return None;
    };
    let named = dies_in(&variant.text);
    let said: Vec<_> = tests
        .iter()
        .filter(|t| named.contains(&t.name))
        .map(|t| format!("{}: {}", t.name, t.message))
        .collect();
    let before = messages.insert(said.join("\n\n"), variant.file.clone())?;
    Some(format!(
        "dies with the same text as {before}, so a student cannot tell the two mistakes apart"
    ))
}

fn keep_messages(variant: &Variant, outcome: &Outcome, texts: &mut Messages) {
    if let Outcome::Ran { tests, .. } = outcome {
        for test in tests.iter().filter(|t| t.status == TestStatus::Failed) {
            texts.add(&variant.file, &test.name, &test.message);
        }
    }
}

/// Warnings about the variant's own library: for a solution clippy's too.
fn warnings(variant: &Variant, products: &Products) -> Vec<String> {
    if variant.kind == Kind::Wrong {
        return Vec::new();
    }
    let own = products
        .messages
        .iter()
        .filter(|m| m.package == variant.package && m.level == "warning" && m.about_lib);
    let counted = own.filter(|m| {
        let clippy = m
            .code
            .as_ref()
            .is_some_and(|code| code.starts_with("clippy::"));
        variant.kind == Kind::Solution || !clippy
    });
    counted
        .map(|m| format!("compiles with a warning:\n{}", m.rendered))
        .collect()
}

fn totals(rows: &[Row]) -> Totals {
    let mut totals = Totals {
        exercises: rows.len(),
        ..Totals::default()
    };
    for row in rows {
        totals.starters_fail += usize::from(row.starter_fails);
        totals.solutions_pass += usize::from(row.solution_passes);
        totals.wrong += row.wrong;
        totals.wrong_dead += row.wrong_dead;
        totals.failed += usize::from(!row.problems.is_empty());
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_recognised() {
        assert!(has_point("001/3 WIRE x", "001"));
        assert!(!has_point("001/x", "001"));
        assert!(!has_point("thread panicked", "001"));
    }

    #[test]
    fn the_first_line_names_tests() {
        assert_eq!(dies_in(b"//! dies in: a_b, `c`\nfn x() {}"), ["a_b", "c"]);
        assert_eq!(dies_in(b"fn x() {}"), Vec::<String>::new());
    }
}
