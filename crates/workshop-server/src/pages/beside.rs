//! `GET /exercises/{slug}/files/{path}`: what stands beside the student's file, to be read: the given
//! types and the checks themselves.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use workshop_course::{Exercise, Tree};

use super::{Frame, Section, Visitor, errors, exercises, page as answer};
use crate::AppState;

/// Folders of an exercise whose files may be read before it is solved.
const FOLDERS: [&str; 3] = ["src/", "tests/", "examples/"];

#[derive(Template)]
#[template(path = "beside.html")]
struct Page<'e> {
    frame: Frame,
    title: String,
    href: String,
    path: &'e str,
    text: &'e str,
    others: Vec<(String, String)>,
}

/// Paths below the exercise's folder, and where each can be read; what is given comes first.
pub(super) fn of(tree: &Tree, exercise: &Exercise) -> Vec<(String, String)> {
    let dir = format!("{}/", exercise.dir);
    let all = tree.files.range(dir.clone()..);
    let all = all.map_while(|(path, _)| path.strip_prefix(&dir));
    let mut paths: Vec<&str> = all.filter(|path| is_read(exercise, path)).collect();
    let place = |path: &str| FOLDERS.iter().position(|folder| path.starts_with(folder));
    paths.sort_by_key(|path| (place(path), path.matches('/').count()));
    let here = exercises::address(exercise);
    paths
        .into_iter()
        .map(|path| (path.to_owned(), format!("{here}/files/{path}")))
        .collect()
}

fn is_read(exercise: &Exercise, path: &str) -> bool {
    path != exercise.file
        && std::path::Path::new(path)
            .extension()
            .is_some_and(|end| end == "rs")
        && FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// The page; a path that is not in the list is not found, whatever it names.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((slug, path)): Path<(String, String)>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = exercises::find(&edition, &slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let file = format!("{}/{path}", exercise.dir);
    let Some(text) = edition
        .tree
        .text(&file)
        .filter(|_| is_read(exercise, &path))
    else {
        return errors::missing(&state, &visitor, &path);
    };
    let title = format!("{path} of {} {}", exercise.id, exercise.title);
    let mut frame = Frame::new(&state, visitor, Section::Exercises, title);
    frame.code = true;
    answer(&Page {
        frame,
        title: format!("{} {}", exercise.id, exercise.title),
        href: exercises::address(exercise),
        path: &path,
        text,
        others: of(&edition.tree, exercise)
            .into_iter()
            .filter(|(other, _)| *other != path)
            .collect(),
    })
}
