//! For programs of the public: an Atom feed and a sitemap. Both need whole addresses, so they exist
//! only when the site knows where it stands.
//!
//! Two templates, not `atom_syndication`: it would bring a writer, builders and a date crate for what
//! is one page of XML, and askama escapes it.

use askama::Template;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{Visitor, bugs, diagrams, errors, exercises, posts, teach, words};
use crate::AppState;

/// Posts in the feed.
const ENTRIES: usize = 20;

#[derive(Template)]
#[template(path = "feed.xml")]
struct Feed<'p> {
    site: String,
    own: String,
    updated: String,
    entries: Vec<Entry<'p>>,
}

/// A post in the feed.
struct Entry<'p> {
    title: &'p str,
    href: String,
    author: &'p str,
    excerpt: &'p str,
    published: String,
    updated: String,
    tags: &'p [String],
    /// The whole text, as on its page.
    html: &'p str,
}

#[derive(Template)]
#[template(path = "sitemap.xml")]
struct Sitemap {
    pages: Vec<(String, Option<String>)>,
}

/// `GET /feed.xml`: the newest posts, whole.
pub async fn feed(State(state): State<AppState>, visitor: Visitor) -> Response {
    let Some(base) = state.base_url() else {
        return errors::missing(&state, &visitor, "feed");
    };
    let of = |path: &str| format!("{}{path}", base.trim_end_matches('/'));
    let edition = state.edition();
    // Drafts are for the author's eyes, also when they are shown on pages.
    let published = edition.course.posts.iter().filter(|post| post.published);
    let entries: Vec<Entry<'_>> = published
        .filter_map(|post| {
            let date = post.date?;
            Some(Entry {
                title: &post.title,
                href: of(&posts::address(post)),
                author: &post.author,
                excerpt: &post.excerpt,
                published: midnight(&words::iso(date)),
                updated: midnight(&words::iso(post.reviewed.map_or(date, |r| r.max(date)))),
                tags: &post.tags,
                html: &post.body.html,
            })
        })
        .take(ENTRIES)
        .collect();
    let newest = entries.iter().map(|entry| entry.updated.clone()).max();
    xml(
        "application/atom+xml; charset=utf-8",
        &Feed {
            site: of("/"),
            own: of("/feed.xml"),
            updated: newest.unwrap_or_else(|| midnight("1970-01-01")),
            entries,
        },
    )
}

/// `GET /sitemap.xml`: every page that is worth finding.
pub async fn sitemap(State(state): State<AppState>, visitor: Visitor) -> Response {
    let Some(base) = state.base_url() else {
        return errors::missing(&state, &visitor, "sitemap");
    };
    let of = |path: &str| format!("{}{path}", base.trim_end_matches('/'));
    let edition = state.edition();
    let course = &edition.course;
    let lists = [
        "/",
        "/posts",
        "/archive",
        "/tags",
        "/diagrams",
        "/exercises",
        "/bugs",
        "/teach",
    ];
    let mut pages: Vec<(String, Option<String>)> =
        lists.iter().map(|path| (of(path), None)).collect();
    for post in course.posts.iter().filter(|post| post.published) {
        let changed = post.reviewed.max(post.date).map(words::iso);
        pages.push((of(&posts::address(post)), changed));
    }
    let published = course.diagrams.iter().filter(|page| page.published);
    pages.extend(published.map(|page| (of(&diagrams::address(page)), None)));
    let exercises = course.exercises.iter();
    pages.extend(exercises.map(|e| (of(&exercises::address(e)), None)));
    pages.extend(course.bugs.iter().map(|b| (of(&bugs::address(b)), None)));
    let agendas = course.agendas.iter();
    pages.extend(agendas.map(|a| (of(&teach::address(a)), None)));
    xml("application/xml; charset=utf-8", &Sitemap { pages })
}

fn midnight(day: &str) -> String {
    format!("{day}T00:00:00Z")
}

fn xml(mime: &'static str, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => ([(header::CONTENT_TYPE, mime)], text).into_response(),
        Err(error) => {
            let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            (status, format!("This could not be put together: {error}\n")).into_response()
        }
    }
}
