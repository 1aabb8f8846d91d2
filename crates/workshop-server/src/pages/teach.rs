//! Agendas: timetables for whoever stands in front of a class, made to be printed.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use workshop_course::{Agenda, AgendaBlock, Course};

use super::{Frame, Section, Visitor, errors, exercises, page as answer, posts, words};
use crate::AppState;

#[derive(Template)]
#[template(path = "teach.html")]
struct List {
    frame: Frame,
    agendas: Vec<Card>,
    /// Posts for instructors.
    posts: Vec<posts::Card>,
}

#[derive(Template)]
#[template(path = "agenda.html")]
struct Page<'a> {
    frame: Frame,
    agenda: &'a Agenda,
    total: String,
    net: String,
    rows: Vec<Row<'a>>,
    others: Vec<Card>,
}

/// An agenda in a list.
struct Card {
    title: String,
    href: String,
    summary: String,
    people: String,
    total: String,
}

/// A block as a row of the timetable.
struct Row<'a> {
    block: &'a AgendaBlock,
    /// `0:10` or `9:00`
    from: String,
    /// The same for the end.
    to: String,
    exercises: Vec<(String, String, String)>,
}

/// Where that agenda is.
pub fn address(agenda: &Agenda) -> String {
    format!("/teach/{}", agenda.slug.as_str())
}

fn card(agenda: &Agenda) -> Card {
    Card {
        title: agenda.title.clone(),
        href: address(agenda),
        summary: agenda.summary.clone(),
        people: agenda.people.clone(),
        total: words::duration(agenda.minutes),
    }
}

/// `GET /teach`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let for_instructors =
        |post: &&workshop_course::Post| post.category.eq_ignore_ascii_case("teaching");
    answer(&List {
        frame: Frame::new(&state, visitor, Section::Elsewhere, "For instructors")
            .about(
                &state,
                "/teach",
                "Agendas for three hours and for a day.",
                None,
            )
            .with_findings(&state, |file| file.starts_with("content/agendas/")),
        agendas: edition.course.agendas.iter().map(card).collect(),
        posts: posts::visible(&state, &edition)
            .filter(for_instructors)
            .map(posts::card)
            .collect(),
    })
}

/// `GET /teach/{slug}`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let agendas = &edition.course.agendas;
    let Some(agenda) = agendas.iter().find(|a| a.slug.as_str() == slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let rest: u32 = agenda
        .blocks
        .iter()
        .filter(|b| b.rest)
        .map(|b| b.minutes)
        .sum();
    let title = format!("Agenda: {}", agenda.title);
    answer(&Page {
        frame: Frame::new(&state, visitor, Section::Elsewhere, title)
            .about(&state, &address(agenda), &agenda.summary, None)
            .with_findings(&state, |file| file == agenda.file),
        agenda,
        total: words::duration(agenda.minutes),
        net: words::duration(agenda.minutes.saturating_sub(rest)),
        rows: agenda
            .blocks
            .iter()
            .map(|block| row(&edition.course, agenda, block))
            .collect(),
        others: agendas
            .iter()
            .filter(|other| other.slug != agenda.slug)
            .map(card)
            .collect(),
    })
}

fn row<'a>(course: &Course, agenda: &Agenda, block: &'a AgendaBlock) -> Row<'a> {
    let exercises = block.exercises.iter();
    let exercises = exercises.filter_map(|id| course.exercise(id));
    let begin = agenda.start.unwrap_or(0) + block.at;
    Row {
        block,
        from: clock(begin),
        to: clock(begin + block.minutes),
        exercises: exercises
            .map(|e| (e.id.clone(), e.title.clone(), exercises::address(e)))
            .collect(),
    }
}

/// `9:05`, of a day or since the beginning.
fn clock(minutes: u32) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
