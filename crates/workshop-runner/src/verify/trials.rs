//! The solutions once more, in labs that differ in what no test may depend on.
//!
//! All differences at once: nearly always nothing breaks. Only if something does, each difference has a
//! run of its own, to say which it was.

use crate::{
    TestResult, TestStatus,
    suite::{Ran, Suite},
};

/// The testkit's variables (`trial.rs` there). Each takes a seed.
pub(crate) const VARIABLES: [&str; 2] = ["WORKSHOP_SCRAMBLE", "WORKSHOP_SHUFFLE"];

/// What a lab does differently, as the end of a sentence.
const DIFFERENCES: [(&str, &str); 2] = [
    (VARIABLES[0], "the model says other words"),
    (VARIABLES[1], "the models have other ids and prices"),
];

/// What a solution's tests do not bear, in sentences; `None` when cancelled.
pub(crate) fn problems(suite: &Suite, seed: u64) -> Option<Vec<String>> {
    let together = failures(suite, &VARIABLES, seed)?;
    if together.is_empty() {
        return Some(Vec::new());
    }
    let mut found = Vec::new();
    for (variable, difference) in DIFFERENCES {
        let failed = failures(suite, &[variable], seed)?;
        found.extend(failed.iter().map(|failure| {
            sentence(
                failure,
                difference,
                &format!("{variable}={seed}"),
                &suite.package,
            )
        }));
    }
    if found.is_empty() {
        let all = VARIABLES.map(|variable| format!("{variable}={seed}"));
        let sentence = |failure| {
            let difference = "several things differ at once";
            sentence(failure, difference, &all.join(" "), &suite.package)
        };
        found.extend(together.iter().map(sentence));
    }
    Some(found)
}

/// Name and text of every test that does not pass with these variables.
fn failures(suite: &Suite, variables: &[&'static str], seed: u64) -> Option<Vec<(String, String)>> {
    let trial = variables.iter().map(|name| (*name, seed.to_string()));
    let suite = Suite {
        trial: trial.collect(),
        ..suite.clone()
    };
    match suite.run(&mut |_| {}) {
        Ran::Done(tests) => {
            let red = |test: &TestResult| test.status != TestStatus::Passed;
            let red = tests.into_iter().filter(red);
            Some(red.map(|test| (test.name, test.message)).collect())
        }
        Ran::Broken(why) => Some(vec![("the test program".to_owned(), why)]),
        Ran::Cancelled => None,
    }
}

fn sentence(
    (test, message): &(String, String),
    difference: &str,
    variables: &str,
    package: &str,
) -> String {
    format!(
        "{test} does not pass when {difference} (with the solution in src/lib.rs: {variables} cargo test -p {package}):\n{message}"
    )
}
