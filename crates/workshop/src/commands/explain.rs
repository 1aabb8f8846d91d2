//! `workshop explain`: what an exercise was about, after success.

use anyhow::Context as _;
use workshop_course::Course;
use workshop_runner::Progress;

use crate::{cli, exit, source::Source, style};

pub(crate) fn run(args: &cli::AfterSuccess, source: &Source) -> anyhow::Result<u8> {
    let tree = source.tree()?;
    let course = Course::load(&tree);
    let exercise = super::exercise(&course, &args.id)?;
    let id = &exercise.id;
    let solved = source.workspace.as_ref();
    let solved = solved.is_some_and(|w| Progress::load(w).solution_allowed(id));
    if !solved && !args.peek {
        eprintln!(
            "Exercise {id} is not solved yet, and its explanation tells how. \
             A hint:  workshop hint {id}   Read anyway:  workshop explain {id} --peek"
        );
        return Ok(exit::NOT_SOLVED);
    }
    let path = format!("{}/after.md", exercise.dir);
    let text = tree.files.get(&path);
    let text = text.with_context(|| format!("{path} is missing; the course is incomplete"))?;
    println!(
        "{}\n",
        style::bold(&format!("{id} {}: what it was about", exercise.title))
    );
    println!("{}\n", String::from_utf8_lossy(text).trim());
    println!(
        "{}",
        style::dim(&format!("Yours beside the reference:  workshop diff {id}"))
    );
    Ok(exit::OK)
}
