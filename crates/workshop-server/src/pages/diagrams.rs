//! Architecture diagrams: pages about them, and the pictures that light up.

use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use workshop_course::{Diagram, DiagramPage, map::COURSE_MAP};

use super::{Frame, Section, Visitor, errors, exercises, map, page as answer};
use crate::{
    AppState,
    events::{EMULATOR, Lit},
    state::Edition,
};

/// A diagram page in a list.
pub struct Card {
    /// Its title.
    pub title: String,
    /// Its address.
    pub href: String,
    /// What it shows.
    pub excerpt: String,
    /// Its tags: text and address.
    pub tags: Vec<(String, String)>,
    /// How many pictures it has.
    pub count: usize,
    /// Whether only preview shows it.
    pub draft: bool,
    /// The first of them.
    pub picture: Option<String>,
}

#[derive(Template)]
#[template(path = "diagrams.html")]
struct List {
    frame: Frame,
    pages: Vec<Card>,
}

#[derive(Template)]
#[template(path = "diagram.html")]
struct Page<'p> {
    frame: Frame,
    about: &'p DiagramPage,
    /// The text of the page.
    html: std::borrow::Cow<'p, str>,
    /// Of the course map: the same as a list.
    map: Option<Vec<map::Track>>,
    card: Card,
    exercises: Vec<(String, String)>,
    rendering: usize,
}

/// Where that page is.
pub fn address(page: &DiagramPage) -> String {
    format!("/diagrams/{}", page.slug.as_str())
}

/// The diagram pages this visitor may see.
pub fn visible<'e>(
    state: &AppState,
    edition: &'e Edition,
) -> impl Iterator<Item = &'e DiagramPage> + use<'e> {
    let preview = state.preview();
    let pages = edition.course.diagrams.iter();
    pages.filter(move |page| page.published || preview)
}

/// A diagram page as an entry of a list.
pub fn card(page: &DiagramPage) -> Card {
    Card {
        title: page.title.clone(),
        href: address(page),
        excerpt: page.excerpt.clone(),
        tags: super::tags::links(&page.tags),
        count: page.diagrams.len(),
        draft: !page.published,
        picture: page.diagrams.first().and_then(|first| first.svg.clone()),
    }
}

/// `GET /diagrams`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let frame = Frame::new(&state, visitor, Section::Diagrams, "Diagrams")
        .about(
            &state,
            "/diagrams",
            "The systems that requests to Claude on Bedrock pass.",
            None,
        )
        .with_findings(&state, |file| file.starts_with("diagrams"));
    let mut pages: Vec<&DiagramPage> = visible(&state, &edition).collect();
    pages.sort_by_key(|page| met(&edition, page));
    answer(&List {
        frame,
        pages: pages.into_iter().map(card).collect(),
    })
}

/// When a student meets it: the map first, then in the order of the exercises.
fn met(edition: &Edition, page: &DiagramPage) -> usize {
    let slug = page.slug.as_str();
    if slug == COURSE_MAP {
        return 0;
    }
    let mut exercises = edition.course.exercises.iter();
    let first = exercises.position(|e| e.diagram.as_deref() == Some(slug));
    first.map_or(usize::MAX, |at| at + 1)
}

/// `GET /diagrams/{slug}`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
) -> Response {
    let edition = state.edition();
    let Some(page) = visible(&state, &edition).find(|d| d.slug.as_str() == slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let rendering = being_drawn(&state, &page.diagrams);
    let mut frame = Frame::new(&state, visitor, Section::Diagrams, page.title.clone())
        .about(&state, &address(page), &page.excerpt, None)
        .with_findings(&state, |file| file == page.file || file == "diagrams")
        .with_code(&page.body.html);
    frame.refresh = (rendering > 0).then_some(5);
    let lighting = edition.course.exercises.iter();
    let lighting = lighting.filter(|e| e.diagram.as_deref() == Some(page.slug.as_str()));
    let map =
        (page.slug.as_str() == COURSE_MAP).then(|| map::tracks(&edition.course, &state.progress()));
    let html = match &map {
        Some(tracks) => map::drawn(&page.body.html, tracks).into(),
        None => page.body.html.as_str().into(),
    };
    answer(&Page {
        frame,
        about: page,
        html,
        map,
        card: card(page),
        exercises: lighting
            .map(|e| (format!("{} {}", e.id, e.title), exercises::address(e)))
            .collect(),
        rendering,
    })
}

/// How many of these pictures are being drawn now.
pub fn being_drawn(state: &AppState, diagrams: &[Diagram]) -> usize {
    let busy = state.rendering().busy;
    diagrams.iter().filter(|d| busy.contains(&d.id)).count()
}

/// `GET /api/lit`: what the requests to the emulator beside the site light.
pub async fn lit(State(state): State<AppState>) -> Json<Lit> {
    let (board, _) = state.hub().board(EMULATOR);
    Json(Lit::by(&board.requests))
}

/// The picture with the classes of what is lit, so that it shows without scripts as well.
pub fn lit_svg(svg: &str, lit: &Lit) -> String {
    let mut out = String::with_capacity(svg.len() + 256);
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        match class_of(tag, lit) {
            Some(class) => out.push_str(&with_class(tag, class)),
            None => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn class_of(tag: &str, lit: &Lit) -> Option<&'static str> {
    let node = attribute(tag, "data-node").and_then(|id| lit.nodes.get(id));
    let edge = attribute(tag, "data-edge").and_then(|id| lit.edges.get(id));
    Some(node.or(edge)?.class())
}

/// Our renderer writes attributes with double quotes and escapes `<`, `>` and `"` in them.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}

fn with_class(tag: &str, class: &str) -> String {
    if let Some((before, after)) = tag.split_once(" class=\"") {
        return format!("{before} class=\"{class} {after}");
    }
    let name = tag.find([' ', '>', '/']).unwrap_or(tag.len());
    let (name, rest) = tag.split_at(name);
    format!("{name} class=\"{class}\"{rest}")
}

/// A diagram's edges as sentences: `Claude Code to Bedrock API: Commands`.
pub fn as_text(diagram: &Diagram) -> Vec<String> {
    let label = |id: &String| diagram.nodes.get(id).unwrap_or(id).clone();
    diagram
        .edges
        .iter()
        .map(|(from, to, text)| {
            let (from, to) = (label(from), label(to));
            if text.is_empty() {
                format!("{from} to {to}")
            } else {
                format!("{from} to {to}: {text}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Mark, Status};

    #[test]
    fn what_was_reached_is_lit_and_nothing_else() {
        let mark = |status| Mark {
            status,
            count: 1,
            retried: false,
        };
        let mut lit = Lit::default();
        lit.nodes.insert("BR".to_owned(), mark(Status::Ok));
        lit.edges
            .insert("CC-BR".to_owned(), mark(Status::Throttled));
        let svg = r#"<svg><g class="node" data-node="BR"/><path data-edge="CC-BR"/><g data-node="CW">a &gt; b</g></svg>"#;
        assert_eq!(
            lit_svg(svg, &lit),
            r#"<svg><g class="ok node" data-node="BR"/><path class="throttled" data-edge="CC-BR"/><g data-node="CW">a &gt; b</g></svg>"#
        );
    }

    #[test]
    fn broken_markup_passes_unchanged() {
        for text in ["", "<", "a < b", "<g data-node=\"X"] {
            assert_eq!(lit_svg(text, &Lit::default()), text);
        }
    }
}
