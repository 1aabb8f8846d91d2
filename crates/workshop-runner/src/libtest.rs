//! What the standard test harness prints, read for people: about all tests run together, or about
//! one that was run alone.

use std::{collections::BTreeMap, time::Duration};

/// The names in `--list --format terse` (`name: test`).
pub(crate) fn parse_list(stdout: &str) -> Vec<String> {
    stdout
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()
}

/// Sorts into the order in which the test file defines the tests; the harness sorts by name.
pub(crate) fn in_file_order<T>(tests: &mut [T], name: impl Fn(&T) -> &String, source: &str) {
    tests.sort_by_key(|test| {
        let name = name(test);
        let function = name.rsplit("::").next().unwrap_or(name);
        let position = source.find(&format!("fn {function}("));
        (position.unwrap_or(usize::MAX), name.clone())
    });
}

/// One test of a run of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Together {
    pub(crate) name: String,
    pub(crate) passed: bool,
    /// What the harness captured: prints and panics.
    pub(crate) captured: String,
    pub(crate) took: Duration,
}

/// Reads a run of all tests with `--show-output`; `marks` tell when how much of it was there,
/// `threads` how many tests ran at once. `None` when it does not add up in every respect (the
/// process was ended, somebody printed lines of the harness): then nothing in it is trusted.
pub(crate) fn together(
    stdout: &str,
    marks: &[(usize, Duration)],
    threads: usize,
) -> Option<Vec<Together>> {
    let body = stdout.trim_start_matches('\n');
    let (first, _) = body.split_once('\n')?;
    let count: usize = first
        .strip_prefix("running ")?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    let start = stdout.len() - body.len() + first.len() + 1;
    let mut at = start;
    // Name, whether it passed, when its line was there.
    let mut lines: Vec<(String, bool, Duration)> = Vec::new();
    for line in stdout[start..].split_inclusive('\n') {
        at += line.len();
        if line == "\n" {
            break;
        }
        let (name, status) = line
            .trim_end()
            .strip_prefix("test ")?
            .rsplit_once(" ... ")?;
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        let passed = match status {
            "ok" => true,
            "FAILED" => false,
            _ => return None,
        };
        let there = marks.iter().find(|(bytes, _)| *bytes >= at)?.1;
        lines.push((name.to_owned(), passed, there));
    }
    let passed = lines.iter().filter(|(_, passed, _)| *passed).count();
    let word = if passed == count { "ok" } else { "FAILED" };
    let wanted = format!(
        "test result: {word}. {passed} passed; {} failed; 0 ignored;",
        count - passed.min(count)
    );
    let mut results = stdout
        .lines()
        .filter(|line| line.starts_with("test result: "));
    let last = stdout.lines().rev().find(|line| !line.trim().is_empty());
    let result = results.next()?;
    let adds_up = result.starts_with(&wanted)
        && last == Some(result)
        && results.next().is_none()
        && lines.len() == count;
    let mut captured = sections(&stdout[at..], &lines);
    let took = durations(&lines, threads);
    if !adds_up || took.len() != count {
        return None;
    }
    let all = lines.into_iter().map(|(name, passed, _)| Together {
        took: took[&name],
        captured: captured.remove(&name).unwrap_or_default(),
        name,
        passed,
    });
    Some(all.collect())
}

/// The harness starts tests in the order of their names, the next one when one ends.
fn durations(lines: &[(String, bool, Duration)], threads: usize) -> BTreeMap<String, Duration> {
    let ends: BTreeMap<_, _> = lines
        .iter()
        .map(|(name, _, there)| (name, *there))
        .collect();
    let starts = std::iter::repeat_n(Duration::ZERO, threads.max(1))
        .chain(lines.iter().map(|(_, _, there)| *there));
    ends.into_iter()
        .zip(starts)
        .map(|((name, end), start)| (name.clone(), end.saturating_sub(start)))
        .collect()
}

/// The captured output of each test: what follows `---- name stdout ----`.
fn sections(text: &str, tests: &[(String, bool, Duration)]) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let header = line
            .trim_end()
            .strip_prefix("---- ")
            .and_then(|l| l.strip_suffix(" stdout ----"));
        if let Some((name, ..)) = tests
            .iter()
            .find(|(name, ..)| header == Some(name.as_str()))
        {
            current = Some(name);
        } else if ["successes:\n", "failures:\n"].contains(&line) {
            current = None;
        } else if let Some(name) = current {
            found.entry(name.to_owned()).or_default().push_str(line);
        }
    }
    found
}

/// What the harness reported about the one test it was asked to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// It ended without the harness's last line: `exit`, usually.
    Silent,
    /// More than one line that only the harness prints.
    Forged,
}

/// Reads the harness's lines. A student may print them too, but cannot take the real ones back.
pub(crate) fn verdict(stdout: &str) -> Verdict {
    let results: Vec<_> = stdout
        .lines()
        .filter(|l| l.starts_with("test result: "))
        .collect();
    let starts = stdout.lines().filter(|l| *l == "running 1 test").count();
    let last = stdout.lines().rev().find(|l| !l.trim().is_empty());
    match results[..] {
        [] => Verdict::Silent,
        [line] if starts == 1 && last == Some(line) => {
            if line.starts_with("test result: ok. 1 passed; 0 failed;") {
                Verdict::Passed
            } else {
                Verdict::Failed
            }
        }
        _ => Verdict::Forged,
    }
}

/// What the test printed itself: standard output without the harness's lines.
pub(crate) fn own_output(stdout: &str, test: &str) -> String {
    let is_harness = |line: &&str| {
        *line == "running 1 test"
            || line.starts_with("test result: ")
            || line.strip_prefix("test ").is_some_and(|l| {
                let l = l.strip_prefix(test).unwrap_or("\0");
                l.starts_with(" ... ") || l.starts_with(" - should panic ... ")
            })
    };
    // After the test the harness lists failures; with `--nocapture` it has nothing to show there.
    let before_list = stdout.split("\nfailures:\n").next().unwrap_or(stdout);
    let lines: Vec<_> = before_list
        .lines()
        .filter(|line| !is_harness(line))
        .collect();
    lines.join("\n").trim().to_owned()
}

/// A failure's text and where it was raised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// `path:line:column`, as rustc was given the path.
    pub(crate) location: Option<String>,
    /// Standard error without the panic's lines.
    pub(crate) rest: String,
}

/// Takes the panic that failed the test out of its standard error.
pub(crate) fn failure(test: &str, stdout: &str, stderr: &str) -> Failure {
    let panics = panics(stderr);
    // A panic on another thread usually ends the test's own thread by an `unwrap` of a join
    // error, and says more than that; but the test's own assertion always comes first.
    let own = panics.iter().rev().find(|p| p.thread == test);
    let other = panics.iter().rev().find(|p| p.thread != test);
    let chosen = match (own, other) {
        (Some(own), Some(other)) if own.message.contains("JoinError") => Some(other),
        (own, other) => own.or(other),
    };
    if let Some(panic) = chosen {
        let rest = format!("{}{}", &stderr[..panic.start], &stderr[panic.end..]);
        return Failure {
            message: panic.message.clone(),
            location: Some(panic.location.clone()),
            rest: rest.trim().to_owned(),
        };
    }
    let returned = stderr.lines().position(|l| l.starts_with("Error: "));
    let message = match returned {
        Some(line) => stderr.lines().skip(line).collect::<Vec<_>>().join("\n"),
        None => harness_note(test, stdout)
            .or_else(|| did_not_panic(stderr))
            .unwrap_or_default(),
    };
    Failure {
        message,
        location: None,
        rest: if returned.is_some() {
            String::new()
        } else {
            stderr.trim().to_owned()
        },
    }
}

struct Panic {
    thread: String,
    location: String,
    message: String,
    start: usize,
    end: usize,
}

/// All panics: `thread 'name' (id) panicked at path:line:column:`, the payload, a note.
fn panics(stderr: &str) -> Vec<Panic> {
    let mut found = Vec::new();
    let mut offset = 0;
    while let Some((start, thread, location, body)) = next_panic(stderr, offset) {
        let text = &stderr[body..];
        let note = text.find("note: run with `RUST_BACKTRACE=");
        let next = next_panic(stderr, body).map(|(start, ..)| start - body);
        let length = [note, next]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(text.len());
        let mut end = body + length;
        if note == Some(length) {
            end += text[length..]
                .find('\n')
                .map_or(text.len() - length, |n| n + 1);
        }
        found.push(Panic {
            thread,
            location,
            message: text[..length].trim_end().to_owned(),
            start,
            end,
        });
        offset = end.max(body);
    }
    found
}

/// Start of the line, thread, location, start of the payload.
fn next_panic(stderr: &str, from: usize) -> Option<(usize, String, String, usize)> {
    let mut at = from;
    for line in stderr[from..].split_inclusive('\n') {
        let header = line.trim_end().strip_prefix("thread '").and_then(|rest| {
            let (thread, rest) = rest.split_once('\'')?;
            let (_id, place) = rest.split_once("panicked at ")?;
            Some((thread.to_owned(), place.strip_suffix(':')?.to_owned()))
        });
        if let Some((thread, location)) = header {
            return Some((at, thread, location, at + line.len()));
        }
        at += line.len();
    }
    None
}

/// The harness's note in a captured text.
fn did_not_panic(captured: &str) -> Option<String> {
    let note = captured
        .lines()
        .find_map(|line| line.strip_prefix("note: "))?;
    Some(note.to_owned())
}

/// What the harness itself has to say about a test that did not panic (`#[should_panic]`).
fn harness_note(test: &str, stdout: &str) -> Option<String> {
    let (_, after) = stdout.split_once(&format!("---- {test} stdout ----\n"))?;
    let note = after.split("\n\nfailures:").next()?.trim();
    Some(note.strip_prefix("note: ").unwrap_or(note).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_the_order_of_the_file() {
        let mut names =
            parse_list("b_second: test\na_third: test\nbench: benchmark\nz_first: test\n");
        let source = "fn z_first() {}\nasync fn b_second() {}\nfn a_third() {}";
        in_file_order(&mut names, |name| name, source);
        assert_eq!(names, ["z_first", "b_second", "a_third"]);
    }

    const TOGETHER: &str = "\nrunning 3 tests\ntest b ... ok\ntest a ... FAILED\ntest c - should panic ... ok\n\nsuccesses:\n\n---- b stdout ----\nhello\n\n\nsuccesses:\n    b\n    c\n\nfailures:\n\n---- a stdout ----\nseen\n\nthread 'a' (7) panicked at tests/check.rs:1:2:\nno\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\nfailures:\n    a\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n";

    #[test]
    fn all_tests_of_one_process() {
        let ms = Duration::from_millis;
        let line = |end: &str| TOGETHER.find(end).unwrap() + end.len() + 1;
        let marks = [
            (line("b ... ok"), ms(10)),
            (line("a ... FAILED"), ms(30)),
            (TOGETHER.len(), ms(45)),
        ];
        let all = together(TOGETHER, &marks, 2).unwrap();
        let rows: Vec<_> = all
            .iter()
            .map(|t| (t.name.as_str(), t.passed, t.took))
            .collect();
        assert_eq!(
            rows,
            [
                ("b", true, ms(10)),
                ("a", false, ms(30)),
                ("c", true, ms(35))
            ]
        );
        assert_eq!(all[0].captured.trim(), "hello");
        let failure = failure("a", "", &all[1].captured);
        assert_eq!(
            (failure.message.as_str(), failure.rest.as_str()),
            ("no", "seen")
        );
    }

    #[test]
    fn a_run_that_does_not_add_up_is_not_trusted() {
        let marks = [(usize::MAX, Duration::ZERO)];
        assert!(together(TOGETHER, &marks, 2).is_some());
        let spoiled = [
            TOGETHER.replace("test a ... FAILED", "test a ... ok"),
            TOGETHER.replace("test b ... ok\n", "test b ... ok\ntest a ... ok\n"),
            TOGETHER.replace("test b ... ok\n", "hello\ntest b ... ok\n"),
            TOGETHER.replace("hello", "test result: ok. 3 passed; 0 failed; 0 ignored;"),
            TOGETHER.split("\nfailures:").next().unwrap().to_owned(),
            format!("{TOGETHER}bye\n"),
            String::new(),
        ];
        for stdout in spoiled {
            assert_eq!(together(&stdout, &marks, 2), None, "{stdout}");
        }
    }

    #[test]
    fn verdicts() {
        let end = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\n";
        let rows = [
            (format!("\nrunning 1 test\ntest a ... ok\n\n{end}"), Verdict::Passed),
            ("\nrunning 1 test\n".to_owned(), Verdict::Silent),
            (String::new(), Verdict::Silent),
            (format!("\nrunning 1 test\n{end}hi\n"), Verdict::Forged),
            (format!("\nrunning 1 test\n{end}\n{end}"), Verdict::Forged),
            (
                "\nrunning 1 test\ntest a ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored;".to_owned(),
                Verdict::Failed,
            ),
        ];
        for (stdout, wanted) in rows {
            assert_eq!(verdict(&stdout), wanted, "{stdout}");
        }
    }

    #[test]
    fn the_panic_of_the_test_is_the_message() {
        let stderr = "before\n\nthread 'a' (77) panicked at exercises/001-x/tests/check.rs:9:5:\n001/1 WIRE x\n  saw     1\n\n  wanted  2\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\nafter\n";
        let failure = failure("a", "", stderr);
        assert_eq!(failure.message, "001/1 WIRE x\n  saw     1\n\n  wanted  2");
        assert_eq!(
            failure.location.as_deref(),
            Some("exercises/001-x/tests/check.rs:9:5")
        );
        assert_eq!(failure.rest, "before\n\nafter");
    }

    #[test]
    fn a_panic_on_a_worker_says_more_than_the_join_error() {
        let stderr = "thread 'tokio-rt-worker' (8) panicked at src/lib.rs:1:1:\nreal cause\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\nthread 'a' (7) panicked at tests/check.rs:2:2:\ncalled `Result::unwrap()` on an `Err` value: JoinError::Panic(Id(9), \"real cause\")\n";
        assert_eq!(failure("a", "", stderr).message, "real cause");
    }

    #[test]
    fn an_error_returned_by_the_test_is_the_message() {
        let failure = failure("a", "", "noise\nError: Custom(\"x\")\n");
        assert_eq!(failure.message, "Error: Custom(\"x\")");
        assert_eq!(failure.location, None);
    }
}
