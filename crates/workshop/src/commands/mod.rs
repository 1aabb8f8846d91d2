//! One command, one file.

pub(crate) mod bench_loop;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod checkpoint;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod emulator;
pub(crate) mod env;
pub(crate) mod explain;
pub(crate) mod hint;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod record;
pub(crate) mod reset;
pub(crate) mod review;
pub(crate) mod serve;
pub(crate) mod skip;
pub(crate) mod solution;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod watch;

use anyhow::Context as _;
use workshop_course::{Course, Exercise};

/// The exercise a person means: `1`, `001` or `001-first-converse-call`.
pub(crate) fn exercise<'c>(course: &'c Course, name: &str) -> anyhow::Result<&'c Exercise> {
    let digits = name.split('-').next().unwrap_or_default();
    let id = format!("{digits:0>3}");
    course.exercise(&id).with_context(|| {
        let ids: Vec<&str> = course.exercises.iter().map(|e| e.id.as_str()).collect();
        format!(
            "there is no exercise {name:?}; there are {}",
            ids.join(", ")
        )
    })
}
