//! What a check looks like in the terminal.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _},
};

use workshop_course::Exercise;
use workshop_runner::{Outcome, Report, TestResult, TestStatus, live::Event};

use crate::style;

/// Shows a check as it happens: a bar while cargo builds, then one line for each test.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bar: bool,
    last_tenth: usize,
}

impl Progress {
    /// Shows one event. The bar goes to standard error, so that standard output stays clean.
    pub(crate) fn show(&mut self, event: &Event) {
        match event {
            Event::Building { done, total, .. } => self.building(*done, *total),
            Event::Note { text, .. } => {
                self.clear();
                eprintln!("{text}");
            }
            _ => {}
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&mut self) {
        if self.bar {
            eprint!("\r\x1b[2K");
            let _ = std::io::stderr().flush();
            self.bar = false;
        }
    }

    fn building(&mut self, done: usize, total: usize) {
        let total = total.max(done).max(1);
        if std::io::stderr().is_terminal() {
            const WIDTH: usize = 30;
            let filled = done * WIDTH / total;
            let bar: String = (0..WIDTH)
                .map(|i| if i < filled { '█' } else { '░' })
                .collect();
            eprint!("\r\x1b[2KCompiling {done} of {total}  {bar}");
            let _ = std::io::stderr().flush();
            self.bar = true;
        } else if done * 10 / total > self.last_tenth {
            self.last_tenth = done * 10 / total;
            eprintln!("Compiling {done} of {total}");
        }
    }
}

/// The report as text.
pub(crate) fn render(report: &Report, exercise: &Exercise) -> String {
    let mut text = format!(
        "{}  {}\n\n",
        style::bold(&format!("{} {}", exercise.id, exercise.title)),
        style::dim(&format!("{}/{}", exercise.dir, exercise.file)),
    );
    match report.outcome {
        Outcome::Solved | Outcome::NotSolved => tests(&mut text, report),
        Outcome::DoesNotCompile | Outcome::BrokenSetup => {
            for diagnostic in &report.diagnostics {
                let _ = writeln!(text, "{}\n", diagnostic.trim_end());
            }
        }
    }
    for note in &report.notes {
        let _ = writeln!(text, "{} {note}", style::yellow("note:"));
    }
    text.push_str(&verdict(report, exercise));
    text
}

fn tests(out: &mut String, report: &Report) {
    let mut first: Option<&TestResult> = None;
    for test in &report.tests {
        let _ = writeln!(
            out,
            "  {} {}  {}",
            mark(test),
            test.name,
            style::dim(&format!("{} ms", test.ms))
        );
        if test.status == TestStatus::Passed {
            continue;
        }
        // One failure in full is a lesson; ten are a wall.
        match first {
            None => {
                failure(out, test);
                first = Some(test);
            }
            Some(first) if first.location == test.location && test.location.is_some() => {}
            Some(_) => {
                let _ = writeln!(out, "      {}", style::dim(&one_line(&test.message)));
            }
        }
    }
    out.push('\n');
}

/// What a starter's `todo!` says before its own words.
const NOT_YET: &str = "not yet implemented: ";

fn one_line(message: &str) -> String {
    const WIDTH: usize = 92;
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix(NOT_YET).unwrap_or(line);
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}

fn mark(test: &TestResult) -> String {
    match test.status {
        TestStatus::Passed => style::green("✓"),
        TestStatus::Failed => style::red("✗"),
        TestStatus::TimedOut | TestStatus::Aborted => style::red("■"),
    }
}

fn failure(out: &mut String, test: &TestResult) {
    let message = test.message.strip_prefix(NOT_YET).unwrap_or(&test.message);
    for line in message.lines().flat_map(wrap) {
        let _ = writeln!(out, "      {line}");
    }
    if let Some(location) = &test.location {
        let _ = writeln!(out, "      {}", style::dim(&format!("at {location}")));
    }
    let printed: Vec<&str> = test.output.lines().collect();
    if !printed.is_empty() {
        const KEPT: usize = 12;
        let _ = writeln!(out, "      {}", style::dim("it printed:"));
        for line in printed.iter().take(KEPT) {
            let _ = writeln!(out, "      {} {line}", style::dim("│"));
        }
        if printed.len() > KEPT {
            let more = format!("… and {} more lines", printed.len() - KEPT);
            let _ = writeln!(out, "      {}", style::dim(&more));
        }
    }
}

/// The line in pieces that fit the terminal beside the indent, cut between words.
fn wrap(line: &str) -> Vec<String> {
    const INDENT: usize = 6;
    const WIDEST: usize = 100;
    let columns = crossterm::terminal::size().map_or(WIDEST, |(columns, _)| columns.into());
    let width = columns.clamp(40, WIDEST) - INDENT;
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let mut pieces = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = pieces.last_mut().expect("begins with one piece");
        if !last.is_empty() && last.chars().count() + word.trim_end().chars().count() > width {
            pieces.push(format!("  {word}"));
        } else {
            last.push_str(word);
        }
    }
    pieces
        .into_iter()
        .map(|piece| piece.trim_end().to_owned())
        .collect()
}

fn verdict(report: &Report, exercise: &Exercise) -> String {
    let id = &exercise.id;
    let passed = report
        .tests
        .iter()
        .filter(|t| t.status == TestStatus::Passed)
        .count();
    let total = report.tests.len();
    match report.outcome {
        Outcome::Solved if report.tampered => format!(
            "{} All {total} checks pass, but not against the course's own tests: not counted.\n",
            style::yellow("Practice.")
        ),
        Outcome::Solved => format!(
            "{} All {total} checks pass.\nRead on:  {}/after.md   Compare:  workshop diff {id}\n",
            style::green("Solved."),
            exercise.dir
        ),
        Outcome::NotSolved => format!(
            "{passed} of {total} checks pass.  A hint:  workshop hint {id}   On every save:  workshop watch {id}\n"
        ),
        Outcome::DoesNotCompile => format!(
            "{} The messages above are the compiler's; the first one usually explains the others.\n",
            style::red("It does not compile yet.")
        ),
        Outcome::BrokenSetup => format!(
            "{} This is not your code's fault. `workshop doctor` looks for the cause.\n",
            style::red("The check could not run.")
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workshop_course::{Course, Tree};

    use super::*;

    fn exercise() -> Exercise {
        let tree: Tree = crate::source::built_in();
        let course = Course::load(&tree);
        course.exercise("001").expect("the course has 001").clone()
    }

    fn test(name: &str, status: TestStatus, message: &str, location: Option<&str>) -> TestResult {
        TestResult {
            name: name.to_owned(),
            status,
            message: message.to_owned(),
            location: location.map(str::to_owned),
            output: String::new(),
            ms: 7,
        }
    }

    fn report(outcome: Outcome, tests: Vec<TestResult>) -> Report {
        Report {
            exercise: "001".to_owned(),
            outcome,
            tests,
            diagnostics: Vec::new(),
            problems: Vec::new(),
            tampered: false,
            notes: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn the_first_failure_is_shown_in_full_and_others_in_a_line() {
        let limit = "001/4 WIRE inferenceConfig.maxTokens\n  saw     nothing\n  wanted  64\n  \
                     why     one runaway answer costs as much as a hundred\n  read    README.md";
        let report = report(
            Outcome::NotSolved,
            vec![
                test("one_request_leaves", TestStatus::Passed, "", None),
                test(
                    "the_answer_is_limited",
                    TestStatus::Failed,
                    limit,
                    Some("tests/check.rs:88:11"),
                ),
                test(
                    "blocks_are_joined",
                    TestStatus::Failed,
                    "001/7 RESULT text\n  saw  x",
                    None,
                ),
                test("it_ends", TestStatus::TimedOut, "Stopped after 10 s.", None),
            ],
        );
        assert_eq!(
            render(&report, &exercise()),
            "001 First Converse call  exercises/001-first-converse-call/src/lib.rs\n\
             \n\
             \x20 ✓ one_request_leaves  7 ms\n\
             \x20 ✗ the_answer_is_limited  7 ms\n\
             \x20     001/4 WIRE inferenceConfig.maxTokens\n\
             \x20       saw     nothing\n\
             \x20       wanted  64\n\
             \x20       why     one runaway answer costs as much as a hundred\n\
             \x20       read    README.md\n\
             \x20     at tests/check.rs:88:11\n\
             \x20 ✗ blocks_are_joined  7 ms\n\
             \x20     001/7 RESULT text\n\
             \x20 ■ it_ends  7 ms\n\
             \x20     Stopped after 10 s.\n\
             \n\
             1 of 4 checks pass.  A hint:  workshop hint 001   On every save:  workshop watch 001\n"
        );
    }

    #[test]
    fn a_success_against_edited_tests_is_called_practice() {
        let mut report = report(
            Outcome::Solved,
            vec![test("a", TestStatus::Passed, "", None)],
        );
        report.tampered = true;
        let text = render(&report, &exercise());
        assert!(
            text.contains("Practice.") && text.contains("not counted"),
            "{text}"
        );
    }

    #[test]
    fn long_lines_are_cut_between_words() {
        let line = "word ".repeat(40);
        let pieces = wrap(&line);
        assert!(pieces.len() > 1);
        assert!(
            pieces
                .iter()
                .all(|p| p.chars().count() <= 100 && !p.ends_with(' '))
        );
        let words: usize = pieces.iter().map(|p| p.split_whitespace().count()).sum();
        assert_eq!(words, 40);
    }
}
