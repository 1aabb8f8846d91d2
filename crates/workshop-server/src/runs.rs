//! Running checks for the page's button: one at a time per exercise.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Form, Json,
    body::Bytes,
    extract::rejection::FormRejection,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use workshop_course::{Exercise, RealLimits};
use workshop_runner::{
    BedrockLimits, CancelToken, Progress, WatchOptions, Watcher, check_bedrock, check_with,
};

use crate::{
    AppState, bedrock,
    pages::{
        Visitor, errors,
        exercises::{self, address},
    },
};

/// What runs now: checks that the button started, and watchers that check on every save.
#[derive(Debug, Default)]
pub struct Runs(Mutex<BTreeMap<String, Run>>);

/// One exercise is run by one of us at a time.
#[derive(Debug)]
enum Run {
    /// A check that the button started.
    Once(CancelToken),
    /// Checks on every save, as long as a page shows the exercise.
    Watch(Watcher),
}

impl Runs {
    /// Whether the button's check of that exercise is under way.
    pub fn busy(&self, id: &str) -> bool {
        matches!(self.lock().get(id), Some(Run::Once(_)))
    }

    /// Whether that exercise is checked on every save.
    pub fn watching(&self, id: &str) -> bool {
        matches!(self.lock().get(id), Some(Run::Watch(_)))
    }

    /// Stops all checks; the site is ending.
    pub fn cancel_all(&self) {
        for (_, run) in std::mem::take(&mut *self.lock()) {
            run.end();
        }
    }

    /// Ends the watchers of exercises that no page shows.
    pub(crate) fn only_watch(&self, shown: &[String]) {
        let mut runs = self.lock();
        let left: Vec<_> = runs
            .iter()
            .filter(|(id, run)| matches!(run, Run::Watch(_)) && !shown.contains(id))
            .map(|(id, _)| id.clone())
            .collect();
        for run in left.iter().filter_map(|id| runs.remove(id)) {
            run.end();
        }
    }

    fn begin(&self, id: &str, cancel: CancelToken) -> Begun {
        match self.lock().entry(id.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(Run::Once(cancel));
                Begun::Here
            }
            Entry::Occupied(taken) => match taken.get() {
                Run::Once(_) => Begun::Busy,
                Run::Watch(watcher) => {
                    watcher.again();
                    Begun::ByWatcher
                }
            },
        }
    }

    fn watch(
        &self,
        id: &str,
        start: impl FnOnce() -> Result<Watcher, Refusal>,
    ) -> Result<(), Refusal> {
        let mut runs = self.lock();
        match runs.get(id) {
            Some(Run::Watch(_)) => return Ok(()),
            // The watcher begins with a check of its own.
            Some(Run::Once(cancel)) => cancel.cancel(),
            None => {}
        }
        runs.insert(id.to_owned(), Run::Watch(start()?));
        Ok(())
    }

    fn unwatch(&self, id: &str) {
        let mut runs = self.lock();
        if matches!(runs.get(id), Some(Run::Watch(_)))
            && let Some(run) = runs.remove(id)
        {
            run.end();
        }
    }

    /// Stops the check of that exercise, if one is under way.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        match self.lock().get(id) {
            Some(Run::Once(cancel)) => cancel.cancel(),
            Some(Run::Watch(watcher)) => watcher.stop_check(),
            None => return false,
        }
        true
    }

    /// The button's check is over; a watcher that took its place stays.
    fn end(&self, id: &str) {
        let mut runs = self.lock();
        if matches!(runs.get(id), Some(Run::Once(_))) {
            runs.remove(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// Stops it without waiting: a watcher's end waits for the check under way to be over.
    fn end(self) {
        match self {
            Self::Once(cancel) => cancel.cancel(),
            Self::Watch(watcher) => {
                std::thread::spawn(move || drop(watcher));
            }
        }
    }
}

/// Whether a check began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// The caller runs it.
    Here,
    /// The exercise's watcher runs it.
    ByWatcher,
    /// One is under way.
    Busy,
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
    NotShown,
    /// Checks go elsewhere than the page said when it was made.
    OtherTarget,
    /// Each save would cost.
    RealOnSave,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::NoWorkspace
            | Self::Busy
            | Self::NotShown
            | Self::OtherTarget
            | Self::RealOnSave => StatusCode::CONFLICT,
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Unknown => "The course has no exercise of that number.",
            Self::NoWorkspace => {
                "There is no checkout of the workshop here, so there is nothing to check. \
                 Start the site in the folder you cloned."
            }
            Self::OtherTarget => {
                "Nothing was run: checks of this exercise go elsewhere now than this page says. \
                 Load it anew to see where, and what it can cost."
            }
            Self::RealOnSave => {
                "Checking on every save stays off while checks go to real Bedrock: each save would cost."
            }
            Self::NotShown => "Open the exercise's page first; checking on save ends with it.",
            Self::Busy => {
                "This exercise is being checked already. Its results appear as they come."
            }
        }
    }
}

/// Whom the student's code is to talk to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The emulator in each test.
    #[default]
    Emulator,
    /// Real Bedrock.
    Bedrock,
}

/// What a page says about the check that it asks for: a page that does not know that it costs cannot
/// start one that does.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    target: Target,
}

/// `POST /api/exercises/{id}/check`: 202, the results come as events.
pub async fn check(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_json(&headers) {
        return not_json();
    }
    let asked: Asked = serde_json::from_slice(&body).unwrap_or_default();
    match start(&state, &id, asked.target) {
        Ok(()) => (StatusCode::ACCEPTED, Json(json!({ "exercise": id }))).into_response(),
        Err(refusal) => problem(refusal.status(), refusal.sentence()),
    }
}

/// `POST /exercises/{slug}/check`: the same for a page without scripts.
pub async fn check_form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    asked: Result<Form<Asked>, FormRejection>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = exercises::find(&edition, &slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let target = asked.map(|Form(asked)| asked.target).unwrap_or_default();
    start_and_show(&state, visitor, exercise, target)
}

/// Starts a check and leads to its results.
pub(crate) fn start_and_show(
    state: &AppState,
    visitor: Visitor,
    exercise: &Exercise,
    target: Target,
) -> Response {
    match start(state, &exercise.id, target) {
        Ok(()) | Err(Refusal::Busy) => {
            Redirect::to(&format!("{}#results", address(exercise))).into_response()
        }
        Err(refusal) => errors::sorry(state, &visitor, refusal.status(), refusal.sentence()),
    }
}

/// The limits of a run against real Bedrock, if that is where this exercise's checks go now.
pub(crate) fn real(state: &AppState, exercise: &Exercise) -> Option<RealLimits> {
    let on = state.bedrock().is_on();
    bedrock::limits(exercise).filter(|_| on)
}

fn start(state: &AppState, id: &str, target: Target) -> Result<(), Refusal> {
    let edition = state.edition();
    let exercise = edition.course.exercise(id).ok_or(Refusal::Unknown)?;
    let real = real(state, exercise);
    if real.is_some() != (target == Target::Bedrock) {
        return Err(Refusal::OtherTarget);
    }
    let workspace = state.workspace().ok_or(Refusal::NoWorkspace)?.clone();
    let options = state.check_options();
    match state.runs().begin(id, options.cancel.clone()) {
        Begun::Here => {}
        Begun::ByWatcher => return Ok(()),
        Begun::Busy => return Err(Refusal::Busy),
    }
    let (busy, id) = (Busy(state.clone(), id.to_owned()), id.to_owned());
    tokio::task::spawn_blocking(move || {
        let _busy = busy;
        // Its events come back through the event log, as those of `workshop check` do.
        let unheard = &mut |_: &_| {};
        match real {
            None => check_with(&workspace, &id, &options, unheard),
            Some(limits) => {
                let limits = BedrockLimits::new(limits.max_calls, limits.max_tokens);
                check_bedrock(&workspace, &id, limits, &options, unheard)
            }
        };
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

/// `POST /exercises/{slug}/cancel`: the same for a page without scripts.
pub async fn cancel_form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = exercises::find(&edition, &slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    // A check that is over needs no stop; either way the page shows how things are.
    state.runs().cancel(&exercise.id);
    Redirect::to(&format!("{}#results", address(exercise))).into_response()
}

/// Whether to check on every save.
#[derive(Deserialize)]
pub struct OnSave {
    on: bool,
}

/// `POST /api/exercises/{id}/watch`: begins or ends checking on every save. It also ends when no page
/// shows the exercise any more.
pub async fn watch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Json(OnSave { on }): Json<OnSave>,
) -> Response {
    if !on {
        state.runs().unwatch(&id);
        return Json(json!({ "watching": false })).into_response();
    }
    match begin_to_watch(&state, &id) {
        Ok(()) => Json(json!({ "watching": true })).into_response(),
        Err(refusal) => problem(refusal.status(), refusal.sentence()),
    }
}

fn begin_to_watch(state: &AppState, id: &str) -> Result<(), Refusal> {
    let edition = state.edition();
    let exercise = edition.course.exercise(id).ok_or(Refusal::Unknown)?;
    if real(state, exercise).is_some() {
        return Err(Refusal::RealOnSave);
    }
    let workspace = state.workspace().ok_or(Refusal::NoWorkspace)?.clone();
    if !state.presence().exercises().iter().any(|shown| shown == id) {
        return Err(Refusal::NotShown);
    }
    let options = WatchOptions {
        check: state.check_options(),
        poll: false,
    };
    state.runs().watch(id, || {
        // Its events come back through the event log; nobody listens to the watcher itself.
        Watcher::start(workspace, id, options).map_err(|_| Refusal::Unknown)
    })
}

/// The hint that was opened.
#[derive(Deserialize)]
pub struct Opened {
    step: u8,
}

/// `POST /api/exercises/{id}/hint`: remembers, as `workshop hint` does, that a hint was shown.
pub async fn hint(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Json(Opened { step }): Json<Opened>,
) -> Response {
    let edition = state.edition();
    let hints = edition.course.exercise(&id).map_or(0, |e| e.hints.len());
    if !(1..=hints).contains(&usize::from(step)) {
        return problem(StatusCode::NOT_FOUND, "There is no such hint.");
    }
    let Some(workspace) = state.workspace() else {
        return problem(StatusCode::CONFLICT, Refusal::NoWorkspace.sentence());
    };
    match Progress::update(workspace, |progress| progress.hint_shown(&id, step)) {
        Ok(_) => Json(json!({ "step": step })).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}.")),
    }
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
        assert_eq!(runs.begin("001", first.clone()), Begun::Here);
        assert_eq!(runs.begin("001", CancelToken::new()), Begun::Busy);
        assert_eq!(runs.begin("002", CancelToken::new()), Begun::Here);
        assert!(runs.cancel("001") && first.is_cancelled());
        runs.end("001");
        assert!(!runs.busy("001") && !runs.cancel("001"));
        assert_eq!(runs.begin("001", CancelToken::new()), Begun::Here);
    }
}
