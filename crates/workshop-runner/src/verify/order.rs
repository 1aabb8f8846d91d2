//! Whether getting nearer shows: from the starter over an answer that is nearly right to the right one, the
//! number of red tests falls at every step, and no test that was green turns red.
//!
//! The steps before the last are the wrong answers: each is right but for one mistake. (The solution without
//! the step of one hint would be a finer series, but a solution is written to be read, and marks in it for
//! 21 exercises would be a second solution to keep; the wrong answers are kept anyway.)

use std::collections::BTreeSet;

use super::run::Outcome;
use crate::{
    TestStatus,
    variants::{Kind, Variant},
};

fn red(outcome: &Outcome) -> Option<BTreeSet<&str>> {
    match outcome {
        Outcome::Ran { tests, .. } => {
            let red = tests.iter().filter(|t| t.status != TestStatus::Passed);
            Some(red.map(|t| t.name.as_str()).collect())
        }
        _ => None,
    }
}

/// Wrong answers from which an exercise's starter looks no further away, in sentences.
pub(super) fn problems(of_exercise: &[(&Variant, &Outcome)]) -> Vec<String> {
    let mut starters = of_exercise.iter().filter(|(v, _)| v.kind == Kind::Starter);
    let Some(start) = starters.next().and_then(|(_, outcome)| red(outcome)) else {
        return Vec::new();
    };
    let wrong = of_exercise.iter().filter(|(v, _)| v.kind == Kind::Wrong);
    let steps = wrong.filter_map(|(variant, outcome)| Some((variant, red(outcome)?)));
    steps
        .flat_map(|(variant, red)| step(&variant.file, &start, &red))
        .collect()
}

fn step(file: &str, start: &BTreeSet<&str>, red: &BTreeSet<&str>) -> Vec<String> {
    let mut found: Vec<String> = red
        .difference(start)
        .map(|test| {
            format!("{file}: fails {test}, which the starter passes: whoever comes nearer sees a green test turn red")
        })
        .collect();
    if found.is_empty() && red.len() >= start.len() {
        found.push(format!(
            "{file}: fails all {} tests that the starter fails, so nobody sees that it is nearer",
            start.len()
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_makes_red_tests_fewer_and_no_green_one_red() {
        let rows: [(&[&str], &[&str], &str); 3] = [
            (&["a", "b"], &["b"], ""),
            (
                &["a", "b"],
                &["a", "b"],
                "w: fails all 2 tests that the starter fails",
            ),
            (
                &["a", "b"],
                &["b", "c"],
                "w: fails c, which the starter passes",
            ),
        ];
        for (start, red, wanted) in rows {
            let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
            let said = step("w", &set(start), &set(red)).join("; ");
            assert!(
                said.starts_with(wanted) && said.is_empty() == wanted.is_empty(),
                "{said}"
            );
        }
    }
}
