//! Pages for what went wrong, each with the next step.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};

use super::{
    Frame, Section, Visitor, bugs, diagrams, exercises, html, near::near, posts, teach, words,
};
use crate::AppState;

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    frame: Frame,
    wanted: String,
    near: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "sorry.html")]
struct Sorry {
    frame: Frame,
    heading: &'static str,
    sentence: String,
}

/// Any address that no route knows.
pub async fn not_found(State(state): State<AppState>, visitor: Visitor, uri: Uri) -> Response {
    let last = uri.path().trim_end_matches('/').rsplit('/').next();
    missing(&state, &visitor, last.unwrap_or_default())
}

/// No page of that name; pages with a similar one are offered.
pub fn missing(state: &AppState, visitor: &Visitor, slug: &str) -> Response {
    let edition = state.edition();
    let course = &edition.course;
    let mut pages: Vec<(String, String, String)> = Vec::new();
    let mut add = |name: &str, title: &str, href: String| {
        pages.push((name.to_owned(), title.to_owned(), href));
    };
    for post in posts::visible(state, &edition) {
        add(post.slug.as_str(), &post.title, posts::address(post));
    }
    for page in diagrams::visible(state, &edition) {
        add(page.slug.as_str(), &page.title, diagrams::address(page));
    }
    for exercise in &course.exercises {
        let title = format!("{} {}", exercise.id, exercise.title);
        let name = format!("{}-{}", exercise.id, exercise.slug.as_str());
        add(&name, &title, exercises::address(exercise));
    }
    for page in &course.bugs {
        add(page.slug.as_str(), &page.title, bugs::address(page));
    }
    for agenda in &course.agendas {
        let title = format!("Agenda: {}", agenda.title);
        add(agenda.slug.as_str(), &title, teach::address(agenda));
    }
    add("archive", "Archive", "/archive".to_owned());
    add("teach", "For instructors", "/teach".to_owned());
    for name in [
        "posts",
        "bugs",
        "diagrams",
        "exercises",
        "tags",
        "emulator",
        "search",
    ] {
        add(name, &format!("All {name}"), format!("/{name}"));
    }
    let candidates = pages.iter();
    let candidates = candidates.map(|(name, title, href)| (name.as_str(), (title, href)));
    let near = near(slug, candidates)
        .into_iter()
        .map(|(title, href)| (title.clone(), href.clone()))
        .collect();
    let wanted = words::address_part(slug).replace('-', " ");
    html(
        StatusCode::NOT_FOUND,
        &Missing {
            // A page that cannot be made from its file is missing, and why is known.
            frame: Frame::new(state, *visitor, Section::Elsewhere, "Not found")
                .with_findings(state, |file| is_of(file, slug)),
            wanted,
            near,
        },
    )
}

/// Whether a page of that name would be made from that file.
fn is_of(file: &str, slug: &str) -> bool {
    let mut parts = file.split('/').skip(1);
    parts.any(|part| part.split('.').next() == Some(slug))
}

/// The token's cookie is missing, or the token is one of another start.
pub fn sign_in(state: &AppState, visitor: &Visitor) -> Response {
    let sentence = "Running checks and watching requests is for the person at this machine. Open \
                    the link that the workshop printed in its terminal when it started; every \
                    start prints a new one. All pages can be read without it.";
    let frame = Frame::new(state, *visitor, Section::Elsewhere, "Open the printed link");
    html(
        StatusCode::UNAUTHORIZED,
        &Sorry {
            frame,
            heading: "Open the link from the terminal",
            sentence: sentence.to_owned(),
        },
    )
}

/// A page that shows what a running workshop does, among pages that are files.
pub fn only_live(state: &AppState, visitor: Visitor) -> Response {
    let heading = "This page is alive in the workshop itself";
    let sentence = "It shows requests as they happen, on your own machine. In a checkout of the \
                    workshop run `cargo run`, and open the address that it prints.";
    let frame = Frame::new(state, visitor, Section::Elsewhere, heading);
    html(
        StatusCode::OK,
        &Sorry {
            frame,
            heading,
            sentence: sentence.to_owned(),
        },
    )
}

/// Anything else that cannot be done.
pub fn sorry(state: &AppState, visitor: &Visitor, status: StatusCode, sentence: &str) -> Response {
    let heading = match status {
        StatusCode::FORBIDDEN => "Not yet",
        StatusCode::CONFLICT => "Not now",
        _ => "That did not work",
    };
    html(
        status,
        &Sorry {
            frame: Frame::new(state, *visitor, Section::Elsewhere, heading),
            heading,
            sentence: sentence.to_owned(),
        },
    )
}
