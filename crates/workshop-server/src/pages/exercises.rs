//! Exercises: the list, the page with task, hints, live results and lit diagram, the solution.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use workshop_course::{Exercise, Recall};
use workshop_runner::{
    Progress, Workspace,
    progress::State as Reached,
    student_file::{self, StudentFile},
};

use super::{
    Frame, Section, Visitor, beside, bugs, checks::Checks, diagrams, difference::Difference,
    errors, html, page as answer, reached::AfterSuccess, trace::Requests,
};
use crate::{
    AppState,
    events::{Board, Lit},
    files, runs,
    state::Edition,
};

#[derive(Template)]
#[template(path = "exercises.html")]
struct List {
    frame: Frame,
    tracks: Vec<TrackOf>,
}

/// A track with its exercises.
struct TrackOf {
    id: String,
    title: String,
    summary: String,
    exercises: Vec<Item>,
}

/// An exercise in a list.
struct Item {
    id: String,
    title: String,
    goal: String,
    href: String,
    minutes: u32,
    level: String,
    core: bool,
    standing: Standing,
}

/// How far an exercise is, in words and as a class.
#[derive(Template)]
#[template(path = "standing.html")]
struct Standing {
    class: &'static str,
    word: &'static str,
}

#[derive(Template)]
#[template(path = "exercise.html")]
struct Page<'e> {
    frame: Frame,
    exercise: &'e Exercise,
    href: String,
    track: String,
    level: String,
    requires: Vec<(String, String, bool)>,
    recall: Vec<Question<'e>>,
    bugs: Vec<(String, String)>,
    file: String,
    can_run: bool,
    code: Option<Code>,
    /// Other files, and where each is read.
    beside: Vec<(String, String)>,
    watching: bool,
    /// Where Run checks goes: `emulator` or `bedrock`.
    target: &'static str,
    hints_seen: usize,
    starter: Option<String>,
    results: Results,
    diagram: Option<Picture>,
    diagram_href: Option<(String, String)>,
    newer: Option<(String, String)>,
    older: Option<(String, String)>,
}

/// The student's file as the page starts with it.
struct Code {
    text: String,
    /// Empty when there is no file.
    version: String,
    /// Why the file cannot be shown.
    trouble: Option<String>,
}

/// A recall question; the answer is behind a click.
struct Question<'e> {
    recall: &'e Recall,
    answer: &'e str,
    from: Option<(String, String)>,
}

/// The diagram that the exercise lights.
struct Picture {
    svg: Option<String>,
    rendering: bool,
    text: Vec<String>,
}

/// All that a check changes; alone, it is what the page's script fetches after each event.
#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    standing: Standing,
    reached: AfterSuccess,
    checks: Checks,
    requests: Requests,
}

/// Where that exercise is.
pub fn address(exercise: &Exercise) -> String {
    format!("/exercises/{}-{}", exercise.id, exercise.slug.as_str())
}

/// `GET /exercises`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let progress = state.progress();
    let mut by_track: BTreeMap<&str, Vec<Item>> = BTreeMap::new();
    for exercise in &edition.course.exercises {
        let items = by_track.entry(&exercise.track).or_default();
        items.push(item(exercise, &progress));
    }
    let tracks = edition.course.tracks.iter().map(|track| TrackOf {
        id: track.id.clone(),
        title: track.title.clone(),
        summary: track.summary.clone(),
        exercises: by_track.remove(track.id.as_str()).unwrap_or_default(),
    });
    let mut tracks: Vec<_> = tracks.collect();
    // An exercise of an unknown track is a diagnostic, and is still shown.
    tracks.extend(by_track.into_iter().map(|(id, exercises)| TrackOf {
        id: id.to_owned(),
        title: "Other exercises".to_owned(),
        summary: String::new(),
        exercises,
    }));
    answer(&List {
        frame: Frame::new(&state, visitor, Section::Exercises, "Exercises")
            .with_findings(&state, |file| file.starts_with("exercises")),
        tracks,
    })
}

fn item(exercise: &Exercise, progress: &Progress) -> Item {
    Item {
        id: exercise.id.clone(),
        title: exercise.title.clone(),
        goal: exercise.goal.clone(),
        href: address(exercise),
        minutes: exercise.minutes,
        level: level(exercise.level),
        core: exercise.core,
        standing: standing(exercise, progress),
    }
}

fn standing(exercise: &Exercise, progress: &Progress) -> Standing {
    let (class, word) = match progress.state(&exercise.id) {
        Reached::Solved => ("ok", "Solved"),
        Reached::Started => ("now", "Tried"),
        Reached::New => ("", "Not started"),
    };
    Standing { class, word }
}

fn level(level: u8) -> String {
    format!("level {level} of 5")
}

/// Finds by the whole last part of the address.
pub(crate) fn find<'e>(edition: &'e Edition, slug: &str) -> Option<&'e Exercise> {
    let (id, rest) = slug.split_once('-')?;
    let exercise = edition.course.exercise(id)?;
    (exercise.slug.as_str() == rest).then_some(exercise)
}

/// `GET /exercises/{slug}`; `/exercises/004` leads to the whole address.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    if let Some(exercise) = edition.course.exercise(&slug) {
        return Redirect::temporary(&address(exercise)).into_response();
    }
    let Some(exercise) = find(&edition, &slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let progress = state.progress();
    let (board, at) = state.hub().board(&exercise.id);
    let results = Results::of(&state, visitor, exercise, &board, &progress);
    let mut frame = Frame::new(&state, visitor, Section::Exercises, exercise.title.clone())
        .with_findings(&state, |file| {
            file.strip_prefix(&exercise.dir)
                .is_some_and(|rest| rest.starts_with('/'))
        });
    frame.at = at;
    frame.exercise = Some(exercise.id.clone());
    frame.refresh = results.checks.running.then_some(2);
    let all = &edition.course.exercises;
    let place = all.iter().position(|e| e.id == exercise.id).unwrap_or(0);
    let link = |e: &Exercise| (format!("{} {}", e.id, e.title), address(e));
    let requires = exercise.requires.iter();
    let requires = requires.filter_map(|id| edition.course.exercise(id));
    let shown = exercise.diagram.as_deref();
    let shown = edition
        .course
        .diagrams
        .iter()
        .find(|d| Some(d.slug.as_str()) == shown);
    let tracks = &edition.course.tracks;
    let code = state
        .workspace()
        .filter(|_| visitor.signed_in)
        .map(|workspace| code(workspace, exercise));
    let starter = files::starter(&edition.tree, exercise).filter(|_| code.is_none());
    answer(&Page {
        exercise,
        href: address(exercise),
        track: tracks
            .iter()
            .find(|t| t.id == exercise.track)
            .map_or_else(String::new, |t| t.title.clone()),
        level: level(exercise.level),
        requires: requires
            .map(|e| {
                let (title, href) = link(e);
                (title, href, progress.solved(&e.id))
            })
            .collect(),
        recall: exercise
            .recall
            .iter()
            .map(|r| question(r, &edition))
            .collect(),
        bugs: bugs::of_exercise(&edition, exercise),
        file: format!("{}/{}", exercise.dir, exercise.file),
        can_run: state.workspace().is_some(),
        code,
        beside: beside::of(&edition.tree, exercise),
        watching: state.runs().watching(&exercise.id),
        target: match runs::real(&state, exercise) {
            Some(_) => "bedrock",
            None => "emulator",
        },
        hints_seen: progress
            .exercises
            .get(&exercise.id)
            .map_or(0, |entry| usize::from(entry.hints)),
        starter: starter.map(|text| String::from_utf8_lossy(&text).into_owned()),
        diagram: shown
            .and_then(|page| page.diagrams.first())
            .map(|diagram| picture(&state, diagram, &board, visitor)),
        diagram_href: shown.map(|page| (page.title.clone(), diagrams::address(page))),
        newer: all.get(place + 1).map(link),
        older: place.checked_sub(1).map(|at| link(&all[at])),
        results,
        frame,
    })
}

fn code(workspace: &Workspace, exercise: &Exercise) -> Code {
    match student_file::read(workspace, &exercise.id) {
        Ok(StudentFile { text, version }) => Code {
            text,
            version,
            trouble: None,
        },
        Err(error) => Code {
            text: String::new(),
            version: String::new(),
            trouble: Some(files::sentence(&error)),
        },
    }
}

fn question<'e>(recall: &'e Recall, edition: &'e Edition) -> Question<'e> {
    let from = edition.course.exercise(&recall.from);
    Question {
        recall,
        answer: recall.choices.get(recall.answer).map_or("", String::as_str),
        from: from.map(|e| (format!("{} {}", e.id, e.title), address(e))),
    }
}

fn picture(
    state: &AppState,
    diagram: &workshop_course::Diagram,
    board: &Board,
    visitor: Visitor,
) -> Picture {
    let lit = if visitor.signed_in {
        Lit::by(&board.requests)
    } else {
        Lit::default()
    };
    Picture {
        svg: diagram.svg.as_ref().map(|svg| diagrams::lit_svg(svg, &lit)),
        rendering: state.rendering().busy.contains(&diagram.id),
        text: diagrams::as_text(diagram),
    }
}

/// `GET /exercises/{slug}/results`: checks and requests as a part of a page.
pub async fn results(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = find(&edition, &slug) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (board, _) = state.hub().board(&exercise.id);
    answer(&Results::of(
        &state,
        visitor,
        exercise,
        &board,
        &state.progress(),
    ))
}

#[derive(Template)]
#[template(path = "solution.html")]
struct Solution {
    frame: Frame,
    title: String,
    href: String,
    id: String,
    files: Vec<(String, String)>,
    difference: Option<Difference>,
    after: Option<String>,
}

/// `GET /exercises/{slug}/solution`, once the exercise is solved.
pub async fn solution(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = find(&edition, &slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    if !state.progress().solved(&exercise.id) {
        let sentence = format!(
            "The reference solution is shown here once your checks pass. If you are stuck and \
             want to read it now, run `workshop solution {} --peek`.",
            exercise.id
        );
        return errors::sorry(&state, &visitor, StatusCode::FORBIDDEN, &sentence);
    }
    let folder = format!("{}/solution/", exercise.dir);
    let files = edition.tree.files.range(folder.clone()..);
    let files = files.take_while(|(path, _)| path.starts_with(&folder));
    let reference = edition.tree.files.get(&format!("{folder}lib.rs"));
    let own = state
        .workspace()
        .filter(|_| visitor.signed_in)
        .and_then(|workspace| student_file::read(workspace, &exercise.id).ok());
    let difference = own.zip(reference).map(|(own, reference)| {
        let reference = String::from_utf8_lossy(reference);
        Difference::between(&own.text, &reference, "yours", "the reference")
    });
    let title = format!("Solution of {} {}", exercise.id, exercise.title);
    let mut frame = Frame::new(&state, visitor, Section::Exercises, title);
    frame.code = true;
    html(
        StatusCode::OK,
        &Solution {
            frame,
            title: exercise.title.clone(),
            href: address(exercise),
            id: exercise.id.clone(),
            files: files
                .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
                .collect(),
            difference,
            after: exercise.after.as_ref().map(|after| after.html.clone()),
        },
    )
}

impl Results {
    fn of(
        state: &AppState,
        visitor: Visitor,
        exercise: &Exercise,
        board: &Board,
        progress: &Progress,
    ) -> Self {
        Self {
            standing: standing(exercise, progress),
            reached: AfterSuccess::of(state, exercise, progress),
            checks: Checks::of(state, exercise, board, progress),
            requests: Requests::of(visitor, board),
        }
    }
}
