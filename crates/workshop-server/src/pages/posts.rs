//! The blog.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use workshop_course::{Post, TocEntry};

use super::{Frame, Section, Visitor, bugs, diagrams, errors, exercises, page as answer, words};
use crate::{AppState, state::Edition};

/// Related posts below a post.
const RELATED: usize = 3;

/// Per cent that two posts share, from which they are related.
const LIKENESS_MIN: usize = 15;

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
#[template(path = "archive.html")]
struct Archive {
    frame: Frame,
    years: Vec<Year>,
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
    series: Option<Series>,
    related: Vec<Card>,
    /// Whether the same code stands there in two languages.
    languages: bool,
    before: Option<Neighbour>,
    after: Option<Neighbour>,
}

/// The series that a post is a part of.
struct Series {
    name: String,
    /// This post's place in it, from 1, and the number of its parts.
    place: Option<(usize, usize)>,
    parts: Vec<SeriesPart>,
}

/// A part of a series.
struct SeriesPart {
    order: i64,
    title: String,
    href: String,
    here: bool,
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

/// A year of the archive.
struct Year {
    id: String,
    name: String,
    posts: Vec<Card>,
}

/// `GET /archive`.
pub async fn archive(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let mut years: Vec<Year> = Vec::new();
    // Newest first, and those without a date last.
    for post in visible(&state, &edition) {
        let id = post.date.map_or(0, time::Date::year).to_string();
        if years.last().is_none_or(|year| year.id != id) {
            let name = post.date.map_or("Undated".to_owned(), |_| id.clone());
            let posts = Vec::new();
            years.push(Year { id, name, posts });
        }
        if let Some(year) = years.last_mut() {
            year.posts.push(card(post));
        }
    }
    let about = "All posts, by the year they appeared in.";
    answer(&Archive {
        frame: Frame::new(&state, visitor, Section::Blog, "Archive")
            .about(&state, "/archive", about, None),
        years,
    })
}

/// `GET /posts`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let frame = Frame::new(&state, visitor, Section::Blog, "Blog")
        .about(
            &state,
            "/posts",
            "How Claude, Claude Code and Amazon Bedrock fit together.",
            None,
        )
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
        .about(
            &state,
            &address(post),
            &post.excerpt,
            post.date.map(words::iso),
        )
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
        series: series(&posts, post),
        related: related(&posts, post).into_iter().map(card).collect(),
        languages: has_languages(&post.body.html),
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

fn series(posts: &[&Post], post: &Post) -> Option<Series> {
    let name = post.series.clone()?;
    let parts = posts.iter().filter(|p| p.series == post.series);
    let mut parts: Vec<(i64, &Post)> = parts.filter_map(|p| Some((p.order?, *p))).collect();
    parts.sort_by_key(|(order, part)| (*order, part.slug.clone()));
    let here = parts.iter().position(|(_, part)| part.slug == post.slug);
    Some(Series {
        name,
        place: here.map(|at| (at + 1, parts.len())),
        parts: parts
            .into_iter()
            .map(|(order, part)| SeriesPart {
                order,
                title: part.title.clone(),
                href: address(part),
                here: part.slug == post.slug,
            })
            .collect(),
    })
}

/// Posts on the same things: shared exercises, diagrams and tags, against all that either has. What
/// stands before and after it in its series is linked already.
fn related<'p>(posts: &[&'p Post], post: &Post) -> Vec<&'p Post> {
    let beside = |other: &Post| {
        let apart = || Some((other.order? - post.order?).abs());
        other.series.is_some() && other.series == post.series && apart() == Some(1)
    };
    let others = posts.iter().filter(|p| p.slug != post.slug && !beside(p));
    let mut scored: Vec<(usize, &'p Post)> = others
        .map(|other| (likeness(post, other), *other))
        .filter(|(score, _)| *score >= LIKENESS_MIN)
        .collect();
    // A stable sort: of equals, the newer one stays first.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.truncate(RELATED);
    scored.into_iter().map(|(_, other)| other).collect()
}

/// Per cent of exercises, diagrams and tags that two posts share.
fn likeness(a: &Post, b: &Post) -> usize {
    let about = |post: &Post| -> std::collections::BTreeSet<String> {
        let tags = post.tags.iter().map(|tag| words::address_part(tag));
        let named = post.exercises.iter().chain(&post.related_diagrams).cloned();
        tags.chain(named).collect()
    };
    let (a, b) = (about(a), about(b));
    (100 * a.intersection(&b).count())
        .checked_div(a.union(&b).count())
        .unwrap_or_default()
}

/// Whether code in Rust and in JavaScript or TypeScript stands on that page.
fn has_languages(html: &str) -> bool {
    let has = |names: &[&str]| {
        let mut names = names.iter();
        names.any(|name| html.contains(&format!("data-lang=\"{name}\"")))
    };
    has(&["rust", "rs"]) && has(&["js", "javascript", "ts", "typescript"])
}

fn today() -> time::Date {
    time::OffsetDateTime::now_utc().date()
}
