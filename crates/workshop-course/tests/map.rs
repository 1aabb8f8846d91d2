//! The course map shows the exercises, and what they require.

use std::{collections::BTreeSet, fs, path::Path};

use workshop_course::{Course, Tree, course_map, map::COURSE_MAP, map_node};

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// With `COURSE_MAP_BLESS` set, writes the map's fence anew before anything is compared.
fn course() -> Course {
    let course = Course::load(&Tree::read(&root()).expect("the course"));
    if std::env::var_os("COURSE_MAP_BLESS").is_none() {
        return course;
    }
    let file = root().join(format!("diagrams/{COURSE_MAP}.md"));
    let text = fs::read_to_string(&file).expect("the map's page");
    let (before, rest) = text.split_once("```mermaid\n").expect("a fence");
    let (_, after) = rest.split_once("```\n").expect("its end");
    let map = course_map(&course);
    fs::write(&file, format!("{before}```mermaid\n{map}```\n{after}")).expect("the map's page");
    Course::load(&Tree::read(&root()).expect("the course"))
}

#[test]
fn the_map_is_the_course() {
    let course = course();
    let page = course.diagram(COURSE_MAP).expect("the map's page");
    let map = &page.diagrams[0];
    assert_eq!(map.source, course_map(&course), "see CONTRIBUTING.md");

    // What was drawn, as the renderer understood it.
    assert!(map.fresh, "run `cargo run -p workshop-diagrams`");
    let drawn: BTreeSet<String> = map.nodes.keys().cloned().collect();
    let exercises: BTreeSet<String> = course.exercises.iter().map(|e| map_node(&e.id)).collect();
    assert_eq!(drawn, exercises);
    let arrows: BTreeSet<(String, String)> = map
        .edges
        .iter()
        .map(|(from, to, _)| (from.clone(), to.clone()))
        .collect();
    let required = course.exercises.iter().flat_map(|e| {
        let arrow = |id: &String| (map_node(id), map_node(&e.id));
        e.requires.iter().map(arrow)
    });
    assert_eq!(arrows, required.collect());
}
