//! `workshop solution`: the reference, after success.

use anyhow::Context as _;
use time::OffsetDateTime;
use workshop_course::Course;
use workshop_runner::Progress;

use crate::{cli, exit, source::Source, style};

pub(crate) fn run(args: &cli::AfterSuccess, source: &Source) -> anyhow::Result<u8> {
    let tree = source.tree()?;
    let course = Course::load(&tree);
    let exercise = super::exercise(&course, &args.id)?;
    let id = &exercise.id;
    let allowed = source
        .workspace
        .as_ref()
        .is_some_and(|w| Progress::load(w).solution_allowed(id));
    if !allowed && !args.peek {
        eprintln!(
            "Exercise {id} is not solved yet. A hint:  workshop hint {id}   \
             Look anyway:  workshop solution {id} --peek"
        );
        return Ok(exit::NOT_SOLVED);
    }
    let path = format!("{}/solution/lib.rs", exercise.dir);
    let text = tree
        .files
        .get(&path)
        .with_context(|| format!("{path} is missing; the course is incomplete"))?;
    if let Some(workspace) = &source.workspace {
        let now = OffsetDateTime::now_utc();
        Progress::update(workspace, |p| p.solution_shown(id, now))?;
    }
    println!("{}\n", style::dim(&format!("// {path}")));
    print!("{}", String::from_utf8_lossy(text));
    Ok(exit::OK)
}
