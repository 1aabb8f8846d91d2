//! `workshop start`: the exercise to do now, and how.

use std::fmt::Write as _;

use workshop_course::{Course, Exercise};
use workshop_runner::{Progress, progress::State};

use crate::{cli, exit, source::Source, style};

pub(crate) fn run(args: &cli::Start, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = super::check::chosen(args.id.as_deref(), &course, source)?;
    let progress = Progress::load(source.workspace()?);
    print!("{}", render(exercise, &course, &progress));
    Ok(exit::OK)
}

fn render(exercise: &Exercise, course: &Course, progress: &Progress) -> String {
    let id = &exercise.id;
    let track = course.tracks.iter().find(|t| t.id == exercise.track);
    let track = track.map_or("", |track| track.title.as_str());
    let mut text = format!(
        "{}  {}\n{}\n\n",
        style::bold(&format!("{id} {}", exercise.title)),
        style::dim(&format!(
            "{track}, about {} minutes, level {} of 5",
            exercise.minutes, exercise.level
        )),
        exercise.goal
    );
    if let Some(advice) = advice(exercise, course, progress) {
        let _ = writeln!(text, "{advice}\n");
    }
    let mut step = |what: &str, how: &str| {
        let _ = writeln!(text, "{} {how}", style::dim(&format!("{what:<9}")));
    };
    if !exercise.recall.is_empty() {
        step("Warm up", &format!("workshop review --before {id}"));
    }
    step(
        "Read",
        &format!("{}/README.md, or the page on the site", exercise.dir),
    );
    step("Edit", &format!("{}/{}", exercise.dir, exercise.file));
    step("Check", &format!("workshop check {id}"));
    step("Or watch", &format!("workshop watch {id}"));
    step("Stuck?", &format!("workshop hint {id}"));
    step("Not now?", &format!("workshop skip {id}"));
    text
}

/// What should be known beforehand and is not yet solved. It is advice: nothing is locked.
fn advice(exercise: &Exercise, course: &Course, progress: &Progress) -> Option<String> {
    let open = exercise
        .requires
        .iter()
        .filter(|id| progress.state(id) != State::Solved)
        .filter_map(|id| course.exercise(id))
        .map(|needed| format!("{} {}", needed.id, needed.title))
        .collect::<Vec<_>>();
    (!open.is_empty()).then(|| {
        style::yellow(&format!(
            "It builds on {}. Nothing is locked: go on if you know that already.",
            open.join(" and ")
        ))
    })
}
