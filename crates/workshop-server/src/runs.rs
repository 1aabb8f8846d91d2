//! Running checks for the page's button: one at a time per exercise.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::json;
use workshop_course::Exercise;
use workshop_runner::CancelToken;

use crate::{
    AppState,
    pages::{Visitor, errors, exercises::address},
};

/// The exercises that are being checked now.
#[derive(Debug, Default)]
pub struct Runs(Mutex<BTreeMap<String, CancelToken>>);

impl Runs {
    /// Whether that exercise is being checked by us.
    pub fn busy(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    /// Stops all checks; the site is ending.
    pub fn cancel_all(&self) {
        for cancel in self.lock().values() {
            cancel.cancel();
        }
    }

    fn begin(&self, id: &str, cancel: CancelToken) -> bool {
        match self.lock().entry(id.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(cancel);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    fn cancel(&self, id: &str) -> bool {
        let token = self.lock().get(id).cloned();
        token.is_some_and(|token| {
            token.cancel();
            true
        })
    }

    fn end(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, CancelToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the run when the check is over, however it ends.
struct Busy(AppState, String);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.runs().end(&self.1);
    }
}

/// Why a check was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Unknown,
    NoWorkspace,
    Busy,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::NoWorkspace | Self::Busy => StatusCode::CONFLICT,
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Unknown => "The course has no exercise of that number.",
            Self::NoWorkspace => {
                "There is no checkout of the workshop here, so there is nothing to check. \
                 Start the site in the folder you cloned."
            }
            Self::Busy => {
                "This exercise is being checked already. Its results appear as they come."
            }
        }
    }
}

/// `POST /api/exercises/{id}/check`: 202, the results come as events.
pub async fn check(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_json(&headers) {
        return not_json();
    }
    match start(&state, &id) {
        Ok(()) => (StatusCode::ACCEPTED, Json(json!({ "exercise": id }))).into_response(),
        Err(refusal) => problem(refusal.status(), refusal.sentence()),
    }
}

/// `POST /exercises/{slug}/check`: the same for a page without scripts.
pub async fn check_form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = edition
        .course
        .exercises
        .iter()
        .find(|e| address(e).ends_with(&format!("/{slug}")))
    else {
        return errors::missing(&state, &visitor, &slug);
    };
    start_and_show(&state, visitor, exercise)
}

/// Starts a check and leads to its results.
pub(crate) fn start_and_show(state: &AppState, visitor: Visitor, exercise: &Exercise) -> Response {
    match start(state, &exercise.id) {
        Ok(()) | Err(Refusal::Busy) => {
            Redirect::to(&format!("{}#results", address(exercise))).into_response()
        }
        Err(refusal) => errors::sorry(state, &visitor, refusal.status(), refusal.sentence()),
    }
}

fn start(state: &AppState, id: &str) -> Result<(), Refusal> {
    if state.edition().course.exercise(id).is_none() {
        return Err(Refusal::Unknown);
    }
    let workspace = state.workspace().ok_or(Refusal::NoWorkspace)?.clone();
    let options = state.check_options();
    if !state.runs().begin(id, options.cancel.clone()) {
        return Err(Refusal::Busy);
    }
    let (busy, id) = (Busy(state.clone(), id.to_owned()), id.to_owned());
    tokio::task::spawn_blocking(move || {
        let _busy = busy;
        // Its events come back through the event log, as those of `workshop check` do.
        workshop_runner::check_with(&workspace, &id, &options, &mut |_| {});
    });
    Ok(())
}

/// `POST /api/exercises/{id}/cancel`: stops a check that this site started.
pub async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !is_json(&headers) {
        return not_json();
    }
    if state.runs().cancel(&id) {
        return (StatusCode::ACCEPTED, Json(json!({ "exercise": id }))).into_response();
    }
    problem(
        StatusCode::CONFLICT,
        "This site is not checking this exercise.",
    )
}

pub(crate) fn not_json() -> Response {
    let sentence = "Send Content-Type: application/json.";
    problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence)
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
}

pub(crate) fn problem(status: StatusCode, sentence: &str) -> Response {
    (status, Json(json!({ "message": sentence }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exercise_is_checked_once_at_a_time() {
        let runs = Runs::default();
        let first = CancelToken::new();
        assert!(runs.begin("001", first.clone()));
        assert!(!runs.begin("001", CancelToken::new()), "001 is busy");
        assert!(runs.begin("002", CancelToken::new()), "002 is free");
        assert!(runs.cancel("001") && first.is_cancelled());
        runs.end("001");
        assert!(!runs.busy("001") && !runs.cancel("001"));
        assert!(runs.begin("001", CancelToken::new()));
    }
}
