//! Whether getting nearer shows: from the starter over answers that are nearly right to the right one, red
//! tests get fewer, and no test that was green turns red.
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

/// Steps that do not look like steps, in sentences.
pub(super) fn problems(of_exercise: &[(&Variant, &Outcome)]) -> Vec<String> {
    let mut starters = of_exercise.iter().filter(|(v, _)| v.kind == Kind::Starter);
    let Some(start) = starters.next().and_then(|(_, outcome)| red(outcome)) else {
        return Vec::new();
    };
    let wrong = of_exercise.iter().filter(|(v, _)| v.kind == Kind::Wrong);
    let steps: Vec<_> = wrong
        .filter_map(|(variant, outcome)| Some((variant.file.as_str(), red(outcome)?)))
        .collect();
    judge(&start, &steps)
}

/// A snippet that was copied from somewhere may be as far away as the starter; not every answer may.
fn judge(start: &BTreeSet<&str>, steps: &[(&str, BTreeSet<&str>)]) -> Vec<String> {
    let mut found: Vec<String> = steps
        .iter()
        .flat_map(|(file, red)| red.difference(start).map(move |test| (file, test)))
        .map(|(file, test)| {
            format!("{file}: fails {test}, which the starter passes: whoever comes nearer sees a green test turn red")
        })
        .collect();
    if !steps.is_empty() && steps.iter().all(|(_, red)| red.len() >= start.len()) {
        found.push(format!(
            "wrong/: each answer fails as many tests as the starter, {}, so nobody sees that one is nearer",
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
        let rows = [
            (vec![vec!["b"]], ""),
            (vec![vec!["b"], vec!["a", "b"]], ""),
            (vec![], ""),
            (
                vec![vec!["a", "b"]],
                "wrong/: each answer fails as many tests as the starter, 2",
            ),
            (vec![vec!["c"]], "w: fails c, which the starter passes"),
        ];
        let start = BTreeSet::from(["a", "b"]);
        for (steps, wanted) in rows {
            let steps: Vec<_> = steps
                .into_iter()
                .map(|red| ("w", red.into_iter().collect()))
                .collect();
            let said = judge(&start, &steps).join("; ");
            assert!(
                said.starts_with(wanted) && said.is_empty() == wanted.is_empty(),
                "{said}"
            );
        }
    }
}
