//! `workshop new exercise`: small, but whole, so that `workshop verify` can judge it at once.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use workshop_course::Course;

use super::{LaidOut, fill, quoted, title, write};
use crate::{cli, source::Source};

/// The files, and what each begins as.
const FILES: [(&str, &str); 9] = [
    (
        "Cargo.toml",
        include_str!("../../../templates/exercise/Cargo.toml.txt"),
    ),
    (
        "README.md",
        include_str!("../../../templates/exercise/README.md"),
    ),
    (
        "hints.md",
        include_str!("../../../templates/exercise/hints.md"),
    ),
    (
        "after.md",
        include_str!("../../../templates/exercise/after.md"),
    ),
    ("starter/lib.rs", STARTER),
    ("src/lib.rs", STARTER),
    (
        "solution/lib.rs",
        include_str!("../../../templates/exercise/solution/lib.rs"),
    ),
    (
        "tests/check.rs",
        include_str!("../../../templates/exercise/tests/check.rs"),
    ),
    (
        "wrong/first_block_only.rs",
        include_str!("../../../templates/exercise/wrong/first_block_only.rs"),
    ),
];
const STARTER: &str = include_str!("../../../templates/exercise/starter/lib.rs");
const MANIFEST: &str = include_str!("../../../templates/exercise/exercise.toml");
const RECALL: &str = include_str!("../../../templates/exercise/recall.toml");
const MESSAGES: &str = include_str!("../../../templates/exercise/messages.txt");

/// The diagram that the template lights, and the nodes that one request reaches.
const DIAGRAM: (&str, [&str; 3]) = ("bedrock-architecture", ["CC", "BR", "HAIKU"]);

pub(super) fn lay_out(args: &cli::NewExercise, source: &Source) -> anyhow::Result<LaidOut> {
    let cli::ExerciseName { id, slug } = &args.name;
    let root = source.workspace()?.root();
    if let Some(taken) = folder_with_id(&root.join("exercises"), id)? {
        bail!(
            "the number {id} is taken by exercises/{taken}; nothing was written. Choose another number"
        );
    }
    let place = format!("exercises/{id}-{slug}");
    let files = files(&source.course()?, id, &title(slug));
    let files: Vec<_> = files
        .into_iter()
        .map(|(name, text)| (format!("{place}/{name}"), text))
        .collect();
    write(root, &files)?;
    Ok(LaidOut {
        what: "a small one that works",
        shown: format!(
            "`workshop serve --preview` shows it at {place} and follows every save.",
            place = format_args!("/exercises/{id}-{slug}")
        ),
        next: vec![
            "describe it in exercise.toml: goal, track, level, requires, the diagram it lights, two recall \
             questions"
                .to_owned(),
            "write the task in README.md, three hints in hints.md, what to read afterwards in after.md"
                .to_owned(),
            "write tests/check.rs, starter/lib.rs (copy it to src/lib.rs) and solution/lib.rs".to_owned(),
            "add wrong answers to wrong/, each beginning with `//! dies in: <test name>`".to_owned(),
            format!("prove it, and keep what its failures say: workshop verify {id} --bless"),
        ],
        place,
    })
}

fn files(course: &Course, id: &str, title: &str) -> Vec<(&'static str, String)> {
    let first = course.exercises.first().map(|e| e.id.as_str());
    let track = course.tracks.first().map_or("a", |t| t.id.as_str());
    let recall = first.map(|first| fill(RECALL, &[("first", first)]));
    let values = [
        ("id", id),
        ("title", title),
        ("track", track),
        ("requires", &quoted(first)),
        ("diagram", &diagram(course)),
        ("recall", recall.as_deref().unwrap_or_default()),
    ];
    let mut files: Vec<_> = FILES
        .iter()
        .map(|(name, template)| (*name, fill(template, &values)))
        .collect();
    let manifest = fill(MANIFEST, &values);
    files.push(("exercise.toml", format!("{}\n", manifest.trim_end())));
    files.push(("messages.txt", fill(MESSAGES, &values)));
    files
}

/// The two lines of `exercise.toml`, if the course has the diagram and its nodes.
fn diagram(course: &Course) -> String {
    let (slug, nodes) = DIAGRAM;
    let page = course.diagram(slug);
    let drawn = page.and_then(|page| page.diagrams.first());
    let known = drawn.is_some_and(|d| nodes.iter().all(|node| d.nodes.contains_key(*node)));
    if !known {
        return String::new();
    }
    let nodes = nodes.map(|node| format!("\"{node}\"")).join(", ");
    format!("diagram = \"{slug}\"\nnodes = [{nodes}]\n")
}

fn folder_with_id(exercises: &Path, id: &str) -> anyhow::Result<Option<String>> {
    let entries =
        fs::read_dir(exercises).with_context(|| format!("cannot read {}", exercises.display()))?;
    let prefix = format!("{id}-");
    Ok(entries
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .find(|name| name.starts_with(&prefix)))
}
