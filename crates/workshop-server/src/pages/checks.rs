//! What a check says, as a part of the exercise's page: compiling, running, the verdict, the
//! compiler's messages, failures with what was seen and wanted, and the runs before.

use askama::Template;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use workshop_course::{Exercise, RealLimits, TocEntry};
use workshop_runner::{
    Outcome, Problem, Progress, TestResult, TestStatus,
    progress::{Last, Past},
    tools,
};

use super::{exercises::address, words};
use crate::{
    AppState,
    bedrock::{self, Aws},
    events::{Board, Phase},
};

/// The state of an exercise's checks.
#[derive(Template)]
#[template(path = "checks.html")]
pub(crate) struct Checks {
    pub(crate) running: bool,
    href: String,
    /// Headings of the task.
    task: Vec<TocEntry>,
    id: String,
    summary: String,
    /// How long the run took.
    took: Option<String>,
    tag: Option<(&'static str, String)>,
    /// When the run began, in milliseconds since the Unix epoch; the page counts on from there.
    started: Option<i64>,
    build: Option<(usize, usize)>,
    passed: usize,
    total: usize,
    tests: Vec<Test>,
    /// What the compiler said about the student's file.
    problems: Vec<Said>,
    /// Why the set-up is broken, cause and cure.
    broken: Vec<String>,
    /// What a running check waits for.
    note: Option<String>,
    /// Whether the page's owner could run something here.
    can_run: bool,
    /// Where checks go while real Bedrock is on, and where they could go while it is off.
    reach: Reach,
    stale: bool,
    /// Whether the verdict is a success.
    solved: bool,
    history: Vec<Run>,
}

/// What an exercise has to do with real Bedrock.
pub(crate) enum Reach {
    /// It may run there; now it does not.
    Possible,
    /// It does: within these limits, for at most that much.
    Real(RealLimits, Option<String>),
    /// Others do; it stays on the emulator.
    Emulated,
    /// It never does, and nothing else does now.
    Never,
}

impl Reach {
    pub(crate) fn of(state: &AppState, exercise: &Exercise) -> Self {
        match (bedrock::limits(exercise), state.bedrock().is_on()) {
            (Some(limits), true) => {
                let cost = Aws::from_env().ceiling_micro_usd(limits);
                Self::Real(limits, cost.map(words::dollars))
            }
            (Some(_), false) => Self::Possible,
            (None, true) => Self::Emulated,
            (None, false) => Self::Never,
        }
    }
}

/// One test's result.
struct Test {
    name: String,
    class: &'static str,
    word: &'static str,
    /// What a `todo!` said; the student has not written this yet.
    todo: Option<String>,
    /// The failure in the form of the testkit, if it has that form; otherwise `message`.
    point: Option<Point>,
    message: String,
    location: Option<Location>,
    output: String,
    /// The request to look at.
    request: Option<Sent>,
}

/// A request of a failed test.
struct Sent {
    /// Among the test's own, from 1.
    number: usize,
    /// How many the test sent.
    count: usize,
    /// Its page; empty if it has none.
    href: String,
}

/// A failed assertion taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Point {
    /// `001/4`
    id: String,
    /// `WIRE`, `RESULT`, `RESTRAINT`.
    phase: String,
    what: String,
    saw: String,
    wanted: String,
    why: String,
    read: String,
}

/// Where a failure was raised.
struct Location {
    text: String,
    /// Line and column, if it is in the student's file.
    line: Option<(usize, usize)>,
}

/// One message of the compiler.
struct Said {
    problem: Problem,
    /// As rustc shows it.
    rendered: String,
    /// Whether `rustc --explain` knows its code.
    explained: bool,
    /// Whether it is about the student's own file.
    own: bool,
}

impl Said {
    fn level(&self) -> &'static str {
        if self.problem.level == "error" {
            "error"
        } else {
            "warning"
        }
    }

    /// `error[E0308]: mismatched types, expected …`: what the editor shows below the line.
    fn line(&self) -> String {
        let code = self.problem.code.as_deref().filter(|_| self.explained);
        let code = code.map_or_else(String::new, |c| format!("[{c}]"));
        let label = self.problem.label.as_deref().filter(|l| !l.is_empty());
        let label = label.map_or_else(String::new, |l| format!(": {l}"));
        format!("{}{code}: {}{label}", self.level(), self.problem.message)
    }
}

/// A verdict of the past.
struct Run {
    at: String,
    day: String,
    class: &'static str,
    word: String,
    took: String,
}

impl Checks {
    pub(crate) fn of(
        state: &AppState,
        exercise: &Exercise,
        board: &Board,
        progress: &Progress,
    ) -> Self {
        let running = board.running() || state.runs().busy(&exercise.id);
        let entry = progress.exercises.get(&exercise.id);
        let before = entry.and_then(|e| e.last.as_ref());
        let verdict = match board.phase {
            Phase::Finished { outcome, .. } => Some(outcome),
            _ => None,
        };
        // Until the first test of this run has ended, the last results stay, marked as old.
        let fresh = !board.tests.is_empty() || verdict.is_some();
        let mut tests = match before {
            Some(last) if !fresh => remembered(last),
            _ => in_reading_order(board),
        };
        let not_run = verdict == Some(Outcome::DoesNotCompile);
        if let Some(last) = before.filter(|_| not_run) {
            tests = not_run_again(last);
        }
        let (passed, total) = match (board.phase, before) {
            (Phase::Finished { passed, total, .. }, _) => (passed, total),
            (_, Some(last)) if !fresh => (last.passed, last.total),
            (_, last) => {
                let passed = tests.iter().filter(|t| t.class == "ok").count();
                // Real Bedrock has tests of its own, which the last verdict did not count.
                let last = last.filter(|_| !board.real);
                (passed, last.map_or(0, |l| l.total).max(tests.len()))
            }
        };
        let took = board.started.zip(board.ended).filter(|_| !running);
        let summary = summary(board.phase, running, passed, total);
        Self {
            running,
            href: address(exercise),
            task: exercise.task.toc.clone(),
            id: exercise.id.clone(),
            summary: if board.real {
                format!("{summary} (real Bedrock)")
            } else {
                summary
            },
            took: took.map(|(from, to)| words::took(u64::try_from(to - from).unwrap_or(0))),
            tag: tag(board.phase, running, passed, total),
            started: board.started.filter(|_| running),
            build: match board.phase {
                Phase::Building { done, total } if running && total > 0 => Some((done, total)),
                _ => None,
            },
            passed,
            total,
            stale: not_run || running && !fresh && !tests.is_empty(),
            tests,
            problems: problems(exercise, board),
            broken: if board.problems.is_empty() {
                board.said.clone()
            } else {
                Vec::new()
            },
            note: board.note.clone(),
            // What real Bedrock answers does not count as progress, so nothing is opened by it.
            solved: verdict == Some(Outcome::Solved) && !board.real,
            can_run: state.workspace().is_some() && !state.exported(),
            reach: Reach::of(state, exercise),
            history: entry.map_or_else(Vec::new, |e| e.history.iter().rev().map(run).collect()),
        }
    }
}

/// The compiler's messages, errors first, those about the student's own file before others.
fn problems(exercise: &Exercise, board: &Board) -> Vec<Said> {
    let both = board.problems.iter().zip(&board.said);
    let mut all: Vec<_> = both
        .map(|(problem, rendered)| Said {
            own: problem
                .place
                .as_ref()
                .is_some_and(|p| p.file == exercise.file),
            explained: problem.code.as_deref().is_some_and(tools::is_code),
            problem: problem.clone(),
            rendered: rendered.clone(),
        })
        .collect();
    all.sort_by_key(|said| (said.level() != "error", !said.own));
    all
}

/// The one sentence that is announced.
fn summary(phase: Phase, running: bool, passed: usize, total: usize) -> String {
    match phase {
        Phase::Building { done, total } if running && total > 0 => {
            format!("Compiling {done} of {total}")
        }
        Phase::Building { .. } | Phase::Idle if running => "Starting cargo".to_owned(),
        Phase::Stopped => "Stopped before the verdict".to_owned(),
        Phase::Testing if running => {
            format!("Running checks: {passed} of {} pass", total.max(passed))
        }
        Phase::Finished { outcome, .. } => match outcome {
            Outcome::Solved => format!("All {} pass", words::count(total, "check")),
            Outcome::NotSolved => format!("{passed} of {total} pass"),
            Outcome::DoesNotCompile => "It does not compile, so no check was run".to_owned(),
            Outcome::BrokenSetup => "The set-up is broken, so no check was run".to_owned(),
        },
        _ if total > 0 => format!("{passed} of {total} passed last time"),
        _ => "Not run yet".to_owned(),
    }
}

fn tag(phase: Phase, running: bool, passed: usize, total: usize) -> Option<(&'static str, String)> {
    if running {
        return Some(("now", "running".to_owned()));
    }
    match phase {
        Phase::Finished {
            outcome: Outcome::DoesNotCompile,
            ..
        } => return Some(("bad", "does not compile".to_owned())),
        Phase::Finished {
            outcome: Outcome::BrokenSetup,
            ..
        } => return Some(("bad", "broken set-up".to_owned())),
        _ => {}
    }
    match (total, total.saturating_sub(passed)) {
        (0, _) => None,
        (_, 0) => Some(("ok", "all pass".to_owned())),
        (_, n) => Some(("bad", format!("{n} failing"))),
    }
}

fn line(name: String, class: &'static str, word: &'static str) -> Test {
    Test {
        name,
        class,
        word,
        todo: None,
        point: None,
        message: String::new(),
        location: None,
        output: String::new(),
        request: None,
    }
}

/// The last verdict as it was saved: names of failures, and how many passed.
fn remembered(last: &Last) -> Vec<Test> {
    let failing = last.failing.iter();
    let mut tests: Vec<_> = failing
        .map(|name| line(name.clone(), "bad", "Fails: "))
        .collect();
    if last.passed > 0 {
        let more = if tests.is_empty() { "" } else { "more " };
        let passed = format!(
            "{} {more}{}",
            last.passed,
            words::noun(last.passed, "check")
        );
        tests.push(line(passed, "ok", "Passes: "));
    }
    tests
}

/// What was known of the tests before the file stopped compiling.
fn not_run_again(last: &Last) -> Vec<Test> {
    let failing = last.failing.iter();
    failing
        .map(|name| line(name.clone(), "off", "Not run: "))
        .collect()
}

/// Failures first: they are what the student came for.
fn in_reading_order(board: &Board) -> Vec<Test> {
    let (passed, failed): (Vec<_>, Vec<_>) = board
        .tests
        .iter()
        .partition(|t| t.status == TestStatus::Passed);
    let all = failed.into_iter().chain(passed);
    let mut tests: Vec<_> = all.map(|result| test(result, board)).collect();
    // A starter fails everywhere for one reason; to say it once is enough.
    for test in tests.iter_mut().filter(|t| t.todo.is_some()).skip(1) {
        test.todo = Some(String::new());
    }
    tests
}

fn test(result: &TestResult, board: &Board) -> Test {
    let (class, word) = match result.status {
        TestStatus::Passed => ("ok", "Passes: "),
        TestStatus::Failed => ("bad", "Fails: "),
        TestStatus::TimedOut => ("bad", "Ran too long: "),
        TestStatus::Aborted => ("bad", "Stopped: "),
    };
    let failed = result.status != TestStatus::Passed;
    let todo = ["not yet implemented", "not implemented"]
        .iter()
        .find_map(|said| result.message.strip_prefix(said))
        .map(|rest| rest.trim_start_matches(':').trim().to_owned());
    let message = result.message.trim_end();
    Test {
        name: result.name.clone(),
        class,
        word,
        todo,
        point: Point::parse(message),
        message: message.to_owned(),
        location: result.location.as_deref().map(Location::of),
        output: if failed {
            result.output.trim_end().to_owned()
        } else {
            String::new()
        },
        request: failed.then(|| Sent::by(&result.name, board)).flatten(),
    }
}

impl Sent {
    /// The last request of that test that was not answered well, or the last.
    fn by(test: &str, board: &Board) -> Option<Self> {
        let own: Vec<_> = board.requests.iter().filter(|r| r.test == test).collect();
        let refused = own.iter().rposition(|seen| seen.status >= 400);
        let at = refused.or(own.len().checked_sub(1))?;
        Some(Self {
            number: at + 1,
            count: own.len(),
            href: own[at].href.clone(),
        })
    }
}

impl Point {
    /// From the testkit's message: a heading, then labels in eight columns and their texts.
    fn parse(message: &str) -> Option<Self> {
        let mut lines = message.lines();
        let mut heading = lines.next()?.splitn(3, ' ');
        let (id, phase, what) = (heading.next()?, heading.next()?, heading.next()?);
        let (exercise, number) = id.split_once('/')?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !digits(exercise) || !digits(number) {
            return None;
        }
        let mut texts: [Vec<&str>; 4] = Default::default();
        let mut at = None;
        for line in lines {
            let label = line.get(..10)?.trim();
            match label {
                "saw" => at = Some(0),
                "wanted" => at = Some(1),
                "why" => at = Some(2),
                "read" => at = Some(3),
                "" => {}
                _ => return None,
            }
            texts[at?].push(&line[10..]);
        }
        let [saw, wanted, why, read] = texts;
        (!saw.is_empty() && !wanted.is_empty()).then(|| Self {
            id: id.to_owned(),
            phase: phase.to_owned(),
            what: what.to_owned(),
            saw: saw.join("\n"),
            wanted: wanted.join("\n"),
            why: sentence(&why.join(" ")),
            read: read.join(" "),
        })
    }

    /// The heading of the task that it names.
    fn section<'t>(&self, task: &'t [TocEntry]) -> Option<&'t TocEntry> {
        let named = |heading: &&TocEntry| self.read.contains(&format!("\"{}\"", heading.text));
        task.iter().find(named)
    }

    /// What else there is to read.
    fn else_to_read(&self) -> &str {
        self.read.split_once(" · ").map_or("", |(_, rest)| rest)
    }

    /// Both texts line by line with their signs; the label stands on the first line only.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let both = [
            ("del", "- saw", &self.saw),
            ("ins", "+ wanted", &self.wanted),
        ];
        let lines = both.into_iter().flat_map(|(class, label, text)| {
            text.lines().enumerate().map(move |(number, line)| {
                let label = if number == 0 { label } else { &label[..1] };
                (class, format!("{label:<9}{line}"))
            })
        });
        lines.collect()
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let stop = if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}

impl Location {
    fn of(text: &str) -> Self {
        let in_file = text.strip_prefix("src/lib.rs:");
        let line = in_file.and_then(|rest| {
            let (line, column) = rest.split_once(':').unwrap_or((rest, "1"));
            Some((line.parse().ok()?, column.parse().ok()?))
        });
        Self {
            text: text.to_owned(),
            line,
        }
    }

    /// The page of a test's file, and the line, for an exercise with that address.
    fn in_test(&self, exercise: &str) -> Option<(String, &str)> {
        let (file, place) = self.text.split_once(':')?;
        let line = place.split(':').next()?;
        file.starts_with("tests/")
            .then(|| (format!("{exercise}/files/{file}"), line))
    }
}

fn run(past: &Past) -> Run {
    let (class, word) = match past.outcome {
        Outcome::Solved => ("ok", format!("all {} pass", past.total)),
        Outcome::NotSolved => ("bad", format!("{} of {} pass", past.passed, past.total)),
        Outcome::DoesNotCompile => ("bad", "does not compile".to_owned()),
        Outcome::BrokenSetup => ("bad", "broken set-up".to_owned()),
    };
    let at = OffsetDateTime::parse(&past.at, &Rfc3339);
    let day = at.map_or_else(
        |_| past.at.clone(),
        |at| {
            format!(
                "{}, {:02}:{:02} UTC",
                words::day(at.date()),
                at.hour(),
                at.minute()
            )
        },
    );
    Run {
        at: past.at.clone(),
        day,
        class,
        word,
        took: words::took(past.ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_taken_apart_as_the_testkit_wrote_it() {
        let message = "001/4 WIRE inferenceConfig.maxTokens\n  saw     nothing\n          at all\n  \
                       wanted  64\n  why     without a limit\n  read    README.md \"Limits\"";
        let point = Point::parse(message).unwrap();
        assert_eq!(
            (point.phase.as_str(), point.what.as_str()),
            ("WIRE", "inferenceConfig.maxTokens")
        );
        let lines = point.lines();
        let lines: Vec<_> = lines.iter().map(|(c, t)| (*c, t.as_str())).collect();
        assert_eq!(
            lines,
            [
                ("del", "- saw    nothing"),
                ("del", "-        at all"),
                ("ins", "+ wanted 64"),
            ]
        );
        assert_eq!(
            (point.wanted.as_str(), point.why.as_str()),
            ("64", "Without a limit.")
        );
        for other in [
            "",
            "assertion `left == right` failed\n  left: 1\n right: 2",
            "not implemented: 001/1: send it",
            "001/4 WIRE x\n  saw     1",
            "001/4 WIRE x\n  säw 1\n  wanted  2",
        ] {
            assert_eq!(Point::parse(other), None, "{other:?}");
        }
    }
}
