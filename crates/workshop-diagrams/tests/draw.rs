//! Diagrams in, drawings out; and whole folders of them.

use std::{fs, path::Path};

use workshop_course::{Course, Sidecar, Tree};
use workshop_diagrams::{Drawing, draw, files};

fn drawn(source: &str) -> Drawing {
    let drawing = draw(source, "page-1", "Title").expect(source);
    let again = draw(source, "page-1", "Title").expect(source);
    assert_eq!(drawing, again, "the same text gives the same bytes");
    for forbidden in [
        "style",
        "<filter",
        "foreignObject",
        "<script",
        "data-points",
        "xlink",
        "class=\"\"",
    ] {
        assert!(
            !drawing.svg.contains(forbidden),
            "{forbidden} in\n{}",
            drawing.svg
        );
    }
    drawing
}

/// Every value of an attribute, in document order.
fn values<'a>(svg: &'a str, attribute: &str) -> Vec<&'a str> {
    svg.split(&format!(" {attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn a_flowchart_has_stable_names_and_readable_words() {
    let drawing = drawn(
        "graph LR\n  A[\"Dark<br/>two lines\"] -->|calls & waits| B[Light]\n  A -.-> B\n  subgraph G [Group]\n    B ==> C(Plain)\n  end\n  style A fill:#232F3E\n  style B fill:#FF9900,color:#fff\n",
    );
    let svg = &drawing.svg;
    assert_eq!(values(svg, "data-node"), ["A", "B", "C"]);
    assert_eq!(values(svg, "data-cluster"), ["G"]);
    assert_eq!(values(svg, "data-edge"), ["A-B", "A-B-1", "B-C", "A-B"]);
    assert_eq!(values(svg, "fill"), ["#232f3e", "#ff9900"]);
    assert!(
        svg.contains("class=\"edge dashed\" data-edge=\"A-B-1\""),
        "{svg}"
    );
    assert!(
        svg.contains("class=\"edge thick\" data-edge=\"B-C\""),
        "{svg}"
    );
    // The author's white on orange would be unreadable.
    assert!(svg.contains("<text class=\"on-light\" text-anchor=\"middle\"><tspan x=\"0\" y=\"15\">Light</tspan></text>"), "{svg}");
    assert!(svg.contains("<text class=\"on-dark\" text-anchor=\"middle\"><tspan x=\"0\" y=\"15\">Dark</tspan><tspan x=\"0\" y=\"32.6\">two lines</tspan></text>"), "{svg}");
    assert!(svg.contains("calls &amp; waits"), "{svg}");
    assert!(
        svg.contains("role=\"img\" aria-labelledby=\"page-1-title page-1-desc\""),
        "{svg}"
    );
    for id in values(svg, "id") {
        assert!(id.starts_with("page-1"), "{id}");
    }
    let sidecar = drawing.sidecar;
    assert_eq!(sidecar.title, "Title");
    assert_eq!(
        sidecar.desc,
        "Dark, two lines to Light (calls & waits); Dark, two lines to Light; Light to Plain."
    );
    assert_eq!(sidecar.nodes["A"], "Dark, two lines");
    assert_eq!(sidecar.edges.len(), 3);
}

#[test]
fn a_sequence_names_participants_and_messages() {
    let drawing = drawn(
        "sequenceDiagram\n  accTitle: A call\n  accDescr: Asked and answered.\n  participant App\n  participant BR as Bedrock API\n  App->>BR: Converse\n  BR-->>App: 200\n  Note over App,BR: paced\n  App->>BR: again\n",
    );
    assert_eq!(
        values(&drawing.svg, "data-edge"),
        [
            "App-BR", "App-BR", "BR-App", "BR-App", "App-BR-1", "App-BR-1"
        ]
    );
    let mut nodes = values(&drawing.svg, "data-node");
    nodes.sort_unstable();
    assert_eq!(nodes, ["App", "BR"]);
    assert!(
        drawing.svg.contains("<g class=\"remark\">"),
        "{}",
        drawing.svg
    );
    assert_eq!(drawing.sidecar.title, "A call");
    assert_eq!(drawing.sidecar.desc, "Asked and answered.");
    assert_eq!(drawing.sidecar.nodes["BR"], "Bedrock API");
    assert_eq!(drawing.sidecar.edges.len(), 3, "a note is not an edge");
}

#[test]
fn a_state_diagram_names_states_and_transitions() {
    let drawing =
        drawn("stateDiagram-v2\n  [*] --> Free\n  Free --> Leased: take\n  Leased --> [*]\n");
    assert_eq!(
        values(&drawing.svg, "data-edge"),
        [
            "root_start-Free",
            "Free-Leased",
            "Leased-root_end",
            "Free-Leased"
        ]
    );
    assert_eq!(drawing.sidecar.nodes["root_start"], "start");
    assert!(
        drawing.svg.contains("<circle class=\"solid\" r=\"7\"/>"),
        "{}",
        drawing.svg
    );
}

#[test]
fn what_cannot_be_drawn_names_the_line_and_the_cure() {
    let rows = [
        (
            "graph TB\n  A[One\n  B --> C\n",
            2,
            "Unterminated node label (missing `]`)",
        ),
        ("nonsense\n", 1, "No diagram type detected"),
        ("pie\n  \"a\": 1\n", 1, ""),
        (
            "graph TB\n  A --> B\n  style A fill:notacolour\n",
            0,
            "the colour `notacolour` is not understood",
        ),
        ("", 0, ""),
    ];
    for (source, line, message) in rows {
        let error = draw(source, "page-1", "Title").expect_err(source);
        assert!(error.message.contains(message), "{source}: {error}");
        assert!(
            !error.cure.is_empty() && !error.message.is_empty(),
            "{source}: {error}"
        );
        if !message.is_empty() {
            assert_eq!(error.line, line, "{source}: {error}");
        }
    }
}

#[test]
fn any_cut_of_a_diagram_is_drawn_or_refused() {
    let source = "graph TB\n  subgraph \"G\"\n  A[\"x<br/>y\"] -->|l| B{{z}}\n  end\n  style A fill:#f90,color:#fff\n";
    for i in 0..source.len() {
        let _ = draw(&source[..i], "page-1", "Title");
    }
}

fn course(page: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("diagrams")).expect("created");
    write_page(folder.path(), page);
    folder
}

fn write_page(root: &Path, page: &str) {
    fs::write(root.join("diagrams/map.md"), page).expect("written");
}

const PAGE: &str = "# Map\n\n## The map\n\n```mermaid\ngraph LR\n    A --> B\n```\n";

#[test]
fn drawings_are_written_once_and_checked() {
    let folder = course(PAGE);
    let root = folder.path();
    let missing = files::check(root, &[]).expect("checked");
    assert_eq!(
        missing.diagnostics[1].to_string(),
        "diagrams/map.md:5: error: diagrams/rendered/map-1.svg is missing\n  cure: run `cargo run -p workshop-diagrams` and commit the result"
    );
    let written = files::write(root, &[]).expect("written");
    assert_eq!(
        written.changed,
        [
            "diagrams/rendered/map-1.json",
            "diagrams/rendered/map-1.svg"
        ]
    );
    assert!(files::write(root, &[]).expect("written").changed.is_empty());
    assert!(
        files::check(root, &[])
            .expect("checked")
            .diagnostics
            .is_empty()
    );

    // What is written is what a page shows, without a finding.
    let course = Course::load(&Tree::read(root).expect("read"));
    assert_eq!(course.diagnostics, []);
    assert!(course.diagrams[0].diagrams[0].fresh);
    assert!(
        course.diagrams[0]
            .body
            .html
            .contains("<title id=\"map-1-title\">The map</title>")
    );

    write_page(root, &PAGE.replace("A --> B", "A --> C"));
    let stale = files::check(root, &[]).expect("checked");
    assert!(
        stale.diagnostics[0]
            .message
            .ends_with("is not what the diagram gives today")
    );
    write_page(root, "# Map\n");
    let gone = files::check(root, &[]).expect("checked");
    assert_eq!(gone.orphans.len(), 2);
    files::write(root, &[]).expect("written");
    assert!(!root.join("diagrams/rendered/map-1.svg").exists());
}

#[test]
fn a_bad_diagram_is_found_in_its_page_and_others_are_drawn() {
    let folder = course(&format!("{PAGE}\n```mermaid\ngraph TB\n    A[\n```\n"));
    let outcome = files::write(folder.path(), &["diagrams/map.md".to_owned()]).expect("written");
    assert_eq!(outcome.changed.len(), 2);
    assert_eq!(outcome.diagnostics.len(), 1);
    assert_eq!(
        (
            outcome.diagnostics[0].file.as_str(),
            outcome.diagnostics[0].line
        ),
        ("diagrams/map.md", 12)
    );
    let error =
        files::write(folder.path(), &["diagrams/nowhere.md".to_owned()]).expect_err("no page");
    assert!(
        error
            .to_string()
            .starts_with("there is no page diagrams/nowhere.md below ")
    );
}

#[test]
fn the_diagrams_of_find_the_bug_pages_are_diagrams() {
    let bugs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/bugs");
    for snippet in ["onboarding-picture/overview.mmd", "one-request/request.mmd"] {
        let source = fs::read_to_string(bugs.join(snippet)).expect(snippet);
        let drawing = draw(&source, "bug", snippet).expect(snippet);
        assert!(drawing.svg.contains("Claude"), "{snippet}");
    }
}

/// `workshop new diagram` lays out a page with a drawing, without a renderer at hand.
#[test]
fn the_template_of_a_new_diagram_comes_with_its_drawing() {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workshop/templates");
    let read = |name: &str| {
        let text = fs::read_to_string(templates.join(name)).expect(name);
        let text = text.replace("{{title}}", "A title");
        text.replace("{{name}}", "a-name")
    };
    let page = read("diagram.md");
    let (_, rest) = page.split_once("```mermaid\n").expect("it has a fence");
    let (source, _) = rest.split_once("```").expect("the fence ends");
    let drawing = draw(source, "a-name-1", "A title").expect("it can be drawn");
    assert_eq!(read("diagram.svg"), drawing.svg);
    let sidecar = read("diagram.json").replace("{{sha256}}", &drawing.sidecar.source_sha256);
    let sidecar: Sidecar = serde_json::from_str(&sidecar).expect("it is a sidecar");
    assert_eq!(sidecar, drawing.sidecar);
}
