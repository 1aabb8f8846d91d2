//! `workshop new`: a post, a diagram or an exercise that loads without a finding, to be filled in.
//!
//! The templates lie in `templates/`. Nothing is ever written over a file.

mod diagram;
mod exercise;
mod post;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use time::{Date, OffsetDateTime};
use workshop_course::Course;

use crate::{cli, exit, source::Source};

pub(crate) fn run(args: &cli::New, source: &Source) -> anyhow::Result<u8> {
    let laid_out = match &args.what {
        cli::NewWhat::Post(args) => post::lay_out(args, source)?,
        cli::NewWhat::Diagram(args) => diagram::lay_out(args, source)?,
        cli::NewWhat::Exercise(args) => exercise::lay_out(args, source)?,
    };
    let LaidOut {
        what,
        place,
        shown,
        next,
    } = laid_out;
    println!("{place} is laid out: {what}. {shown}");
    println!("Next:");
    for (number, step) in (1..).zip(next) {
        println!("  {number}. {step}");
    }
    Ok(exit::OK)
}

/// What there is now, and what to do with it.
struct LaidOut {
    what: &'static str,
    place: String,
    /// Where it is to be seen.
    shown: String,
    next: Vec<String>,
}

/// The folder whose course grows.
fn folder(source: &Source) -> anyhow::Result<&Path> {
    source.folder.as_deref().context(
        "no course here to add to: run this inside a checkout of the workshop, or name a folder with \
         --course DIR",
    )
}

/// An error if the course has a page of that name, perhaps under another ending (`.mdx`).
fn free(file: &str, taken: Option<&str>) -> anyhow::Result<()> {
    match taken {
        None => Ok(()),
        Some(taken) => {
            bail!(
                "the name is taken by {taken}; nothing was written to {file}. Choose another name"
            )
        }
    }
}

/// Writes the files, or none of them if one is there already.
fn write(root: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    let files: Vec<(PathBuf, &str)> = files
        .iter()
        .map(|(name, text)| (root.join(name), text.as_str()))
        .collect();
    if let Some((taken, _)) = files.iter().find(|(file, _)| file.exists()) {
        bail!(
            "{} is there already; nothing was written. Choose another name",
            taken.display()
        );
    }
    for (file, text) in files {
        let parent = file.parent().context("every file lies in a folder")?;
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display()))?;
        // `create_new`: also when somebody else was quicker.
        fs::File::create_new(&file)
            .and_then(|mut created| created.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The template with its `{{names}}` filled in.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
}

/// `my-first-post` as a title: `My first post`.
fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Today and this day in a year, as front matter writes them.
fn days() -> (String, String) {
    let today = OffsetDateTime::now_utc().date();
    let next = today.replace_year(today.year() + 1);
    // The 29th of February has no day of its own in the next year.
    let next = next.or_else(|_| {
        today
            .saturating_sub(time::Duration::DAY)
            .replace_year(today.year() + 1)
    });
    (iso(today), iso(next.unwrap_or(today)))
}

fn iso(day: Date) -> String {
    let (year, month, day) = day.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// `"001"`: the exercise to lead to, as an item of a list; empty for a course without exercises.
fn first_exercise(course: &Course, wanted: Option<&str>) -> anyhow::Result<Option<String>> {
    match wanted {
        Some(name) => Ok(Some(super::exercise(course, name)?.id.clone())),
        None => Ok(course.exercises.first().map(|e| e.id.clone())),
    }
}

fn quoted(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!("\"{id}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_title() {
        assert_eq!(title("why-retries-hurt"), "Why retries hurt");
        assert_eq!(title("x"), "X");
    }

    #[test]
    fn what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let files = |names: &[&str]| -> Vec<(String, String)> {
            let both = names.iter().map(|n| ((*n).to_owned(), format!("new {n}")));
            both.collect()
        };
        write(dir.path(), &files(&["a/b.md"])).unwrap();
        fs::write(dir.path().join("a/b.md"), "mine").unwrap();
        let refused = write(dir.path(), &files(&["a/c.md", "a/b.md"])).unwrap_err();
        assert!(refused.to_string().contains("nothing was written"));
        assert!(!dir.path().join("a/c.md").exists());
        let kept = fs::read_to_string(dir.path().join("a/b.md")).unwrap();
        assert_eq!(kept, "mine");
    }
}
