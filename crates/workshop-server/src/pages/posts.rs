//! The blog.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use workshop_course::{Post, TocEntry};

use super::{Frame, Section, Visitor, bugs, diagrams, errors, exercises, page as answer, words};
use crate::{AppState, state::Edition};

/// A post in a list.
pub struct Card {
    /// Its title.
    pub title: String,
    /// Its address.
    pub href: String,
    /// What it is about.
    pub excerpt: String,
    /// The day, for people and for machines.
    pub date: Option<(String, String)>,
    /// Minutes to read.
    pub minutes: u32,
    /// Its tags: text and address.
    pub tags: Vec<(String, String)>,
    /// Whether only the author sees it.
    pub draft: bool,
}

#[derive(Template)]
#[template(path = "posts.html")]
struct List {
    frame: Frame,
    posts: Vec<Card>,
}

#[derive(Template)]
#[template(path = "post.html")]
struct Page<'p> {
    frame: Frame,
    post: &'p Post,
    card: Card,
    category: Option<(String, String)>,
    toc: &'p [TocEntry],
    exercises: Vec<(String, String)>,
    diagrams: Vec<diagrams::Card>,
    reviewed: Option<(String, String)>,
    expired: Option<String>,
    bugs: Vec<(String, String)>,
    rendering: usize,
    series: Option<String>,
    before: Option<Neighbour>,
    after: Option<Neighbour>,
}

/// The post before or after this one: what it is called there, and where it is.
struct Neighbour {
    label: &'static str,
    card: Card,
}

/// Where that post is.
pub fn address(post: &Post) -> String {
    format!("/posts/{}", post.slug.as_str())
}

/// The posts this visitor may see, newest first.
pub fn visible<'e>(
    state: &AppState,
    edition: &'e Edition,
) -> impl Iterator<Item = &'e Post> + use<'e> {
    let preview = state.preview();
    let posts = edition.course.posts.iter();
    posts.filter(move |post| post.published || preview)
}

/// The same as entries of a list.
pub fn cards<'e>(state: &AppState, edition: &'e Edition) -> impl Iterator<Item = Card> + use<'e> {
    visible(state, edition).map(card)
}

/// A post as an entry of a list.
pub fn card(post: &Post) -> Card {
    Card {
        title: post.title.clone(),
        href: address(post),
        excerpt: post.excerpt.clone(),
        date: post.date.map(|date| (words::day(date), words::iso(date))),
        minutes: post.body.minutes,
        tags: super::tags::links(&post.tags),
        draft: !post.published,
    }
}

/// `GET /posts`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let frame = Frame::new(&state, visitor, Section::Blog, "Blog")
        .with_findings(&state, |file| file.starts_with("content/"));
    answer(&List {
        frame,
        posts: cards(&state, &edition).collect(),
    })
}

/// `GET /posts/{slug}`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let posts: Vec<_> = visible(&state, &edition).collect();
    let Some(at) = posts.iter().position(|p| p.slug.as_str() == slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let post = posts[at];
    let (before, after) = neighbours(&posts, at);
    let frame = Frame::new(&state, visitor, Section::Blog, post.title.clone())
        .with_findings(&state, |file| file == post.file)
        .with_code(&post.body.html);
    let linked = post.exercises.iter();
    let linked = linked.filter_map(|id| edition.course.exercise(id));
    answer(&Page {
        frame,
        post,
        card: card(post),
        category: super::tags::category_link(&post.category),
        toc: &post.body.toc,
        exercises: linked
            .map(|e| (format!("{} {}", e.id, e.title), exercises::address(e)))
            .collect(),
        diagrams: diagrams::visible(&state, &edition)
            .filter(|d| {
                post.related_diagrams
                    .iter()
                    .any(|slug| slug == d.slug.as_str())
            })
            .map(diagrams::card)
            .collect(),
        bugs: bugs::of_post(&edition, post),
        rendering: diagrams::being_drawn(&state, &post.diagrams),
        reviewed: post
            .reviewed
            .map(|date| (words::day(date), words::iso(date))),
        expired: post.expires.filter(|day| *day <= today()).map(words::day),
        series: post.series.as_ref().map(|series| match post.order {
            Some(part) => format!("{series}, part {part}"),
            None => series.clone(),
        }),
        before,
        after,
    })
}

/// What comes before and after the post at `at`: in its series, or by date.
fn neighbours(posts: &[&Post], at: usize) -> (Option<Neighbour>, Option<Neighbour>) {
    let neighbour = |label, post: &&Post| Neighbour {
        label,
        card: card(post),
    };
    let post = posts[at];
    let Some(series) = post.series.as_ref().filter(|_| post.order.is_some()) else {
        let older = posts.get(at + 1).map(|p| neighbour("Older", p));
        let newer = at.checked_sub(1).map(|at| neighbour("Newer", &posts[at]));
        return (older, newer);
    };
    let parts = || {
        let parts = posts.iter().filter(|p| p.series.as_ref() == Some(series));
        parts.filter(|p| p.order.is_some())
    };
    let before = parts()
        .filter(|p| p.order < post.order)
        .max_by_key(|p| p.order);
    let after = parts()
        .filter(|p| p.order > post.order)
        .min_by_key(|p| p.order);
    (
        before.map(|p| neighbour("Previous part", p)),
        after.map(|p| neighbour("Next part", p)),
    )
}

fn today() -> time::Date {
    time::OffsetDateTime::now_utc().date()
}
