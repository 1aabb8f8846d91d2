//! How long a student waits for the slowest test when the exercise is solved.

use std::time::Duration;

use super::{
    problems,
    run::{Bench, Outcome},
};
use crate::{
    TestResult, TestStatus,
    suite::Ran,
    variants::{Kind, Variant},
    workspace::{ExerciseDir, Pace},
};

/// A slow run may be the machine's fault: so often again, alone, before it is the test's.
const AGAIN: usize = 3;

/// The slowest test and what it took.
pub(super) fn slowest(tests: &[TestResult]) -> Option<&TestResult> {
    tests.iter().max_by_key(|test| test.ms)
}

fn too_slow(tests: &[TestResult], pace: Duration) -> bool {
    slowest(tests).is_some_and(|test| u128::from(test.ms) > 2 * pace.as_millis())
}

impl Bench<'_> {
    /// Runs those solutions again, alone, whose slowest test took more than twice its time; keeps the best
    /// of these runs. `None` when cancelled.
    pub(super) fn time_again(&self, all: &[Variant], outcomes: &mut [Outcome]) -> Option<()> {
        for (variant, outcome) in all.iter().zip(outcomes) {
            let solved = variant.kind == Kind::Solution && problems(variant, outcome).is_empty();
            let Ok(Pace { test, .. }) = variant.exercise.pace() else {
                continue;
            };
            let Outcome::Ran { tests, .. } = outcome else {
                continue;
            };
            let Some(program) = self.program(variant).filter(|_| solved) else {
                continue;
            };
            for _ in 0..AGAIN {
                if !too_slow(tests, test) {
                    break;
                }
                let again = match self.suite(variant, program).run(&mut |_| {}) {
                    Ran::Done(again) => again,
                    Ran::Broken(_) => continue,
                    Ran::Cancelled => return None,
                };
                let green = again.iter().all(|t| t.status == TestStatus::Passed);
                if green && slowest(&again).map(|t| t.ms) < slowest(tests).map(|t| t.ms) {
                    *tests = again;
                }
            }
        }
        Some(())
    }
}

/// A sentence about a solution whose slowest test is too slow.
pub(super) fn problem(exercise: &ExerciseDir, tests: &[TestResult]) -> Option<String> {
    let pace = match exercise.pace() {
        Ok(pace) => pace,
        Err(why) => return Some(why),
    };
    let test = slowest(tests).filter(|_| too_slow(tests, pace.test))?;
    Some(format!(
        "{} takes {:.1} s alone, more than twice the {} s that a student may wait for one test; make it cheaper, or say in Cargo.toml below [package.metadata.workshop] how long it takes and why: test-seconds = {}, test-seconds-because = \"…\"",
        test.name,
        Duration::from_millis(test.ms).as_secs_f64(),
        pace.test.as_secs_f64(),
        test.ms.div_ceil(1000),
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn exercise(metadata: &str) -> (tempfile::TempDir, ExerciseDir) {
        let folder = tempfile::tempdir().unwrap();
        let manifest =
            format!("[package]\nname = \"ex001\"\n[package.metadata.workshop]\n{metadata}\n");
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        let exercise = ExerciseDir {
            id: "001".into(),
            name: "001-x".into(),
            dir: folder.path().to_owned(),
        };
        (folder, exercise)
    }

    fn takes(ms: u64) -> Vec<TestResult> {
        let test = |name: &str, ms| TestResult {
            name: name.into(),
            status: TestStatus::Passed,
            message: String::new(),
            location: None,
            output: String::new(),
            ms,
        };
        vec![test("quick", 1), test("slow", ms)]
    }

    #[test]
    fn twice_the_time_is_a_problem_and_more_time_wants_a_reason() {
        let rows = [
            ("", 4000, None),
            (
                "",
                4001,
                Some("slow takes 4.0 s alone, more than twice the 2 s"),
            ),
            (
                "test-seconds = 5\ntest-seconds-because = \"three days\"",
                10_000,
                None,
            ),
            (
                "test-seconds = 5\ntest-seconds-because = \"three days\"",
                10_001,
                Some("twice the 5 s"),
            ),
            (
                "test-seconds = 5",
                1,
                Some("test-seconds-because must say why"),
            ),
            (
                "test-seconds = 5\ntest-seconds-because = \" \"",
                1,
                Some("must say why"),
            ),
            ("test-seconds = \"5\"", 1, Some("must be a whole number")),
        ];
        for (metadata, ms, wanted) in rows {
            let (_folder, exercise) = exercise(metadata);
            let said = problem(&exercise, &takes(ms));
            match wanted {
                None => assert_eq!(said, None, "{metadata}"),
                Some(wanted) => assert!(
                    said.as_ref().is_some_and(|s| s.contains(wanted)),
                    "{said:?}"
                ),
            }
        }
    }
}
