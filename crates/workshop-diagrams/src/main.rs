//! `workshop-diagrams`: draws the course's Mermaid diagrams, or checks that they are drawn.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use workshop_diagrams::files::{self, Outcome};

/// Draws every Mermaid fence of `diagrams/*.md` and `content/posts/*.md` as SVG.
///
/// The SVG and its description are written beside the page, in `rendered/`, and are committed.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The course's folder.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Write nothing; fail if a file would change.
    #[arg(long)]
    check: bool,
    /// Only these pages (default: all of them).
    files: Vec<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let only = arguments
        .files
        .iter()
        .map(|file| page_path(&arguments.root, file))
        .collect::<Result<Vec<_>>>()?;
    let outcome = if arguments.check {
        files::check(&arguments.root, &only)?
    } else {
        files::write(&arguments.root, &only)?
    };
    report(&outcome, arguments.check);
    if outcome.diagnostics.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

fn report(outcome: &Outcome, check: bool) {
    for diagnostic in &outcome.diagnostics {
        eprintln!("{diagnostic}");
    }
    if !check {
        for path in &outcome.changed {
            println!("wrote {path}");
        }
        for path in &outcome.orphans {
            println!("removed {path}");
        }
    }
    let state = if outcome.diagnostics.is_empty() {
        "all fresh"
    } else {
        "see above"
    };
    println!("{} diagrams, {state}", outcome.diagrams);
}

/// The page's path as the course knows it: relative to the root, with `/`.
fn page_path(root: &Path, file: &Path) -> Result<String> {
    let relative = match (root.canonicalize(), file.canonicalize()) {
        (Ok(root), Ok(file)) => file
            .strip_prefix(&root)
            .with_context(|| format!("{} is not below {}", file.display(), root.display()))?
            .to_path_buf(),
        // Perhaps it is relative to the root already; reading it will tell.
        _ => file.to_path_buf(),
    };
    let parts: Vec<_> = relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    Ok(parts.join("/"))
}
