//! `workshop new diagram`: a page with a diagram that is drawn already, so that its nodes are known.
//!
//! Drawing needs a renderer that students never build. The template comes with its drawing, in which
//! only id and title change; a test of `workshop-diagrams` draws the template anew and compares.

use anyhow::Context as _;
use workshop_course::{Tree, fences, source_sha256};

use super::{LaidOut, days, fill, first_exercise, folder, free, quoted, title, write};
use crate::{cli, source::Source};

const PAGE: &str = include_str!("../../../templates/diagram.md");
const SVG: &str = include_str!("../../../templates/diagram.svg");
const SIDECAR: &str = include_str!("../../../templates/diagram.json");

pub(super) fn lay_out(args: &cli::NewDiagram, source: &Source) -> anyhow::Result<LaidOut> {
    let root = folder(source)?;
    let course = source.course()?;
    let leads_to = first_exercise(&course, args.exercise.as_deref())?;
    let file = format!("diagrams/{}.md", args.id);
    free(&file, course.diagram(&args.id).map(|d| d.file.as_str()))?;
    let exercises = quoted(leads_to.as_deref());
    write(root, &files(&args.id, &file, &exercises)?)?;
    let id = &args.id;
    Ok(LaidOut {
        what: "a draft with its drawing",
        shown: format!("`workshop serve --preview` shows it at /diagrams/{id}, and draws it anew when you save."),
        next: vec![
            "draw in the Mermaid fence; `accTitle` and `accDescr` are for those who do not see it".to_owned(),
            "say below it what each node and edge stands for, and what lights it".to_owned(),
            format!("name it where it belongs: `diagram = \"{id}\"` and `nodes` in an exercise.toml, `diagrams` in a post"),
            "draw it without the site: cargo run -p workshop-diagrams; commit the page and rendered/".to_owned(),
            "write `published: true`".to_owned(),
        ],
        place: file,
    })
}

fn files(id: &str, file: &str, exercises: &str) -> anyhow::Result<Vec<(String, String)>> {
    let (today, _) = days();
    let (name, title) = (("name", id), title(id));
    let title = ("title", title.as_str());
    let page = fill(
        PAGE,
        &[name, title, ("today", &today), ("exercises", exercises)],
    );
    // As the renderer finds it, so that the drawing counts as drawn from it.
    let alone = Tree {
        files: [(file.to_owned(), page.clone().into_bytes())].into(),
        ..Tree::default()
    };
    let (_, fence) = fences(&alone).pop().context("the template has a diagram")?;
    let sha256 = source_sha256(&fence.source);
    let sidecar = fill(SIDECAR, &[name, title, ("sha256", &sha256)]);
    Ok(vec![
        (file.to_owned(), page),
        (format!("{}.svg", fence.stem), fill(SVG, &[name, title])),
        (format!("{}.json", fence.stem), sidecar),
    ])
}
