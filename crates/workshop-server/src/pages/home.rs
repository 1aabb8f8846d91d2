//! The course map: where you are, where you left off.

use askama::Template;
use axum::{extract::State, response::Response};
use workshop_course::{Course, Exercise, Track};
use workshop_runner::{Progress, progress::State as Reached};

use super::{Frame, Section, Visitor, exercises, page as answer, posts, words};
use crate::AppState;

/// Posts on the home page.
const POSTS: usize = 5;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    resume: Option<Resume>,
    tracks: Vec<Row>,
    posts: Vec<posts::Card>,
    requests: usize,
    tokens: (u64, u64),
}

/// Where the student left off, or where to begin.
struct Resume {
    label: &'static str,
    action: &'static str,
    title: String,
    goal: String,
    href: String,
    passed: usize,
    total: usize,
    failing: Vec<String>,
}

/// A track as a row of the map.
struct Row {
    id: String,
    stop: String,
    class: &'static str,
    title: String,
    summary: String,
    href: String,
    chain: Vec<(String, &'static str)>,
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
    let journal = state.emulator().map(|e| e.emulator().journal());
    let usage = journal.iter().flatten().filter_map(|entry| entry.usage);
    answer(&Home {
        frame: Frame::new(&state, visitor, Section::Track, "Track"),
        resume: next.map(|exercise| resume(exercise, &progress)),
        tracks: rows(course, &progress, next),
        posts: posts::cards(&state, &edition).take(POSTS).collect(),
        requests: journal.iter().flatten().count(),
        tokens: usage.fold((0, 0), |(input, output), u| {
            (input + u64::from(u.input), output + u64::from(u.output))
        }),
    })
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
    Resume {
        label,
        action,
        title: format!("{} {}", exercise.id, exercise.title),
        goal: exercise.goal.clone(),
        href: exercises::address(exercise),
        passed: last.passed,
        total: last.total,
        failing: last.failing.into_iter().take(3).collect(),
    }
}

fn rows(course: &Course, progress: &Progress, next: Option<&Exercise>) -> Vec<Row> {
    course
        .tracks
        .iter()
        .map(|track| row(track, course, progress, next))
        .collect()
}

fn row(track: &Track, course: &Course, progress: &Progress, next: Option<&Exercise>) -> Row {
    let of_track: Vec<_> = course
        .exercises
        .iter()
        .filter(|e| e.track == track.id)
        .collect();
    let solved = of_track.iter().filter(|e| progress.solved(&e.id)).count();
    let is_next = |e: &Exercise| next.is_some_and(|n| n.id == e.id);
    let current = of_track.iter().copied().find(|e| is_next(e));
    let class = match (solved == of_track.len(), current) {
        (true, _) => "done",
        (false, Some(_)) => "now",
        (false, None) => "",
    };
    let open = of_track.iter().find(|e| !progress.solved(&e.id));
    let target = current.or(open.copied()).or(of_track.first().copied());
    Row {
        id: track.id.clone(),
        stop: if class == "done" {
            "✓".to_owned()
        } else {
            track.id.to_uppercase()
        },
        class,
        title: track.title.clone(),
        summary: track.summary.clone(),
        href: target.map_or_else(|| "/exercises".to_owned(), exercises::address),
        chain: track
            .chain
            .iter()
            .map(|part| (part.clone(), part_class(part)))
            .collect(),
        squares: of_track
            .iter()
            .map(|e| Square {
                class: match (progress.solved(&e.id), is_next(e)) {
                    (true, _) => "done",
                    (false, true) => "now",
                    (false, false) => "",
                },
                title: format!("{} {}", e.id, e.title),
                href: exercises::address(e),
            })
            .collect(),
        done: match solved {
            0 => words::count(of_track.len(), "exercise"),
            n => format!("{n} of {} done", of_track.len()),
        },
    }
}

/// Bedrock is dark everywhere; what the student writes has the orange frame.
fn part_class(part: &str) -> &'static str {
    match part {
        "Bedrock" => "br",
        "you" => "you",
        _ => "",
    }
}
