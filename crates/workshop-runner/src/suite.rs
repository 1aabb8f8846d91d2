//! Runs a test program, bounded.
//!
//! First all tests together in one process, as `cargo test` does: that costs a fraction of a
//! process for each test (loading the SDK's shared library takes longer than most tests). Only if
//! that run ends in any other way than the harness ends it (a test that hangs, aborts, exits,
//! floods, or prints the harness's own lines) is each test run again in a process of its own, so
//! that one bad test takes no other with it and gets a verdict of its own.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    CancelToken, TestResult, TestStatus,
    guard::{Rules, processes_now},
    libtest::{self, Failure, Together, Verdict},
    process::{Ended, How, Limits, Program, Stream},
    verify::trials,
};

/// A test program and how to run it.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    pub(crate) program: PathBuf,
    /// The test file.
    pub(crate) source: PathBuf,
    /// Its text, which gives the order. Read beforehand: while tests run, [nobody](crate::integrity::Watch)
    /// but student code reads it.
    pub(crate) text: String,
    pub(crate) manifest_dir: PathBuf,
    pub(crate) package: String,
    /// Folders with shared libraries beside those next to the program.
    pub(crate) library_dirs: Vec<PathBuf>,
    /// The event log, for the testkit's requests.
    pub(crate) live: Option<PathBuf>,
    pub(crate) limits: Limits,
    /// How long all tests together may take, if the exercise says so.
    pub(crate) patience: Option<Duration>,
    pub(crate) guard: Option<PathBuf>,
    /// Against real Bedrock: AWS's variables reach the tests, and so do these. No test runs
    /// twice then, because every run costs money.
    pub(crate) bedrock: Option<Vec<(&'static str, String)>>,
    /// What is different in the tests' labs: variables of the testkit.
    pub(crate) trial: Vec<(&'static str, String)>,
    /// Tests at once.
    pub(crate) threads: usize,
    /// Where to write what the tests tried to reach beyond this machine; they reach nothing then.
    pub(crate) offline: Option<PathBuf>,
    pub(crate) cancel: CancelToken,
}

/// A run of all tests in one process that takes longer is given up for one by one: most suites
/// need a tenth of a second, and a wrong answer that makes a test wait for its own time-out two. An
/// exercise whose tests take longer says so in its manifest.
const TOGETHER: Duration = Duration::from_secs(4);

/// What a test gets after others have shown that the code hangs; see [`Suite::limits_after`].
const A_MOMENT: Duration = Duration::from_secs(3);

/// The tests' working and temporary folder.
fn scratch() -> Result<TempDir, String> {
    let made = tempfile::Builder::new().prefix("workshop-").tempdir();
    made.map_err(|error| {
        format!("no temporary folder can be made: {error}. Is the disk full, or TMPDIR wrong?")
    })
}

/// The harness's own record of the tests that ended, in a file beside what it prints: a student's code can
/// print what the harness prints and then end the process, but nobody has made the record then.
struct Witness {
    folder: TempDir,
}

impl Witness {
    /// The harness says so on standard error, before any test runs; the option has no successor that
    /// the stable toolchain allows.
    const NOISE: &str = "warning: `--logfile` is deprecated";

    fn new() -> Result<Self, String> {
        scratch().map(|folder| Self { folder })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("tests")
    }

    fn args(&self) -> [OsString; 2] {
        ["--logfile".into(), self.file().into()]
    }

    /// Whether that test ended so, and only once.
    fn saw(&self, test: &str, passed: bool) -> bool {
        let record = fs::read_to_string(self.file()).unwrap_or_default();
        let ends = record.lines().filter_map(|line| line.split_once(' '));
        let ends: Vec<_> = ends.filter(|(_, name)| *name == test).collect();
        matches!(ends[..], [(end, _)] if end == if passed { "ok" } else { "failed" })
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ran {
    /// Every test has a result, in the order of the file.
    Done(Vec<TestResult>),
    /// The program could not be run or has no tests: cause and cure.
    Broken(String),
    Cancelled,
}

impl Suite {
    /// Runs all tests, giving each result as it comes.
    pub(crate) fn run(&self, on_result: &mut dyn FnMut(&TestResult)) -> Ran {
        // The tests' working and temporary folder: what they write or delete by a relative path
        // is not the student's.
        let scratch = match scratch() {
            Ok(scratch) => scratch,
            Err(why) => return Ran::Broken(why),
        };
        let rules = self.rules();
        match self.run_together(scratch.path(), &rules) {
            Ok(Some(results)) => {
                results.iter().for_each(on_result);
                return Ran::Done(results);
            }
            Ok(None) => {}
            Err(why) => return Ran::Broken(why),
        }
        if self.cancel.is_cancelled() {
            return Ran::Cancelled;
        }
        if self.bedrock.is_some() {
            return Ran::Broken(format!(
                "The tests did not come to their end within {} s, and a run that costs money is not repeated. `workshop check` against the emulator tells what hangs.",
                self.limits.wall.as_secs()
            ));
        }
        let names = match self.list(scratch.path(), &rules) {
            Ok(Some(names)) => names,
            Ok(None) => return Ran::Cancelled,
            Err(why) => return Ran::Broken(why),
        };
        if names.is_empty() {
            return Ran::Broken(format!(
                "{} has no tests. Restore it with `workshop reset`.",
                self.source.display()
            ));
        }
        let (tell, results) = mpsc::channel();
        let queue = Mutex::new(names.iter().enumerate());
        let mut found: Vec<Option<TestResult>> = vec![None; names.len()];
        let late = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, names.len()) {
                let (tell, queue, rules, late) = (tell.clone(), &queue, &rules, &late);
                let scratch = scratch.path();
                scope.spawn(move || {
                    while let Some((n, name)) = next(queue) {
                        let limits = self.limits_after(late.load(Ordering::Relaxed));
                        let Some(result) = self.run_test(name, scratch, rules, &limits) else {
                            return;
                        };
                        if result.status == TestStatus::TimedOut {
                            late.fetch_add(1, Ordering::Relaxed);
                        }
                        if tell.send((n, result)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            for (n, result) in results {
                on_result(&result);
                found[n] = Some(result);
            }
        });
        match found.into_iter().collect() {
            Some(results) => Ran::Done(results),
            None => Ran::Cancelled,
        }
    }

    /// All tests in one process; `None` when that does not end as it should.
    fn run_together(
        &self,
        scratch: &Path,
        rules: &Rules,
    ) -> Result<Option<Vec<TestResult>>, String> {
        let threads = self.threads.to_string();
        let witness = Witness::new()?;
        let args = ["--show-output", "--test-threads", &threads];
        let wall = match self.bedrock {
            Some(_) => self.limits.wall,
            None => self.patience.unwrap_or(self.limits.wall.min(TOGETHER)),
        };
        let limits = Limits {
            wall,
            ..self.limits.clone()
        };
        let ended = self
            .process(&args, scratch, rules)
            .with(witness.args())
            .run(&limits, &self.cancel)
            .map_err(|error| self.cannot_run(&error))?;
        let How::Exited(status) = ended.how else {
            return Ok(None);
        };
        let stdout = String::from_utf8_lossy(&ended.stdout);
        let Some(all) = libtest::together(&stdout, &ended.marks, self.threads) else {
            return Ok(None);
        };
        let solved = all.iter().all(|test| test.passed);
        if all.is_empty() || status.code() != Some(if solved { 0 } else { 101 }) {
            return Ok(None);
        }
        if !all.iter().all(|test| witness.saw(&test.name, test.passed)) {
            return Ok(None);
        }
        let mut results: Vec<_> = all.into_iter().map(result_of).collect();
        libtest::in_file_order(&mut results, |result| &result.name, &self.text);
        Ok(Some(results))
    }

    fn list(&self, scratch: &Path, rules: &Rules) -> Result<Option<Vec<String>>, String> {
        let program = self.process(&["--list", "--format", "terse"], scratch, rules);
        let limits = Limits {
            output_bytes: 1024 * 1024,
            ..self.limits.clone()
        };
        let ended = program
            .run(&limits, &self.cancel)
            .map_err(|error| self.cannot_run(&error))?;
        match ended.how {
            How::Cancelled => Ok(None),
            How::Exited(status) if status.success() => {
                let mut names = libtest::parse_list(&String::from_utf8_lossy(&ended.stdout));
                libtest::in_file_order(&mut names, |name| name, &self.text);
                Ok(Some(names))
            }
            how => Err(format!(
                "the test program does not start ({how:?}):\n{}",
                String::from_utf8_lossy(&ended.stderr)
            )),
        }
    }

    /// A loop in the one function that every test calls would cost a student the full time for
    /// each test. Two such tests are proof enough: the others get a moment only.
    fn limits_after(&self, late: usize) -> Limits {
        let wall = if late < 2 {
            self.wall()
        } else {
            self.limits.wall.min(A_MOMENT)
        };
        Limits {
            wall,
            ..self.limits.clone()
        }
    }

    /// `None` when cancelled.
    fn run_test(
        &self,
        name: &str,
        scratch: &Path,
        rules: &Rules,
        limits: &Limits,
    ) -> Option<TestResult> {
        let aborted = |message| TestResult {
            name: name.to_owned(),
            status: TestStatus::Aborted,
            message,
            location: None,
            output: String::new(),
            ms: 0,
        };
        let witness = match Witness::new() {
            Ok(witness) => witness,
            Err(why) => return Some(aborted(why)),
        };
        let program = self.process(&["--exact", name, "--nocapture"], scratch, rules);
        match program.with(witness.args()).run(limits, &self.cancel) {
            Ok(ended) if ended.how == How::Cancelled => None,
            Ok(ended) => Some(self.judge(name, &ended, &witness, limits.wall)),
            Err(error) => Some(aborted(self.cannot_run(&error))),
        }
    }

    fn judge(&self, name: &str, ended: &Ended, witness: &Witness, wall: Duration) -> TestResult {
        let stdout = String::from_utf8_lossy(&ended.stdout);
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let stderr = stderr.strip_prefix(Witness::NOISE).unwrap_or(&stderr);
        let failure = libtest::failure(name, &stdout, stderr);
        let mut own = libtest::own_output(&stdout, name);
        let mut result = TestResult {
            name: name.to_owned(),
            status: TestStatus::Aborted,
            message: String::new(),
            location: None,
            output: String::new(),
            ms: milliseconds(ended.elapsed),
        };
        let mut rest = stderr.trim().to_owned();
        match ended.how {
            How::TimedOut => {
                result.status = TestStatus::TimedOut;
                result.message = timed_out(wall);
            }
            How::Flooded(stream) => {
                result.message = flooded(stream, self.limits.output_bytes);
                // Nobody reads 64 KB of the same line.
                own = head_and_tail(&own);
                rest = head_and_tail(&rest);
            }
            How::Cancelled => "Stopped.".clone_into(&mut result.message),
            How::Exited(status) => match (status.code(), libtest::verdict(&stdout)) {
                (Some(0), Verdict::Passed) if witness.saw(name, true) => {
                    result.status = TestStatus::Passed;
                }
                (Some(0), Verdict::Passed) | (Some(0 | 101), Verdict::Forged) => {
                    "The code printed lines that only the test harness prints (`test result: …`), so this result cannot be trusted. Print something else.".clone_into(&mut result.message);
                }
                (Some(code), Verdict::Failed) if code != 0 => {
                    result.status = TestStatus::Failed;
                    rest = failure.rest;
                    result.location = failure.location;
                    result.message = spoken(failure.message);
                }
                (Some(code), _) => {
                    result.message = format!(
                        "The process ended with exit code {code} before the test was over. Does the code call `std::process::exit`? Return an error instead; the caller decides."
                    );
                }
                (None, _) => result.message = killed(status, stderr, &self.limits),
            },
        }
        result.output = join_output(&own, &rest);
        result
    }

    fn process(&self, args: &[&str], scratch: &Path, rules: &Rules) -> Program {
        Program {
            path: self.program.clone(),
            args: args.iter().map(OsString::from).collect(),
            cwd: scratch.to_owned(),
            env: self.env(scratch),
            input: Vec::new(),
            guard: self.guard.clone().map(|guard| (guard, rules.clone())),
        }
    }

    /// How long one test may take.
    fn wall(&self) -> Duration {
        self.limits.wall.max(self.patience.unwrap_or_default())
    }

    fn rules(&self) -> Rules {
        let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
        Rules {
            end_the_rest: true,
            // A bound for what escapes the wall clock, so all cores for the whole time may be used.
            cpu_seconds: Some(self.wall().as_secs().max(1) * cores + 5),
            file_bytes: Some(self.limits.file_bytes),
            memory_bytes: Some(self.limits.memory_bytes),
            processes: Some(processes_now() + self.limits.processes),
            offline: self.offline.clone(),
        }
    }

    /// As cargo would set it, without what belongs to the user's real accounts.
    fn env(&self, scratch: &Path) -> Vec<(OsString, Option<OsString>)> {
        let mut env: Vec<(OsString, Option<OsString>)> = Vec::new();
        if let Some(more) = &self.bedrock {
            env.extend(
                more.iter()
                    .map(|(name, value)| ((*name).into(), Some(value.into()))),
            );
        } else {
            let is_account = |name: &str| {
                ["AWS_", "ANTHROPIC_", "CLAUDE_CODE_"]
                    .iter()
                    .any(|p| name.starts_with(p))
                    || ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
                        .contains(&name.to_uppercase().as_str())
            };
            env.extend(
                std::env::vars_os()
                    .filter(|(name, _)| name.to_str().is_some_and(is_account))
                    .map(|(name, _)| (name, None)),
            );
            // The SDK's default chain finds no profile and asks no metadata service either.
            let nowhere = scratch.join("no-aws-files").into_os_string();
            env.push(("AWS_CONFIG_FILE".into(), Some(nowhere.clone())));
            env.push(("AWS_SHARED_CREDENTIALS_FILE".into(), Some(nowhere)));
            env.push(("AWS_EC2_METADATA_DISABLED".into(), Some("true".into())));
        }
        env.push((
            "CARGO_MANIFEST_DIR".into(),
            Some(self.manifest_dir.clone().into()),
        ));
        env.push(("CARGO_PKG_NAME".into(), Some(self.package.clone().into())));
        env.push(("RUST_BACKTRACE".into(), Some("0".into())));
        env.push(("TMPDIR".into(), Some(scratch.into())));
        // Empty: not even the log that lies beside the workspace.
        let live = self.live.clone().unwrap_or_default();
        env.push(("WORKSHOP_LIVE".into(), Some(live.into())));
        // A run is a trial when the runner says so, not when a terminal happens to.
        env.extend(trials::VARIABLES.map(|name| (name.into(), None)));
        let trial = self.trial.iter();
        env.extend(trial.map(|(name, value)| ((*name).into(), Some(value.into()))));
        env.push((LIBRARY_PATH.into(), self.library_path()));
        env
    }

    /// The program's folder (`deps`), the profile's folder, then what build scripts and the
    /// toolchain add: the order cargo uses.
    fn library_path(&self) -> Option<OsString> {
        let deps = self.program.parent()?;
        let mut dirs: Vec<PathBuf> = vec![deps.to_owned()];
        dirs.extend(deps.parent().map(Path::to_owned));
        dirs.extend(self.library_dirs.iter().cloned());
        if let Some(had) = std::env::var_os(LIBRARY_PATH) {
            dirs.extend(std::env::split_paths(&had));
        }
        std::env::join_paths(dirs).ok()
    }

    fn cannot_run(&self, error: &io::Error) -> String {
        format!(
            "the test program {} cannot be run: {error}",
            self.program.display()
        )
    }
}

#[cfg(target_os = "macos")]
const LIBRARY_PATH: &str = "DYLD_FALLBACK_LIBRARY_PATH";
#[cfg(windows)]
const LIBRARY_PATH: &str = "PATH";
#[cfg(not(any(target_os = "macos", windows)))]
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

fn result_of(test: Together) -> TestResult {
    let failure = if test.passed {
        Failure {
            rest: test.captured.trim().to_owned(),
            ..Failure::default()
        }
    } else {
        libtest::failure(&test.name, "", &test.captured)
    };
    TestResult {
        status: if test.passed {
            TestStatus::Passed
        } else {
            TestStatus::Failed
        },
        message: if test.passed {
            String::new()
        } else {
            spoken(failure.message)
        },
        location: failure.location,
        output: failure.rest,
        ms: milliseconds(test.took),
        name: test.name,
    }
}

/// A failure always says something.
fn spoken(message: String) -> String {
    if message.is_empty() {
        "The test failed without a message. Does the code replace the panic hook?".to_owned()
    } else {
        message
    }
}

pub(crate) fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn next<'a>(
    queue: &Mutex<impl Iterator<Item = (usize, &'a String)>>,
) -> Option<(usize, &'a String)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

fn timed_out(wall: Duration) -> String {
    format!(
        "Stopped after {} s. Is there a loop that never ends, or something awaited that never comes?",
        wall.as_secs_f32()
    )
}

fn flooded(stream: Stream, limit: usize) -> String {
    let stream = match stream {
        Stream::Stdout => "standard output",
        Stream::Stderr => "standard error",
    };
    format!(
        "Stopped: it printed more than {} KB to {stream}. Is there a `println!` in a loop?",
        limit / 1024
    )
}

/// What a signal means.
#[cfg(unix)]
fn killed(status: ExitStatus, stderr: &str, limits: &Limits) -> String {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt as _;
    let megabytes = |bytes: u64| bytes / (1024 * 1024);
    let signal = status.signal().unwrap_or_default();
    if stderr.contains("has overflowed its stack") {
        return "The stack overflowed. Does a function call itself without end?".to_owned();
    }
    if stderr.contains("memory allocation of") {
        return format!(
            "Stopped: it asked for more memory than the limit of {} MB. Does a collection grow without end?",
            megabytes(limits.memory_bytes)
        );
    }
    match Signal::from_named_raw(signal) {
        Some(Signal::XFSZ) => format!(
            "Stopped: it wrote a file larger than {} MB.",
            megabytes(limits.file_bytes)
        ),
        Some(Signal::XCPU) => "Stopped: it used all its processor time. Is there a loop that never ends?".to_owned(),
        Some(Signal::ABORT) => "The process aborted. Does the code call `std::process::abort`, or panic while it is already panicking?".to_owned(),
        Some(Signal::SEGV | Signal::BUS) => "The process was stopped by the system: an invalid memory access.".to_owned(),
        _ => format!("The process was stopped by signal {signal}."),
    }
}

#[cfg(not(unix))]
fn killed(_status: ExitStatus, _stderr: &str, _limits: &Limits) -> String {
    "The process ended abnormally.".to_owned()
}

fn head_and_tail(text: &str) -> String {
    const LINES: usize = 20;
    const WIDTH: usize = 200;
    let cut = |line: &str| line.chars().take(WIDTH).collect::<String>();
    let lines: Vec<_> = text.lines().collect();
    if lines.len() <= 2 * LINES {
        return lines.into_iter().map(cut).collect::<Vec<_>>().join("\n");
    }
    let (head, tail) = (&lines[..LINES], &lines[lines.len() - LINES..]);
    let left_out = format!("… {} lines left out …", lines.len() - 2 * LINES);
    let parts = head
        .iter()
        .map(|l| cut(l))
        .chain([left_out])
        .chain(tail.iter().map(|l| cut(l)));
    parts.collect::<Vec<_>>().join("\n")
}

fn join_output(stdout: &str, stderr: &str) -> String {
    match (stdout.is_empty(), stderr.is_empty()) {
        (_, true) => stdout.to_owned(),
        (true, false) => stderr.to_owned(),
        (false, false) => format!("{stdout}\n{stderr}"),
    }
}
