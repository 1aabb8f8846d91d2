//! The solutions again and again, on an idle machine and on a busy one: a test that sometimes fails
//! teaches nothing but distrust.

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde::{Deserialize, Serialize};

use crate::{
    TestStatus,
    suite::{Ran, Suite},
};

/// Tests at once where there are more than anybody's machine likes.
const MANY: usize = 8;

/// How a test program is run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// As a student runs it.
    Usual,
    /// With many tests at once.
    Crowded,
    /// The same, while other programs take all the time there is.
    Busy,
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Usual, Self::Crowded, Self::Busy];

    /// How many runs this one gets when the usual one gets `repeat`: 50, 20 and 10.
    pub(crate) fn runs(self, repeat: usize) -> usize {
        match self {
            Self::Usual => repeat,
            Self::Crowded => (repeat * 2).div_ceil(5),
            Self::Busy => repeat.div_ceil(5),
        }
    }

    /// For people, after a number of runs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Usual => "as usual",
            Self::Crowded => "with 8 tests at once",
            Self::Busy => "with 8 tests at once on a busy machine",
        }
    }

    /// Does something while the machine is as busy as this load wants it.
    pub(crate) fn around<T>(self, something: impl FnOnce() -> T) -> T {
        if self != Self::Busy {
            return something();
        }
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            for _ in 0..2 * cores {
                scope.spawn(|| {
                    let mut number = 1_u64;
                    while !over.load(Ordering::Relaxed) {
                        number = black_box(number.wrapping_mul(3));
                    }
                });
            }
            // Dropped when `something` panics, too; else the scope would wait for ever.
            let _over = Over(&over);
            something()
        })
    }
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What came of repeating.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// Runs of a test program in all.
    pub runs: usize,
    /// Those in which at least one test did not pass.
    pub flakes: usize,
}

impl Repeats {
    /// Sums up.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.flakes += other.flakes;
    }
}

/// Runs a solution's tests so often, and says which of them failed how often; `None` when cancelled.
pub(crate) fn repeat(suite: &Suite, load: Load, runs: usize) -> Option<(Repeats, Vec<String>)> {
    let threads = match load {
        Load::Usual => suite.threads,
        Load::Crowded | Load::Busy => MANY,
    };
    let suite = Suite {
        threads,
        ..suite.clone()
    };
    let mut counted = Repeats { runs, flakes: 0 };
    // Test → how often it did not pass, and the first text.
    let mut red: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for _ in 0..runs {
        let failed: Vec<(String, String)> = match suite.run(&mut |_| {}) {
            Ran::Done(tests) => {
                let failed = tests.into_iter().filter(|t| t.status != TestStatus::Passed);
                failed.map(|test| (test.name, test.message)).collect()
            }
            Ran::Broken(why) => vec![("the test program".to_owned(), why)],
            Ran::Cancelled => return None,
        };
        counted.flakes += usize::from(!failed.is_empty());
        for (test, message) in failed {
            red.entry(test).or_insert((0, message)).0 += 1;
        }
    }
    let sentence = |(test, (times, message))| {
        let load = load.name();
        format!("{test} does not pass in {times} of {runs} runs {load}:\n{message}")
    };
    Some((counted, red.into_iter().map(sentence).collect()))
}

#[cfg(test)]
mod tests {
    use super::Load;

    #[test]
    fn the_busier_the_fewer_runs() {
        let runs = |repeat| Load::ALL.map(|load| load.runs(repeat));
        assert_eq!(runs(50), [50, 20, 10]);
        assert_eq!(runs(1), [1, 1, 1]);
        assert_eq!(runs(0), [0, 0, 0]);
    }

    #[test]
    fn a_busy_machine_is_idle_again_afterwards() {
        assert_eq!(Load::Busy.around(|| 7), 7);
        let panicked = std::panic::catch_unwind(|| Load::Busy.around(|| panic!("on purpose")));
        assert!(panicked.is_err());
    }
}
