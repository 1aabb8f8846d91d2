//! `workshop reset`: back to the start, with a backup.

use std::fmt::Write as _;

use time::OffsetDateTime;
use workshop_course::Exercise;

use crate::{
    cli, exit,
    source::{self, Source},
};

pub(crate) fn run(args: &cli::Reset, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = super::exercise(&course, &args.id)?;
    print!("{}", reset(exercise, source)?);
    Ok(exit::OK)
}

/// Puts the starter back and says what was done.
pub(crate) fn reset(exercise: &Exercise, source: &Source) -> anyhow::Result<String> {
    let now = OffsetDateTime::now_utc();
    let done = workshop_runner::reset(
        source.workspace()?,
        &source::as_shipped(&exercise.dir, source)?,
        &exercise.id,
        now,
    )?;
    let mut text = String::new();
    if done.restored.is_empty() {
        let _ = writeln!(text, "{} is as the course ships it.", exercise.dir);
    }
    for file in &done.restored {
        let _ = writeln!(text, "{}/{file} is the course's again.", exercise.dir);
    }
    if let Some(backup) = &done.backup {
        let _ = writeln!(text, "Your version is kept in {}", backup.display());
    }
    Ok(text)
}
