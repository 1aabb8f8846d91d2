//! `workshop new post`: a draft with everything that the course asks of a post.

use super::{LaidOut, days, fill, first_exercise, folder, free, quoted, title, write};
use crate::{cli, source::Source};

const TEMPLATE: &str = include_str!("../../../templates/post.md");

pub(super) fn lay_out(args: &cli::NewPost, source: &Source) -> anyhow::Result<LaidOut> {
    let root = folder(source)?;
    let course = source.course()?;
    let leads_to = first_exercise(&course, args.exercise.as_deref())?;
    let exercise = leads_to.as_deref().and_then(|id| course.exercise(id));
    // The exercise's own diagram, if the course has its page.
    let diagram = exercise
        .and_then(|e| e.diagram.as_deref())
        .filter(|slug| course.diagram(slug).is_some());
    let from = leads_to.as_deref().map(|id| format!(" from={id}"));
    let (today, in_a_year) = days();
    let text = fill(
        TEMPLATE,
        &[
            ("title", &title(&args.slug)),
            ("today", &today),
            ("in_a_year", &in_a_year),
            ("exercises", &quoted(leads_to.as_deref())),
            ("diagrams", diagram.unwrap_or_default()),
            ("from", &from.unwrap_or_default()),
        ],
    );
    let file = format!("content/posts/{}.md", args.slug);
    free(&file, course.post(&args.slug).map(|p| p.file.as_str()))?;
    write(root, &[(file.clone(), text)])?;
    Ok(LaidOut {
        what: "a draft",
        shown: format!(
            "`workshop serve --preview` shows it at /posts/{} and follows every save.",
            args.slug
        ),
        next: vec![
            "fill in the front matter: title, excerpt, category, tags, series and order if it has them"
                .to_owned(),
            "name what it leads to: `exercises`, `diagrams`".to_owned(),
            "write the text; code is pulled from tested regions (`file=… region=…`)".to_owned(),
            "end it with three questions, and say in `reviewed` when you compared it with AWS".to_owned(),
            "write `published: true`, and have it checked: cargo test -p workshop-course".to_owned(),
        ],
        place: file,
    })
}
