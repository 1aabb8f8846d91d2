//! `workshop checkpoint`: a copy of the checkout to start in the middle of the course.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use time::OffsetDateTime;

use crate::{cli, exit, source::Source};

pub(crate) fn run(args: &cli::Checkpoint, source: &Source) -> anyhow::Result<u8> {
    let workspace = source.workspace()?;
    let course = source.course()?;
    let exercise = super::exercise(&course, &args.id)?;
    let id = &exercise.id;
    let to = match &args.to {
        Some(to) => to.clone(),
        None => beside(workspace.root(), id)?,
    };
    let now = OffsetDateTime::now_utc();
    let done = workshop_runner::checkpoint(workspace, id, &to, now)?;
    println!("{} is a copy of this checkout.", done.folder.display());
    match done.solved.as_slice() {
        [] => {}
        [only] => println!("Exercise {only} has the reference solution there."),
        [first, .., last] => {
            println!("Exercises {first} to {last} have the reference solutions there.");
        }
    }
    println!(
        "{id} {} is at its start. Your own files are untouched.\n\nGo on there:\n  cd {}\n  cargo run -- start {id}",
        exercise.title,
        done.folder.display()
    );
    Ok(exit::OK)
}

/// `../workshop-at-010`, beside the checkout.
fn beside(root: &Path, id: &str) -> anyhow::Result<PathBuf> {
    let root = root.canonicalize();
    let root = root.context("cannot tell where this checkout is")?;
    let (parent, name) = (root.parent(), root.file_name());
    let (parent, name) = parent
        .zip(name)
        .context("this checkout has no folder around it; name one with --to")?;
    Ok(parent.join(format!("{}-at-{id}", name.to_string_lossy())))
}
