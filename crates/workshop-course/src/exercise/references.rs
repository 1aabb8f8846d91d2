//! What exercises say about other exercises and about diagrams.

use std::collections::BTreeMap;

use super::{Places, TRACKS};
use crate::{Course, Diagnostic, Diagram, DiagramPage, Exercise, Pattern, nearest::nearest};

/// Checks what exercises say about other exercises and about diagrams.
pub(crate) fn check_references(
    course: &mut Course,
    places: &BTreeMap<String, Places>,
    has_diagram: &dyn Fn(&str) -> bool,
    has_exercise: &dyn Fn(&str) -> bool,
) {
    let mut found = Vec::new();
    for exercise in &course.exercises {
        let Some(places) = places.get(&exercise.id) else {
            continue;
        };
        let file = format!("{}/exercise.toml", exercise.dir);
        for (id, line) in exercise.requires.iter().zip(&places.requires) {
            if !has_exercise(id) || *id == exercise.id {
                found.push(Diagnostic::error(
                    &*file,
                    *line,
                    format!("`requires` names `{id}`, which is not another exercise"),
                    "name exercises by their three digits",
                ));
            }
        }
        for (recall, line) in exercise.recall.iter().zip(&places.recall) {
            if !has_exercise(&recall.from) {
                found.push(Diagnostic::error(
                    &*file,
                    *line,
                    format!("`from` names `{}`, which is not an exercise", recall.from),
                    "name the exercise that the question is about by its three digits",
                ));
            }
        }
        check_nodes(course, exercise, places, &file, has_diagram, &mut found);
    }
    for pattern in &course.patterns {
        check_chain(course, pattern, &mut found);
    }
    course.diagnostics.append(&mut found);
}

fn check_nodes(
    course: &Course,
    exercise: &Exercise,
    places: &Places,
    file: &str,
    has_diagram: &dyn Fn(&str) -> bool,
    found: &mut Vec<Diagnostic>,
) {
    let Some(slug) = &exercise.diagram else {
        if let Some(line) = places.nodes.first() {
            found.push(Diagnostic::error(
                file,
                *line,
                "`nodes` are given, but no `diagram`",
                "add `diagram = \"…\"` with the slug of a diagram page",
            ));
        }
        return;
    };
    let Some(page) = course.diagram(slug) else {
        // A page that was left out has its own diagnostic.
        if !has_diagram(slug) {
            found.push(Diagnostic::error(
                file,
                places.diagram,
                format!("there is no diagram page `{slug}`"),
                "name a file of diagrams/, without the ending",
            ));
        }
        return;
    };
    // Nodes are known once the diagram is drawn; until then its page says so.
    let Some(diagram) = page.diagrams.first().filter(|d| !d.nodes.is_empty()) else {
        return;
    };
    for (node, line) in exercise.nodes.iter().zip(&places.nodes) {
        found.extend(unknown_node(page, diagram, node, file, *line));
    }
}

/// The parts of a pattern's chain are nodes of its diagram.
fn check_chain(course: &Course, pattern: &Pattern, found: &mut Vec<Diagnostic>) {
    // A diagram that is not there is reported with the other links.
    let page = course.diagram(&pattern.diagram);
    let drawn = page.and_then(|page| Some((page, page.diagrams.first()?)));
    let Some((page, diagram)) = drawn.filter(|(_, d)| !d.nodes.is_empty()) else {
        return;
    };
    for (node, line) in pattern.chain.iter().filter_map(|part| part.node.as_ref()) {
        found.extend(unknown_node(page, diagram, node, TRACKS, *line));
    }
}

fn unknown_node(
    page: &DiagramPage,
    diagram: &Diagram,
    node: &str,
    file: &str,
    line: usize,
) -> Option<Diagnostic> {
    if diagram.nodes.contains_key(node) {
        return None;
    }
    let ids = || diagram.nodes.keys().map(String::as_str);
    let cure = nearest(node, ids()).map_or_else(
        || format!("its nodes are {}", ids().collect::<Vec<_>>().join(", ")),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    Some(Diagnostic::error(
        file,
        line,
        format!("the first diagram of {} has no node `{node}`", page.file),
        cure,
    ))
}
