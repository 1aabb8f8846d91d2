//! The five patterns as chains of parts, lit by what really passed.

use workshop_course::{ChainPart, Course, Diagram, Exercise};
use workshop_runner::Progress;

use super::{Square, class, done, squares, stop, target};
use crate::{
    AppState,
    events::{EMULATOR, Lit},
    pages::Visitor,
};

/// A pattern as a row.
pub(super) struct Pattern {
    pub(super) stop: String,
    pub(super) class: &'static str,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) href: String,
    pub(super) diagram: String,
    pub(super) post: String,
    pub(super) chain: Vec<Part>,
    pub(super) squares: Vec<Square>,
    pub(super) done: String,
}

/// A part of the chain.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) class: String,
    /// What the last request met there, in words.
    pub(super) met: &'static str,
}

/// The patterns of the course. Who may not see requests sees no lights either.
pub(super) fn of(
    state: &AppState,
    visitor: Visitor,
    course: &Course,
    progress: &Progress,
    next: Option<&Exercise>,
) -> Vec<Pattern> {
    let lit = if visitor.signed_in {
        Lit::by(&state.hub().board(EMULATOR).0.requests)
    } else {
        Lit::default()
    };
    let patterns = course.patterns.iter().enumerate();
    patterns
        .map(|(n, pattern)| {
            let exercises = pattern.exercises.iter();
            let exercises: Vec<_> = exercises.filter_map(|id| course.exercise(id)).collect();
            let drawn = course.diagram(&pattern.diagram);
            let drawn = drawn.and_then(|page| page.diagrams.first());
            let class = class(&exercises, progress, next);
            Pattern {
                stop: stop(class, &(n + 1).to_string()),
                class,
                title: pattern.title.clone(),
                summary: pattern.summary.clone(),
                href: target(&exercises, progress, next),
                diagram: pattern.diagram_href.clone(),
                post: pattern.post_href.clone(),
                chain: pattern
                    .chain
                    .iter()
                    .map(|chained| part(chained, drawn, &lit))
                    .collect(),
                squares: squares(&exercises, progress, next),
                done: done(&exercises, progress),
            }
        })
        .collect()
}

/// Bedrock is dark everywhere; where a request begins has the orange frame.
fn part(part: &ChainPart, drawn: Option<&Diagram>, lit: &Lit) -> Part {
    let mut class = match part.name.as_str() {
        "Bedrock" => "br".to_owned(),
        "you" => "you".to_owned(),
        _ => String::new(),
    };
    let node = part.node.as_ref().map(|(node, _)| node.as_str());
    let met = match node
        .zip(drawn)
        .and_then(|(node, drawn)| met(node, drawn, lit))
    {
        Some(status) => {
            class.push(' ');
            class.push_str(status);
            match status {
                "ok" => ", reached",
                "throttled" => ", throttled",
                _ => ", denied",
            }
        }
        None => "",
    };
    Part {
        name: part.name.clone(),
        class,
        met,
    }
}

/// What the last request met at a node that it came to along an arrow of this very diagram: a call
/// made directly lights Bedrock, and must not light it behind a queue.
fn met(node: &str, drawn: &Diagram, lit: &Lit) -> Option<&'static str> {
    let ends_here = |edge: &&(String, String, String)| edge.1 == node;
    let begins_here = |edge: &&(String, String, String)| edge.0 == node;
    let lit_edge = |(from, to, _): &(String, String, String)| {
        let mark = lit.edges.get(&format!("{from}-{to}"))?;
        Some(mark.status.class())
    };
    let arrived = drawn.edges.iter().filter(ends_here).find_map(lit_edge);
    let began = || {
        let first = !drawn.edges.iter().any(|edge| ends_here(&edge));
        let sent = drawn.edges.iter().filter(begins_here).find_map(lit_edge);
        sent.filter(|_| first).map(|_| "ok")
    };
    arrived.or_else(began)
}
