//! A save without scripts met another text on the disk: both are shown, nothing is lost.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use workshop_course::Exercise;
use workshop_runner::student_file::StudentFile;

use super::{Frame, Section, Visitor, difference::Difference, exercises, html};
use crate::AppState;

#[derive(Template)]
#[template(path = "conflict.html")]
struct Conflict {
    frame: Frame,
    title: String,
    href: String,
    file: String,
    mine: String,
    /// The version on the disk; empty when the file is gone.
    version: String,
    kept: String,
    difference: Difference,
}

/// The page, with status 412.
pub fn page(
    state: &AppState,
    visitor: Visitor,
    exercise: &Exercise,
    found: Option<StudentFile>,
    mine: String,
    kept: String,
) -> Response {
    let (disk, version) = found.map_or_else(Default::default, |f| (f.text, f.version));
    let title = format!("Two texts of {} {}", exercise.id, exercise.title);
    html(
        StatusCode::PRECONDITION_FAILED,
        &Conflict {
            frame: Frame::new(state, visitor, Section::Exercises, title),
            title: exercise.title.clone(),
            href: exercises::address(exercise),
            file: exercise.file.clone(),
            difference: Difference::between(&disk, &mine, "on disk", "yours"),
            mine,
            version,
            kept,
        },
    )
}
