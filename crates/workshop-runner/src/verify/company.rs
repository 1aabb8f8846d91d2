//! Two copies of an exercise's tests at once, beside two of another exercise's: as two terminals, an editor
//! and the site do it. A port, a file or a variable that they share would show.

use std::thread;

use super::{VerifyEvent, problems, run::Bench, run::Outcome};
use crate::{
    TestStatus,
    suite::{Ran, Suite},
    variants::{Kind, Variant},
};

impl Bench<'_> {
    /// Every solution that passed, in company; `None` when cancelled.
    pub(super) fn run_in_company(
        &self,
        all: &[Variant],
        outcomes: &mut [Outcome],
        on_event: &mut dyn FnMut(&VerifyEvent),
    ) -> Option<()> {
        let solved = |n: &usize| {
            all[*n].kind == Kind::Solution && problems(&all[*n], &outcomes[*n]).is_empty()
        };
        let solved: Vec<usize> = (0..all.len()).filter(solved).collect();
        for (one, other) in pairs(&solved, |a, b| all[a].exercise.id == all[b].exercise.id) {
            let suites: Vec<(usize, Suite)> = [Some(one), other]
                .into_iter()
                .flatten()
                .flat_map(|n| [n, n])
                .filter_map(|n| Some((n, self.suite(&all[n], self.program(&all[n])?))))
                .collect();
            let ran: Vec<(usize, Ran)> = thread::scope(|scope| {
                let running: Vec<_> = suites
                    .iter()
                    .map(|(n, suite)| (*n, scope.spawn(|| suite.run(&mut |_| {}))))
                    .collect();
                let ended = running.into_iter();
                ended
                    .map(|(n, run)| (n, run.join().expect("running a program does not panic")))
                    .collect()
            });
            for (n, ran) in ran {
                let company = if n == one { other } else { Some(one) };
                let company = company.map(|n| all[n].exercise.id.as_str());
                found(&mut outcomes[n], ran, company)?;
            }
            for n in [Some(one), other].into_iter().flatten() {
                on_event(&VerifyEvent::InCompany {
                    exercise: all[n].exercise.id.clone(),
                    file: all[n].file.clone(),
                    ok: problems(&all[n], &outcomes[n]).is_empty(),
                });
            }
        }
        Some(())
    }
}

/// Each with one of another exercise, as far as there are any.
fn pairs(all: &[usize], same: impl Fn(usize, usize) -> bool) -> Vec<(usize, Option<usize>)> {
    let mut left = all.to_vec();
    let mut pairs = Vec::new();
    while !left.is_empty() {
        let one = left.remove(0);
        // The one in the middle: neighbours are often of one exercise, or alike.
        let middle = left.len() / 2;
        let places = (middle..left.len()).chain((0..middle).rev());
        let other = places.into_iter().find(|at| !same(one, left[*at]));
        let other = other.map(|at| left.remove(at));
        let other = other.or_else(|| all.iter().copied().find(|n| !same(one, *n)));
        pairs.push((one, other));
    }
    pairs
}

/// Keeps what only fails in company; `None` when cancelled.
fn found(outcome: &mut Outcome, ran: Ran, company: Option<&str>) -> Option<()> {
    let Outcome::Ran { in_company, .. } = outcome else {
        return Some(());
    };
    let failures = match ran {
        Ran::Done(tests) => {
            let red = tests.into_iter().filter(|t| t.status != TestStatus::Passed);
            red.map(|test| (test.name, test.message)).collect()
        }
        Ran::Broken(why) => vec![("the test program".to_owned(), why)],
        Ran::Cancelled => return None,
    };
    let company = company.map_or(String::new(), |id| format!(" and the tests of {id}"));
    for (test, message) in failures {
        let sentence = format!(
            "{test} does not pass while a second copy of these tests{company} run at the same time:\n{message}"
        );
        if !in_company.contains(&sentence) {
            in_company.push(sentence);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn everybody_has_company_of_another_exercise() {
        // Exercises by their tens: 10 and 11 are two solutions of one.
        let same = |a: usize, b: usize| a / 10 == b / 10;
        let rows = [
            (vec![10, 20, 30, 40], vec![(10, Some(30)), (20, Some(40))]),
            (vec![10, 11, 20], vec![(10, Some(20)), (11, Some(20))]),
            (vec![10, 11], vec![(10, None), (11, None)]),
            (vec![], vec![]),
        ];
        for (all, wanted) in rows {
            assert_eq!(pairs(&all, same), wanted, "{all:?}");
        }
    }
}
