//! The patterns that `tracks.toml` describes: where their requests pass, and what teaches them.

use serde::Deserialize;
use toml::Spanned;

use super::TRACKS;
use crate::{
    ChainPart, Pattern, Tree,
    document::{line_of, normalized},
    links::{self, Target},
};

/// A `[[pattern]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternField {
    title: String,
    summary: String,
    chain: Vec<PartField>,
    exercises: Vec<Spanned<String>>,
    diagram: Spanned<String>,
    post: Spanned<String>,
}

/// `{ part = "Lambda", node = "LAMBDA" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartField {
    part: String,
    node: Option<Spanned<String>>,
}

/// The patterns, and the links in them, which are checked with all others.
pub(super) fn read(
    tree: &Tree,
    fields: Vec<Spanned<PatternField>>,
) -> (Vec<Pattern>, Vec<(usize, Target)>) {
    let text = tree.text(TRACKS).map(normalized).unwrap_or_default();
    let mut links = Vec::new();
    let mut link = |address: String, place: &Spanned<String>| {
        let line = line_of(text.as_bytes(), place.span().start);
        links.push((line, links::resolve(&address, TRACKS)));
        address
    };
    let mut patterns = Vec::new();
    for field in fields.into_iter().map(Spanned::into_inner) {
        for id in &field.exercises {
            link(format!("/exercises/{}", id.as_ref()), id);
        }
        let parts = field.chain.into_iter().map(|field| ChainPart {
            name: field.part,
            node: field.node.map(|node| {
                let at = line_of(text.as_bytes(), node.span().start);
                (node.into_inner(), at)
            }),
        });
        patterns.push(Pattern {
            title: field.title,
            summary: field.summary,
            chain: parts.collect(),
            diagram_href: link(
                format!("/diagrams/{}", field.diagram.as_ref()),
                &field.diagram,
            ),
            post_href: link(format!("/posts/{}", field.post.as_ref()), &field.post),
            exercises: super::values(field.exercises),
            diagram: field.diagram.into_inner(),
        });
    }
    (patterns, links)
}
