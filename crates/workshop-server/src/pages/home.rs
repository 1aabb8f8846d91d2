//! The course at a glance: where you left off, the five patterns, the tracks, the emulator.

mod patterns;

use askama::Template;
use axum::{extract::State, response::Response};
use workshop_course::{Course, Exercise, Track, map::COURSE_MAP};
use workshop_runner::{Progress, progress::State as Reached};

use self::patterns::Pattern;
use super::{Frame, Section, Visitor, diagrams, exercises, page as answer, posts, words};
use crate::AppState;

/// What the course is, in a sentence.
const ABOUT: &str = "Claude on Amazon Bedrock in production, one pattern at a time: exercises in Rust with a local emulator.";

/// Posts on the home page.
const POSTS: usize = 5;

/// Names of failing tests on the home page.
const FAILING: usize = 3;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    resume: Option<Resume>,
    /// Whether exercises can be worked on from here.
    workspace: bool,
    patterns: Vec<Pattern>,
    tracks: Vec<Row>,
    /// The address of the course map.
    map: Option<String>,
    /// `12 of 21 solved, about 6 h 40 min to go`
    standing: String,
    posts: Vec<posts::Card>,
    where_to: WhereTo,
}

/// Where requests go.
#[derive(Default)]
struct WhereTo {
    requests: usize,
    refused: usize,
    tokens: (u64, u64),
}

/// Where the student left off, or where to begin.
struct Resume {
    label: &'static str,
    action: &'static str,
    title: String,
    goal: String,
    /// What to do now, in a sentence.
    next: String,
    href: String,
    passed: usize,
    total: usize,
    failing: Vec<String>,
    /// Failing tests that are not named.
    more: usize,
}

/// A track as a row.
struct Row {
    id: String,
    stop: String,
    class: &'static str,
    title: String,
    summary: String,
    href: String,
    squares: Vec<Square>,
    done: String,
}

/// An exercise as a square.
struct Square {
    class: &'static str,
    title: String,
    href: String,
}

/// `GET /`.
pub async fn page(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let course = &edition.course;
    let progress = state.progress();
    let next = next_exercise(course, &progress);
    answer(&Home {
        frame: Frame::new(&state, visitor, Section::Track, "Track").about(&state, "/", ABOUT, None),
        resume: next.map(|exercise| resume(exercise, &progress)),
        workspace: state.workspace().is_some(),
        patterns: patterns::of(&state, visitor, course, &progress, next),
        tracks: course
            .tracks
            .iter()
            .map(|track| row(track, course, &progress, next))
            .collect(),
        map: diagrams::visible(&state, &edition)
            .find(|page| page.slug.as_str() == COURSE_MAP)
            .map(diagrams::address),
        standing: standing(course, &progress),
        posts: posts::cards(&state, &edition).take(POSTS).collect(),
        where_to: where_to(&state),
    })
}

fn where_to(state: &AppState) -> WhereTo {
    let mut seen = WhereTo::default();
    let journal = state.emulator().map(|e| e.emulator().journal());
    for entry in journal.iter().flatten() {
        seen.requests += 1;
        seen.refused += usize::from(entry.status >= 400);
        if let Some(usage) = entry.usage {
            seen.tokens.0 += u64::from(usage.input);
            seen.tokens.1 += u64::from(usage.output);
        }
    }
    seen
}

/// Where the student left off; once everything is solved, the last exercise.
fn next_exercise<'c>(course: &'c Course, progress: &Progress) -> Option<&'c Exercise> {
    let ids: Vec<_> = course.exercises.iter().map(|e| e.id.as_str()).collect();
    let current = progress.current(&ids).and_then(|id| course.exercise(id));
    current.or_else(|| course.exercises.last())
}

fn resume(exercise: &Exercise, progress: &Progress) -> Resume {
    let (label, action) = match progress.state(&exercise.id) {
        Reached::New if progress.exercises.is_empty() => ("Start here", "Begin"),
        Reached::New => ("Next", "Begin"),
        Reached::Started => ("Where you left off", "Continue"),
        Reached::Solved => ("All solved", "Look again"),
    };
    let entry = progress.exercises.get(&exercise.id);
    let last = entry.and_then(|e| e.last.clone()).unwrap_or_default();
    let open = last.failing.len();
    let next = match progress.state(&exercise.id) {
        Reached::New => format!("About {}.", words::duration(exercise.minutes)),
        Reached::Solved => "workshop review asks about what you have solved.".to_owned(),
        Reached::Started if last.total == 0 => "It did not compile the last time.".to_owned(),
        Reached::Started if open == 0 => "Run the checks again.".to_owned(),
        Reached::Started => {
            let hint = entry.map_or(0, |e| e.hints);
            let step = "Read what the first one says it saw.";
            match hint {
                0 => step.to_owned(),
                1 | 2 => format!("{step} You have read {hint} of 3 hints."),
                _ => format!("{step} You have read all hints."),
            }
        }
    };
    Resume {
        label,
        action,
        title: format!("{} {}", exercise.id, exercise.title),
        goal: exercise.goal.clone(),
        next,
        href: exercises::address(exercise),
        passed: last.passed,
        total: last.total,
        more: open.saturating_sub(FAILING),
        failing: last.failing.into_iter().take(FAILING).collect(),
    }
}

fn standing(course: &Course, progress: &Progress) -> String {
    let all = course.exercises.len();
    let open = course.exercises.iter().filter(|e| !progress.solved(&e.id));
    let (mut left, mut minutes) = (0, 0);
    for exercise in open {
        left += 1;
        minutes += exercise.minutes;
    }
    let time = words::duration(minutes);
    match (all - left, left) {
        (0, _) => format!("{}, about {time}", words::count(all, "exercise")),
        (_, 0) => format!("all {} solved", words::count(all, "exercise")),
        (solved, _) => format!("{solved} of {all} solved, about {time} to go"),
    }
}

fn row(track: &Track, course: &Course, progress: &Progress, next: Option<&Exercise>) -> Row {
    let of_track: Vec<_> = course
        .exercises
        .iter()
        .filter(|e| e.track == track.id)
        .collect();
    let class = class(&of_track, progress, next);
    Row {
        id: track.id.clone(),
        stop: stop(class, &track.id.to_uppercase()),
        class,
        title: track.title.clone(),
        summary: track.summary.clone(),
        href: target(&of_track, progress, next),
        squares: squares(&of_track, progress, next),
        done: done(&of_track, progress),
    }
}

/// `done`, `now` or nothing, of a row with these exercises.
fn class(exercises: &[&Exercise], progress: &Progress, next: Option<&Exercise>) -> &'static str {
    let here = |e: &&Exercise| next.is_some_and(|n| n.id == e.id);
    match (
        exercises.iter().all(|e| progress.solved(&e.id)),
        exercises.iter().any(here),
    ) {
        (true, _) => "done",
        (false, true) => "now",
        (false, false) => "",
    }
}

/// What stands in a row's circle.
fn stop(class: &str, name: &str) -> String {
    let sign = if class == "done" { "✓" } else { name };
    sign.to_owned()
}

/// Where a row with these exercises leads: the current one, the first open one, the first.
fn target(exercises: &[&Exercise], progress: &Progress, next: Option<&Exercise>) -> String {
    let here = exercises
        .iter()
        .find(|e| next.is_some_and(|n| n.id == e.id));
    let open = || exercises.iter().find(|e| !progress.solved(&e.id));
    let found = here.or_else(open).or_else(|| exercises.first());
    found.map_or_else(|| "/exercises".to_owned(), |e| exercises::address(e))
}

fn squares(exercises: &[&Exercise], progress: &Progress, next: Option<&Exercise>) -> Vec<Square> {
    let square = |e: &&Exercise| {
        let here = next.is_some_and(|n| n.id == e.id);
        let (class, word) = match progress.state(&e.id) {
            Reached::Solved => ("done", ", solved"),
            _ if here => ("now", ", next"),
            Reached::Started => ("tried", ", tried"),
            Reached::New => ("", ""),
        };
        Square {
            class,
            title: format!("{} {}{word}", e.id, e.title),
            href: exercises::address(e),
        }
    };
    exercises.iter().map(square).collect()
}

fn done(exercises: &[&Exercise], progress: &Progress) -> String {
    let solved = exercises.iter().filter(|e| progress.solved(&e.id)).count();
    match (solved, exercises) {
        (0, [one]) => format!("exercise {}, {}", one.id, words::duration(one.minutes)),
        (0, many) => words::count(many.len(), "exercise"),
        (_, [one]) => format!("exercise {} done", one.id),
        (n, many) => format!("{n} of {} done", many.len()),
    }
}
