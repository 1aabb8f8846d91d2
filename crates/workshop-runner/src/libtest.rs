//! The standard test harness, driven the way nextest does: list the tests, then run each in a
//! process of its own, so that one that hangs, aborts or floods takes nothing with it.

/// The names in `--list --format terse` (`name: test`).
pub(crate) fn parse_list(stdout: &str) -> Vec<String> {
    stdout
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()
}

/// In the order in which the test file defines them; the harness sorts by name.
pub(crate) fn in_file_order(mut names: Vec<String>, source: &str) -> Vec<String> {
    names.sort_by_key(|name| {
        let function = name.rsplit("::").next().unwrap_or(name);
        let position = source.find(&format!("fn {function}("));
        (position.unwrap_or(usize::MAX), name.clone())
    });
    names
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
        None => harness_note(test, stdout).unwrap_or_default(),
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
        let names = parse_list("b_second: test\na_third: test\nbench: benchmark\nz_first: test\n");
        let source = "fn z_first() {}\nasync fn b_second() {}\nfn a_third() {}";
        assert_eq!(
            in_file_order(names, source),
            ["z_first", "b_second", "a_third"]
        );
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
