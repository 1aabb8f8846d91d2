//! Runs the variants, with the very runner that students get, on all cores.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Instant,
};

use super::{
    VerifyEvent, VerifyOptions, problems,
    repeats::{self, Load, Repeats},
    trials,
};
use crate::{
    TestResult, TestStatus,
    cargo::Products,
    guard::offline::Finding,
    suite::{Ran, Suite},
    variants::{Generated, Kind, Variant},
};

/// Of the words and catalogues that trials bring. Any number would do; the same one makes a failure
/// come again.
const SEED: u64 = 7;

/// What became of a variant.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Ran {
        tests: Vec<TestResult>,
        /// What only fails in other labs.
        trials: Vec<String>,
        /// What only fails when the same tests, and those of another exercise, run at the same time.
        in_company: Vec<String>,
        /// What the tests tried to reach beyond this machine.
        network: Finding,
        repeats: Repeats,
        /// What only fails sometimes.
        flakes: Vec<String>,
    },
    DoesNotCompile(Vec<String>),
    Broken(String),
}

/// What it takes to run a variant.
pub(super) struct Bench<'a> {
    pub(super) generated: &'a Generated,
    pub(super) products: &'a Products,
    /// The toolchain's shared libraries.
    pub(super) libraries: Option<PathBuf>,
    pub(super) options: &'a VerifyOptions,
    /// A folder for [findings](Finding) about the network, or why there are none.
    pub(super) offline: Result<&'a Path, String>,
}

impl Bench<'_> {
    /// Every variant, once; `None` when cancelled.
    pub(super) fn run_all(
        &self,
        all: &[Variant],
        on_event: &mut dyn FnMut(&VerifyEvent),
    ) -> Option<Vec<Outcome>> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; all.len()];
        on_all_cores(
            all,
            |variant| {
                let began = Instant::now();
                let outcome = self.run(variant)?;
                Some((outcome, began.elapsed()))
            },
            |n, (outcome, took)| {
                on_event(&VerifyEvent::Ran {
                    exercise: all[n].exercise.id.clone(),
                    file: all[n].file.clone(),
                    ok: problems(&all[n], &outcome).is_empty(),
                    took,
                });
                outcomes[n] = Some(outcome);
            },
        );
        outcomes.into_iter().collect()
    }

    /// Every solution that passed, as often as the options say and as each [`Load`] divides it; `None`
    /// when cancelled.
    pub(super) fn repeat_solutions(
        &self,
        all: &[Variant],
        outcomes: &mut [Outcome],
        on_event: &mut dyn FnMut(&VerifyEvent),
    ) -> Option<()> {
        if self.options.repeat == 0 {
            return Some(());
        }
        let solved = |n: &usize| {
            all[*n].kind == Kind::Solution && problems(&all[*n], &outcomes[*n]).is_empty()
        };
        let solved: Vec<usize> = (0..all.len()).filter(solved).collect();
        for load in Load::ALL {
            let runs = load.runs(self.options.repeat);
            let repeat = |n: &usize| {
                let suite = self.suite(&all[*n], self.program(&all[*n])?);
                repeats::repeat(&suite, load, runs)
            };
            let mut done = 0;
            load.around(|| {
                on_all_cores(&solved, repeat, |at, (counted, sentences)| {
                    let variant = &all[solved[at]];
                    on_event(&VerifyEvent::Repeated {
                        exercise: variant.exercise.id.clone(),
                        file: variant.file.clone(),
                        load: load.name(),
                        repeats: counted,
                    });
                    if let Outcome::Ran {
                        repeats, flakes, ..
                    } = &mut outcomes[solved[at]]
                    {
                        repeats.add(counted);
                        flakes.extend(sentences);
                    }
                    done += 1;
                });
            });
            if done < solved.len() {
                return None;
            }
        }
        Some(())
    }

    /// `None` when cancelled.
    fn run(&self, variant: &Variant) -> Option<Outcome> {
        let Some(program) = self.program(variant) else {
            let messages = self.products.messages.iter();
            let own = messages.filter(|m| m.is_error() && m.package == variant.package);
            return Some(Outcome::DoesNotCompile(
                own.map(|m| m.rendered.clone()).collect(),
            ));
        };
        let findings = self.offline.as_ref().map(|dir| dir.join(&variant.package));
        let suite = Suite {
            offline: findings.as_ref().ok().cloned(),
            ..self.suite(variant, program)
        };
        match suite.run(&mut |_| {}) {
            Ran::Done(tests) => {
                let green = tests.iter().all(|t| t.status == TestStatus::Passed);
                let trials = match variant.kind {
                    Kind::Solution if green => trials::problems(&suite, SEED)?,
                    _ => Vec::new(),
                };
                Some(Outcome::Ran {
                    tests,
                    trials,
                    in_company: Vec::new(),
                    network: match findings {
                        Ok(file) => Finding::sum(&fs::read_to_string(file).unwrap_or_default()),
                        Err(why) => Finding::NotChecked(why.clone()),
                    },
                    repeats: Repeats::default(),
                    flakes: Vec::new(),
                })
            }
            Ran::Broken(why) => Some(Outcome::Broken(why)),
            Ran::Cancelled => None,
        }
    }

    /// The variant's test program; `None` when it was not built.
    pub(super) fn program(&self, variant: &Variant) -> Option<&Path> {
        let mut tests = self.products.tests.iter();
        let program = tests.find(|t| t.package == variant.package)?;
        Some(&program.path)
    }

    pub(super) fn suite(&self, variant: &Variant, program: &Path) -> Suite {
        let exercise = &variant.exercise;
        let source = exercise.dir.join("tests/check.rs");
        let mut dirs: Vec<PathBuf> = self.products.library_dirs.iter().cloned().collect();
        dirs.extend(self.libraries.clone());
        Suite {
            program: program.to_owned(),
            text: fs::read_to_string(&source).unwrap_or_default(),
            source,
            manifest_dir: self.generated.dir(variant),
            package: exercise.package(),
            library_dirs: dirs,
            live: None,
            limits: self.options.limits.clone(),
            patience: exercise.patience(),
            guard: self.options.guard.clone(),
            bedrock: None,
            // Several variants run at once; a test that waits for its own time-out holds up no other.
            threads: 2,
            trial: Vec::new(),
            offline: None,
            cancel: self.options.cancel.clone(),
        }
    }
}

/// Does `work` for each item on all cores, and hands over what comes of it as it comes. Ends early when
/// `work` gives nothing.
fn on_all_cores<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(&I) -> Option<T> + Sync,
    mut done: impl FnMut(usize, T),
) {
    let (tell, results) = mpsc::channel();
    let queue = Mutex::new(items.iter().enumerate());
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..workers {
            let (tell, queue, work) = (tell.clone(), &queue, &work);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((n, item)) = next else { return };
                    let Some(result) = work(item) else { return };
                    if tell.send((n, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        for (n, result) in results {
            done(n, result);
        }
    });
}
