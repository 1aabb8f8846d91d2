//! `workshop skip`: on to the next, and this one stays open.

use time::OffsetDateTime;
use workshop_runner::{Progress, progress::State};

use crate::{cli, exit, source::Source};

pub(crate) fn run(args: &cli::Skip, source: &Source) -> anyhow::Result<u8> {
    let workspace = source.workspace()?;
    let course = source.course()?;
    let exercise = super::check::chosen(args.id.as_deref(), &course, source)?;
    let id = &exercise.id;
    if Progress::load(workspace).state(id) == State::Solved {
        println!("Exercise {id} is solved already; there is nothing to skip.");
        return Ok(exit::OK);
    }
    let now = OffsetDateTime::now_utc();
    for note in Progress::update(workspace, |p| p.skip(id, now))? {
        eprintln!("{note}");
    }
    println!(
        "Skipped {id} {}. Your file stays as it is; `workshop check {id}` takes it up again.",
        exercise.title
    );
    let ids: Vec<&str> = course.exercises.iter().map(|e| e.id.as_str()).collect();
    match Progress::load(workspace).current(&ids) {
        Some(next) if next != id => println!("Next:  workshop start {next}"),
        _ => println!("Nothing else is open."),
    }
    Ok(exit::OK)
}
