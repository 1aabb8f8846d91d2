//! All diagrams of a course: write what is new, or check that nothing is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use workshop_course::{Diagnostic, Fence, Tree, fences};

use crate::draw::draw;

/// What was found or done.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files that were written, or (in a check) differ from what would be written.
    pub changed: Vec<String>,
    /// Files left from diagrams that are gone; removed, or (in a check) to be removed.
    pub orphans: Vec<String>,
    /// Diagrams in all.
    pub diagrams: usize,
    /// Diagrams that cannot be drawn, and in a check files that are not fresh.
    pub diagnostics: Vec<Diagnostic>,
}

/// The command that mends what a check finds.
const COMMAND: &str = "cargo run -p workshop-diagrams";

/// Draws the diagrams of every page below `root`, or only of the pages in `only` (paths relative
/// to `root`), and writes each SVG and its description beside the page.
pub fn write(root: &Path, only: &[String]) -> io::Result<Outcome> {
    let (mut outcome, wanted) = drawn(root, only)?;
    for (path, (content, _, _)) in &wanted {
        let target = root.join(path);
        if fs::read(&target).is_ok_and(|old| old == content.as_bytes()) {
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        // A page that is read meanwhile must not see half a drawing.
        let partial = root.join(format!("{path}.partial"));
        fs::write(&partial, content)?;
        fs::rename(&partial, &target)?;
        outcome.changed.push(path.clone());
    }
    for path in &outcome.orphans {
        fs::remove_file(root.join(path))?;
    }
    Ok(outcome)
}

/// Like [`write`], but writes nothing: every file that would change is a diagnostic.
pub fn check(root: &Path, only: &[String]) -> io::Result<Outcome> {
    let (mut outcome, wanted) = drawn(root, only)?;
    for (path, (content, page, line)) in &wanted {
        let old = fs::read(root.join(path));
        if old.as_ref().is_ok_and(|old| old == content.as_bytes()) {
            continue;
        }
        let what = if old.is_ok() {
            "is not what the diagram gives today"
        } else {
            "is missing"
        };
        outcome.changed.push(path.clone());
        outcome.diagnostics.push(Diagnostic::error(
            page,
            *line,
            format!("{path} {what}"),
            format!("run `{COMMAND}` and commit the result"),
        ));
    }
    for path in &outcome.orphans {
        outcome.diagnostics.push(Diagnostic::error(
            path,
            0,
            "no diagram belongs to this file",
            format!("run `{COMMAND}`, which removes it, and commit the result"),
        ));
    }
    Ok(outcome)
}

/// Path → content, page and line of the fence.
type Files = BTreeMap<String, (String, String, usize)>;

fn drawn(root: &Path, only: &[String]) -> io::Result<(Outcome, Files)> {
    let tree = Tree::read(root)?;
    let all = fences(&tree);
    let mut outcome = Outcome::default();
    for page in only {
        if !tree.files.contains_key(page) {
            let message = format!("there is no page {page} below {}", root.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
    }
    let mut files = Files::new();
    for (page, fence) in &all {
        if !only.is_empty() && !only.contains(page) {
            continue;
        }
        outcome.diagrams += 1;
        match draw(&fence.source, &fence.id, &fence.title) {
            Ok(drawing) => {
                let mut json = serde_json::to_string_pretty(&drawing.sidecar)?;
                json.push('\n');
                let place = |content| (content, page.clone(), fence.line);
                files.insert(format!("{}.svg", fence.stem), place(drawing.svg));
                files.insert(format!("{}.json", fence.stem), place(json));
            }
            Err(error) => outcome.diagnostics.push(Diagnostic::error(
                page,
                fence.line + error.line,
                error.message,
                error.cure,
            )),
        }
    }
    if only.is_empty() {
        outcome.orphans = orphans(&tree, &all);
    }
    Ok((outcome, files))
}

/// Drawings whose fence is gone.
fn orphans(tree: &Tree, all: &[(String, Fence)]) -> Vec<String> {
    let stems: BTreeSet<&str> = all.iter().map(|(_, fence)| fence.stem.as_str()).collect();
    tree.files
        .keys()
        .filter(|path| {
            ["diagrams/rendered/", "content/posts/rendered/"]
                .iter()
                .any(|folder| path.starts_with(folder))
        })
        .filter(|path| {
            let stem = path
                .strip_suffix(".svg")
                .or_else(|| path.strip_suffix(".json"));
            stem.is_some_and(|stem| !stems.contains(stem))
        })
        .cloned()
        .collect()
}
