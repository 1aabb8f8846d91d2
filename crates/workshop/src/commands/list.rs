//! `workshop list`: the exercises and how far you are.

use std::fmt::Write as _;

use serde_json::json;
use workshop_course::Course;
use workshop_runner::{Progress, progress::State};

use crate::{cli, exit, source::Source, style};

pub(crate) fn run(args: &cli::List, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    if args.json {
        println!("{}", rows(&course, &progress(source)));
    } else {
        print!("{}", render(&course, source));
    }
    Ok(exit::OK)
}

fn progress(source: &Source) -> Progress {
    source
        .workspace
        .as_ref()
        .map(Progress::load)
        .unwrap_or_default()
}

fn rows(course: &Course, progress: &Progress) -> serde_json::Value {
    course
        .exercises
        .iter()
        .map(|e| {
            json!({
                "id": e.id, "slug": e.slug.as_str(), "title": e.title, "track": e.track,
                "minutes": e.minutes, "level": e.level, "core": e.core,
                "file": format!("{}/{}", e.dir, e.file),
                "state": progress.state(&e.id),
            })
        })
        .collect()
}

/// The list as text.
pub(crate) fn render(course: &Course, source: &Source) -> String {
    let progress = progress(source);
    let mut text = String::new();
    for track in &course.tracks {
        let _ = writeln!(text, "{}", style::bold(&track.title));
        for exercise in course.exercises.iter().filter(|e| e.track == track.id) {
            let mark = match progress.state(&exercise.id) {
                State::Solved => style::green("✓"),
                State::Started => style::yellow("·"),
                State::New => " ".to_owned(),
            };
            let _ = writeln!(
                text,
                "  {mark} {}  {:<48} {}",
                exercise.id,
                exercise.title,
                style::dim(&format!("{:>3} min  {}", exercise.minutes, exercise.dir))
            );
        }
    }
    let _ = writeln!(text, "\n{}", next_step(course, &progress, source));
    text
}

fn next_step(course: &Course, progress: &Progress, source: &Source) -> String {
    if source.workspace.is_none() {
        return "This is the course built into the binary; clone the workshop to work on it."
            .to_owned();
    }
    let ids: Vec<&str> = course.exercises.iter().map(|e| e.id.as_str()).collect();
    match progress.current(&ids) {
        Some(id) => format!("Next:  workshop check {id}"),
        None => "All of them are solved.".to_owned(),
    }
}
