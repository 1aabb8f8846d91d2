//! What success opens: why it matters, the reference solution, the next exercise.

use askama::Template;
use workshop_course::Exercise;
use workshop_runner::{Progress, progress::State as Reached};

use super::exercises::address;
use crate::AppState;

/// The part of the page that success fills.
#[derive(Template)]
#[template(path = "reached.html")]
pub(crate) struct AfterSuccess {
    solved: bool,
    href: String,
    after: Option<String>,
    next: Option<(String, String)>,
    track: String,
    squares: Vec<Square>,
}

/// One exercise of the track.
struct Square {
    class: &'static str,
    here: bool,
    title: String,
    word: &'static str,
    href: String,
}

impl AfterSuccess {
    pub(crate) fn of(state: &AppState, exercise: &Exercise, progress: &Progress) -> Self {
        let edition = state.edition();
        let course = &edition.course;
        let all = &course.exercises;
        let place = all.iter().position(|e| e.id == exercise.id);
        let next = place.and_then(|place| all.get(place + 1));
        let of_track = all.iter().filter(|e| e.track == exercise.track);
        let track = course.tracks.iter().find(|t| t.id == exercise.track);
        Self {
            solved: progress.solved(&exercise.id),
            href: address(exercise),
            after: exercise.after.as_ref().map(|after| after.html.clone()),
            next: next.map(|e| (format!("{} {}", e.id, e.title), address(e))),
            track: track.map_or_else(String::new, |t| t.title.clone()),
            squares: of_track
                .map(|e| {
                    let (class, word) = match progress.state(&e.id) {
                        Reached::Solved => ("done", "solved"),
                        Reached::Started => ("now", "tried"),
                        Reached::New => ("", "not started"),
                    };
                    Square {
                        class,
                        here: e.id == exercise.id,
                        title: format!("{} {}", e.id, e.title),
                        word,
                        href: address(e),
                    }
                })
                .collect(),
        }
    }
}
