//! `workshop hint`: three steps, one at a time.

use std::fmt::Write as _;

use anyhow::Context as _;
use workshop_course::Exercise;
use workshop_runner::Progress;

use crate::{cli, exit, source::Source, style};

pub(crate) fn run(args: &cli::Hint, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = super::exercise(&course, &args.id)?;
    let (text, _) = show(exercise, args.step, source)?;
    print!("{text}");
    Ok(exit::OK)
}

/// The hint of that step (default: the next one not seen) as text, and its step; remembered as seen.
pub(crate) fn show(
    exercise: &Exercise,
    step: Option<u8>,
    source: &Source,
) -> anyhow::Result<(String, u8)> {
    let seen = source
        .workspace
        .as_ref()
        .and_then(|w| {
            Progress::load(w)
                .exercises
                .get(&exercise.id)
                .map(|e| e.hints)
        })
        .unwrap_or_default();
    let count = u8::try_from(exercise.hints.len()).unwrap_or(u8::MAX);
    let step = step.unwrap_or_else(|| (seen + 1).min(count.max(1)));
    let hint = exercise
        .hints
        .get(usize::from(step) - 1)
        .with_context(|| format!("exercise {} has no hint {step}", exercise.id))?;
    if let Some(workspace) = &source.workspace {
        Progress::update(workspace, |p| p.hint_shown(&exercise.id, step))?;
    }
    let mut text = format!(
        "{}\n\n{}\n\n",
        style::bold(&format!(
            "{} {}: hint {step} of {count}",
            exercise.id, exercise.title
        )),
        hint.markdown.trim()
    );
    let next = if step < count {
        format!("The next one:  workshop hint {}", exercise.id)
    } else {
        format!("The solution:  workshop solution {} --peek", exercise.id)
    };
    let _ = writeln!(text, "{}", style::dim(&next));
    Ok((text, step))
}
