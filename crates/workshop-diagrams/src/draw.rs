//! One diagram: Mermaid text in, SVG and its description out.

use std::{collections::BTreeMap, fmt};

use workshop_course::{Sidecar, source_sha256};

use crate::{mermaid, restyle};

/// What draws; a new version may draw differently, so its name stands in every [`Sidecar`].
pub const RENDERER: &str = concat!(
    "merman 0.9.3, workshop-diagrams ",
    env!("CARGO_PKG_VERSION")
);

/// A drawn diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// The SVG, ending in a line feed.
    pub svg: String,
    /// What it was drawn from, its nodes and edges.
    pub sidecar: Sidecar,
}

/// Why a diagram cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawError {
    /// Line of the Mermaid text, from 1; 0 when it is about the whole of it.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} ({})", self.line, self.message, self.cure)
    }
}

impl std::error::Error for DrawError {}

/// What a Mermaid text says, apart from its looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    /// `accTitle`, if given.
    pub(crate) title: Option<String>,
    /// `accDescr`, if given.
    pub(crate) desc: Option<String>,
    /// Id → label.
    pub(crate) nodes: BTreeMap<String, String>,
    pub(crate) edges: Vec<Edge>,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The renderer's own id (`L_A_B_0`).
    pub(crate) raw_id: String,
    /// `A-B`; `A-B-1` for the second one between the same nodes, and so on.
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) label: String,
}

/// Draws a Mermaid text.
///
/// `id` prefixes the ids inside, so that several drawings can stand on one page; `title` is used
/// when the text has no `accTitle`. The same input gives the same bytes.
pub fn draw(source: &str, id: &str, title: &str) -> Result<Drawing, DrawError> {
    let (graph, svg) = mermaid::render(source, id)?;
    let title = graph.title.clone().unwrap_or_else(|| title.to_owned());
    let desc = graph.desc.clone().unwrap_or_else(|| description(&graph));
    let svg = restyle::restyle(&svg, id, &graph, &title, &desc)?;
    Ok(Drawing {
        svg,
        sidecar: Sidecar {
            source_sha256: source_sha256(source),
            renderer: RENDERER.to_owned(),
            nodes: graph.nodes,
            edges: graph
                .edges
                .into_iter()
                .map(|edge| (edge.from, edge.to, edge.label))
                .collect(),
            title,
            desc,
        },
    })
}

/// For a diagram whose author gave no `accDescr`: who is connected with whom.
fn description(graph: &Graph) -> String {
    let name = |id: &str| graph.nodes.get(id).map_or(id, String::as_str).to_owned();
    let edges: Vec<String> = graph
        .edges
        .iter()
        .map(|edge| {
            let label = match edge.label.as_str() {
                "" => String::new(),
                label => format!(" ({label})"),
            };
            format!("{} to {}{label}", name(&edge.from), name(&edge.to))
        })
        .collect();
    if edges.is_empty() {
        let names: Vec<&str> = graph.nodes.values().map(String::as_str).collect();
        return format!("{}.", names.join(", "));
    }
    format!("{}.", edges.join("; "))
}
