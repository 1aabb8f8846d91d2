//! Mermaid fences of a page: the committed SVG, or the source as long as there is none.
//!
//! Students never compile a Mermaid renderer: `workshop-diagrams` writes, beside the page,
//! `rendered/{page slug}-{n}.svg` and `rendered/{page slug}-{n}.json` ([`Sidecar`]), which says what
//! the drawing was made from. Both are committed.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Diagnostic, Diagram, Tree,
    markup::{escape, escape_text, svg_problem},
};

/// What to do about a drawing that is missing or old.
pub const RENDER_COMMAND: &str = "cargo run -p workshop-diagrams";

/// What the renderer writes beside an SVG.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// [`source_sha256`] of the Mermaid text that was drawn.
    pub source_sha256: String,
    /// Name and version of the renderer.
    pub renderer: String,
    /// Node id → label.
    pub nodes: BTreeMap<String, String>,
    /// `(from, to, label)`, in the order of the source.
    pub edges: Vec<(String, String, String)>,
    /// The drawing's `<title>`.
    pub title: String,
    /// The drawing's `<desc>`.
    pub desc: String,
}

/// SHA-256 of a Mermaid text in lower-case hex. The text is the fence's content with LF line ends.
pub fn source_sha256(source: &str) -> String {
    Sha256::digest(source.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// A Mermaid fence of a page, as `workshop-diagrams` needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// `{page slug}-{n}`, from 1.
    pub id: String,
    /// Where its SVG belongs, without the ending: `{folder}/rendered/{id}`.
    pub stem: String,
    /// The Mermaid text.
    pub source: String,
    /// Line of the fence in the page's file, from 1.
    pub line: usize,
    /// Text of the heading above it, or the page's slug.
    pub title: String,
}

/// The drawing of a fence, with its figure for the page.
pub(crate) fn drawing(
    fence: Fence,
    tree: &Tree,
    file: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Diagram, String) {
    let svg_path = format!("{}.svg", fence.stem);
    let sidecar = sidecar(tree, &fence, diagnostics);
    let svg = usable_svg(tree, &svg_path, diagnostics);
    let fresh = sidecar
        .as_ref()
        .is_some_and(|s| s.source_sha256 == source_sha256(&fence.source));
    if svg.is_none() && !tree.files.contains_key(&svg_path) {
        diagnostics.push(Diagnostic::warning(
            file,
            fence.line,
            "the diagram is not drawn yet; the page shows its source",
            format!("run `{RENDER_COMMAND}` and commit {svg_path}"),
        ));
    } else if svg.is_some() && !fresh {
        diagnostics.push(Diagnostic::warning(
            file,
            fence.line,
            format!("{svg_path} was drawn from an older source"),
            format!("run `{RENDER_COMMAND}` and commit the result"),
        ));
    }
    let (nodes, edges) = sidecar.map_or_else(Default::default, |s| (s.nodes, s.edges));
    let diagram = Diagram {
        id: fence.id,
        source: fence.source,
        line: fence.line,
        svg,
        fresh,
        nodes,
        edges,
    };
    let figure = figure(&diagram);
    (diagram, figure)
}

fn sidecar(tree: &Tree, fence: &Fence, diagnostics: &mut Vec<Diagnostic>) -> Option<Sidecar> {
    let path = format!("{}.json", fence.stem);
    let text = tree.text(&path)?;
    match serde_json::from_str(text) {
        Ok(sidecar) => Some(sidecar),
        Err(error) => {
            diagnostics.push(Diagnostic::error(
                path,
                error.line(),
                format!("not what workshop-diagrams writes: {error}"),
                format!("run `{RENDER_COMMAND}`; the file is not written by hand"),
            ));
            None
        }
    }
}

fn usable_svg(tree: &Tree, path: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let svg = tree.text(path)?;
    match svg_problem(svg) {
        None => Some(svg.trim_end().to_owned()),
        Some(problem) => {
            diagnostics.push(Diagnostic::error(
                path,
                0,
                format!("cannot be shown: {problem}"),
                format!("run `{RENDER_COMMAND}`; the file is not written by hand"),
            ));
            None
        }
    }
}

fn figure(diagram: &Diagram) -> String {
    let id = escape(&diagram.id);
    let Some(svg) = &diagram.svg else {
        return format!(
            "<figure class=\"diagram pending\" data-diagram=\"{id}\">\n\
             <figcaption>This diagram is not drawn yet. Its source:</figcaption>\n\
             <pre><code class=\"language-mermaid\">{}</code></pre>\n{}</figure>\n",
            escape_text(&diagram.source),
            as_text(diagram),
        );
    };
    let (class, note) = if diagram.fresh {
        ("diagram", "")
    } else {
        (
            "diagram stale",
            "<figcaption>This drawing is older than its source.</figcaption>\n",
        )
    };
    format!(
        "<figure class=\"{class}\" data-diagram=\"{id}\">\n\
         <div class=\"diagram-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Diagram\">{svg}</div>\n\
         {note}{}</figure>\n",
        as_text(diagram),
    )
}

/// Nodes and edges as lists, for readers who do not see the picture.
fn as_text(diagram: &Diagram) -> String {
    if diagram.nodes.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<details class=\"diagram-text\"><summary>Diagram as text</summary>\n<ul class=\"diagram-nodes\">\n",
    );
    for (id, label) in &diagram.nodes {
        let _ = writeln!(
            out,
            "<li><code>{}</code> {}</li>",
            escape_text(id),
            escape_text(label)
        );
    }
    out.push_str("</ul>\n");
    if !diagram.edges.is_empty() {
        out.push_str("<ul class=\"diagram-edges\">\n");
        for (from, to, label) in &diagram.edges {
            let _ = write!(
                out,
                "<li><code>{}</code> → <code>{}</code>",
                escape_text(from),
                escape_text(to)
            );
            if !label.is_empty() {
                let _ = write!(out, ": {}", escape_text(label));
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</details>\n");
    out
}
