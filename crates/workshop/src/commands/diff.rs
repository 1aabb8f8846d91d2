//! `workshop diff`: the student's file beside the reference, after success.

use std::fs;

use anyhow::Context as _;
use similar::{ChangeTag, TextDiff};
use time::OffsetDateTime;
use workshop_course::Course;
use workshop_runner::Progress;

use crate::{cli, exit, source::Source, style};

/// Unchanged lines around each difference.
const CONTEXT: usize = 3;

pub(crate) fn run(args: &cli::AfterSuccess, source: &Source) -> anyhow::Result<u8> {
    let workspace = source.workspace()?;
    let tree = source.tree()?;
    let course = Course::load(&tree);
    let exercise = super::exercise(&course, &args.id)?;
    let id = &exercise.id;
    if !Progress::load(workspace).solution_allowed(id) && !args.peek {
        eprintln!(
            "Exercise {id} is not solved yet. A hint:  workshop hint {id}   \
             Look anyway:  workshop diff {id} --peek"
        );
        return Ok(exit::NOT_SOLVED);
    }
    let theirs = format!("{}/{}", exercise.dir, exercise.file);
    let ours = format!("{}/solution/lib.rs", exercise.dir);
    let path = workspace.root().join(&theirs);
    let own = fs::read_to_string(&path).with_context(|| format!("cannot read {theirs}"))?;
    let reference = tree.files.get(&ours);
    let reference =
        reference.with_context(|| format!("{ours} is missing; the course is incomplete"))?;
    let reference = String::from_utf8_lossy(reference);
    let now = OffsetDateTime::now_utc();
    Progress::update(workspace, |p| p.solution_shown(id, now))?;
    if own == reference {
        println!("{theirs} is the reference, letter by letter.");
        return Ok(exit::OK);
    }
    print!("{}", render(&theirs, &own, &ours, &reference));
    Ok(exit::OK)
}

/// A unified diff, in colour where a person looks at it.
fn render(theirs: &str, own: &str, ours: &str, reference: &str) -> String {
    let diff = TextDiff::from_lines(own, reference);
    let mut text = style::red(&format!("--- {theirs}  (yours)")) + "\n";
    text += &(style::green(&format!("+++ {ours}  (the reference)")) + "\n");
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        text += &(style::dim(&hunk.header().to_string()) + "\n");
        for change in hunk.iter_changes() {
            let line = change.to_string_lossy();
            let line = line.trim_end_matches(['\n', '\r']);
            let marked = match change.tag() {
                ChangeTag::Delete => style::red(&format!("-{line}")),
                ChangeTag::Insert => style::green(&format!("+{line}")),
                ChangeTag::Equal => [" ", line].concat(),
            };
            text.push_str(&marked);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn what_differs_stands_between_lines_that_do_not() {
        let own = "one\ntwo\nthree\nfour\nfive\nsix\n";
        let reference = "one\ntwo\nthree\nvier\nfive\nsix\nseven\n";
        let text = render("src/lib.rs", own, "solution/lib.rs", reference);
        let wanted = "--- src/lib.rs  (yours)\n+++ solution/lib.rs  (the reference)\n\
                      @@ -1,6 +1,7 @@\n one\n two\n three\n-four\n+vier\n five\n six\n+seven\n";
        assert_eq!(text, wanted);
    }
}
