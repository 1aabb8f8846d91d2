//! Posts and diagrams by tag, posts by category.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{Frame, Section, Visitor, diagrams, errors, page as answer, posts, words};
use crate::{AppState, state::Edition};

#[derive(Template)]
#[template(path = "tags.html")]
struct List {
    frame: Frame,
    tags: Vec<Group>,
    categories: Vec<Group>,
}

#[derive(Template)]
#[template(path = "tag.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    name: String,
    posts: Vec<posts::Card>,
    diagrams: Vec<diagrams::Card>,
}

/// A tag or category.
struct Group {
    name: String,
    href: String,
    count: usize,
}

/// Tags with their addresses.
pub fn links(tags: &[String]) -> Vec<(String, String)> {
    let link = |tag: &String| (tag.clone(), format!("/tags/{}", words::address_part(tag)));
    tags.iter().map(link).collect()
}

/// A category with its address; `None` if the post has none.
pub fn category_link(category: &str) -> Option<(String, String)> {
    let part = words::address_part(category);
    (!part.is_empty()).then(|| (category.to_owned(), format!("/categories/{part}")))
}

/// `GET /tags`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let categories = posts::visible(&state, &edition).filter_map(|p| category_link(&p.category));
    answer(&List {
        frame: Frame::new(&state, visitor, Section::Blog, "Tags"),
        tags: groups(all_tags(&state, &edition)),
        categories: groups(categories),
    })
}

/// `GET /tags/{tag}`.
pub async fn tag(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(tag): Path<String>,
) -> Response {
    let edition = state.edition();
    let href = format!("/tags/{tag}");
    let has = |tags: &[String]| links(tags).iter().any(|(_, other)| *other == href);
    let Some((name, _)) = all_tags(&state, &edition).find(|(_, other)| *other == href) else {
        return errors::missing(&state, &visitor, &tag);
    };
    let posts = posts::visible(&state, &edition).filter(|p| has(&p.tags));
    let pages = diagrams::visible(&state, &edition).filter(|d| has(&d.tags));
    answer(&Page {
        frame: Frame::new(&state, visitor, Section::Blog, format!("Tag {name}")),
        kind: "Tag",
        name,
        posts: posts.map(posts::card).collect(),
        diagrams: pages.map(diagrams::card).collect(),
    })
}

/// `GET /categories/{category}`.
pub async fn category(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(category): Path<String>,
) -> Response {
    let edition = state.edition();
    let href = format!("/categories/{category}");
    let within = |p: &&workshop_course::Post| {
        category_link(&p.category).is_some_and(|(_, other)| other == href)
    };
    let found: Vec<_> = posts::visible(&state, &edition).filter(within).collect();
    let Some(first) = found.first() else {
        return errors::missing(&state, &visitor, &category);
    };
    let name = first.category.clone();
    answer(&Page {
        frame: Frame::new(&state, visitor, Section::Blog, format!("Category {name}")),
        kind: "Category",
        name,
        posts: found.into_iter().map(posts::card).collect(),
        diagrams: Vec::new(),
    })
}

fn all_tags<'e>(
    state: &AppState,
    edition: &'e Edition,
) -> impl Iterator<Item = (String, String)> + use<'e> {
    let posts = posts::visible(state, edition).flat_map(|p| links(&p.tags));
    let diagrams = diagrams::visible(state, edition);
    posts.chain(diagrams.flat_map(|d| links(&d.tags)))
}

/// Counted, in order of their addresses; the first spelling wins.
fn groups(links: impl Iterator<Item = (String, String)>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (name, href) in links {
        let group = groups.entry(href.clone()).or_insert(Group {
            name,
            href,
            count: 0,
        });
        group.count += 1;
    }
    groups.into_values().collect()
}
