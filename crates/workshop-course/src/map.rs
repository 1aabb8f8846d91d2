//! The course map: exercises as nodes, what they build on as edges.
//!
//! `diagrams/course-map.md` holds the drawing, as every diagram page does. Its Mermaid text is made
//! here from the exercises, and `tests/map.rs` compares the two, so that the map cannot show a course
//! that is no more.

use std::fmt::Write as _;

use crate::{Course, Exercise};

/// The slug of the page that shows the map.
pub const COURSE_MAP: &str = "course-map";

/// Letters of a title on one line of its box.
const LINE_CHARS: usize = 17;

/// The node of an exercise: `E012`. Mermaid reads a name of digits alone as something else.
pub fn map_node(id: &str) -> String {
    format!("E{id}")
}

/// The map as Mermaid: a box for each exercise, dashed for those outside of the core,
/// and an arrow from every exercise to those that require it.
pub fn course_map(course: &Course) -> String {
    let mut text = String::from(
        "flowchart LR\n    accTitle: The course map\n    accDescr: Every exercise of the course, with an arrow from each to those that build on it.\n    classDef elective stroke-dasharray:6 5\n",
    );
    let drawn = in_order(course);
    for exercise in &drawn {
        let node = map_node(&exercise.id);
        let _ = writeln!(
            text,
            "    {node}[\"{}\"]{}",
            label(exercise),
            if exercise.core { "" } else { ":::elective" }
        );
    }
    for exercise in &drawn {
        let node = map_node(&exercise.id);
        for after in drawn.iter().filter(|e| e.requires.contains(&exercise.id)) {
            let _ = writeln!(text, "    {node} --> {}", map_node(&after.id));
        }
    }
    text
}

/// Each exercise after all that it requires, and before those, the ones that more build on: of the
/// orders that were tried, the one whose arrows cross the least.
fn in_order(course: &Course) -> Vec<&Exercise> {
    fn visit<'c>(course: &'c Course, exercise: &'c Exercise, done: &mut Vec<&'c Exercise>) {
        let known = |id: &String| course.exercise(id).is_none() || is_in(done, id);
        if is_in(done, &exercise.id) || !exercise.requires.iter().all(known) {
            return;
        }
        done.push(exercise);
        let mut after = builds_on(course, &exercise.id);
        after.sort_by_key(|e| std::cmp::Reverse(builds_on(course, &e.id).len()));
        for next in after {
            visit(course, next, done);
        }
    }
    let mut done = Vec::new();
    for exercise in &course.exercises {
        visit(course, exercise, &mut done);
    }
    // What is left requires itself in a circle; it is drawn all the same.
    let rest = course.exercises.iter().filter(|e| !is_in(&done, &e.id));
    let rest: Vec<_> = rest.collect();
    done.extend(rest);
    done
}

fn is_in(done: &[&Exercise], id: &str) -> bool {
    done.iter().any(|e| e.id == id)
}

/// The exercises that require that one.
fn builds_on<'c>(course: &'c Course, id: &str) -> Vec<&'c Exercise> {
    let after = course.exercises.iter();
    after
        .filter(|e| e.requires.iter().any(|r| r == id))
        .collect()
}

/// `012`, and the title below it, without what follows its colon.
fn label(exercise: &Exercise) -> String {
    let title = exercise.title.split(':').next().unwrap_or_default();
    let mut label = exercise.id.clone();
    let mut room = 0;
    for word in title.split_whitespace() {
        // Quotes would end the label.
        let word = word.replace('"', "'");
        let length = word.chars().count();
        if length < room {
            room -= length + 1;
            label.push(' ');
        } else {
            room = LINE_CHARS.saturating_sub(length);
            label.push_str("<br/>");
        }
        label.push_str(&word);
    }
    label
}
