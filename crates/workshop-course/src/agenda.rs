//! Agendas from `content/agendas/`: timetables for whoever stands in front of a class.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::{
    Agenda, AgendaBlock, Diagnostic, Slug, Tree,
    document::{line_of, normalized},
    links::{self, Target},
};

const FOLDER: &str = "content/agendas/";

const DAY_MINUTES: u32 = 24 * 60;

/// `content/agendas/{slug}.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgendaField {
    title: String,
    order: i64,
    summary: String,
    people: String,
    minutes: Spanned<u32>,
    start: Option<Spanned<String>>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    block: Vec<BlockField>,
}

/// A `[[block]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockField {
    minutes: Spanned<u32>,
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    screen: String,
    #[serde(default)]
    rest: bool,
    #[serde(default)]
    exercises: Vec<Spanned<String>>,
    #[serde(default)]
    links: Vec<Spanned<LinkField>>,
}

/// `{ text = "the herd", to = "/posts/…#…" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkField {
    text: String,
    to: String,
}

/// An agenda, and its links with the line of each.
pub(crate) type Loaded = (Agenda, Vec<(usize, Target)>);

/// Reads every agenda; what cannot be used is a diagnostic.
pub(crate) fn load(tree: &Tree, diagnostics: &mut Vec<Diagnostic>) -> Vec<Loaded> {
    let mut loaded = Vec::new();
    let files = tree.files.range(FOLDER.to_owned()..);
    for (path, _) in files.take_while(|(path, _)| path.starts_with(FOLDER)) {
        let name = path[FOLDER.len()..].strip_suffix(".toml");
        let slug = name.filter(|name| !name.is_empty() && links::slug(name) == **name);
        let (Some(slug), Some(text)) = (slug, tree.text(path)) else {
            diagnostics.push(Diagnostic::warning(
                path,
                0,
                "the file is no agenda: its name gives no address",
                "name it with lower-case letters, digits and hyphens, and `.toml`",
            ));
            continue;
        };
        let text = normalized(text);
        match toml::from_str::<AgendaField>(&text) {
            Ok(field) => loaded.push(agenda(field, slug, path, &text, diagnostics)),
            Err(error) => diagnostics.push(Diagnostic::error(
                path,
                error
                    .span()
                    .map_or(0, |span| line_of(text.as_bytes(), span.start)),
                error.message().replace('\n', " "),
                "correct the file; another agenda shows the form",
            )),
        }
    }
    loaded.sort_by_key(|(agenda, _)| (agenda.order, agenda.slug.clone()));
    loaded
}

fn agenda(
    field: AgendaField,
    slug: &str,
    file: &str,
    text: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Loaded {
    let line = |span: Range<usize>| line_of(text.as_bytes(), span.start);
    let mut wrong = |at: usize, message: String, cure: &str| {
        diagnostics.push(Diagnostic::error(file, at, message, cure));
    };
    let mut addresses = Vec::new();
    let mut blocks = Vec::new();
    let mut at = 0_u32;
    for block in field.block {
        for id in &block.exercises {
            let address = format!("/exercises/{}", id.as_ref());
            addresses.push((line(id.span()), links::resolve(&address, file)));
        }
        for link in &block.links {
            let target = links::resolve(&link.as_ref().to, file);
            if matches!(target, Target::Page(..) | Target::Site(_)) {
                addresses.push((line(link.span()), target));
            } else {
                wrong(
                    line(link.span()),
                    format!("`{}` is no address of this site", link.as_ref().to),
                    "write it as `/posts/…`, `/diagrams/…` or `/bugs`",
                );
            }
        }
        let minutes = *block.minutes.as_ref();
        if minutes == 0 {
            let message = format!("\"{}\" takes no time", block.title);
            wrong(line(block.minutes.span()), message, "give it minutes");
        }
        blocks.push(AgendaBlock {
            at,
            minutes,
            title: block.title,
            text: block.text,
            screen: block.screen,
            rest: block.rest,
            exercises: block
                .exercises
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            links: block
                .links
                .into_iter()
                .map(Spanned::into_inner)
                .map(|LinkField { text, to }| (text, to))
                .collect(),
        });
        at = at.saturating_add(minutes);
    }
    if at != *field.minutes.as_ref() {
        wrong(
            line(field.minutes.span()),
            format!(
                "the blocks take {at} minutes, not {}",
                field.minutes.as_ref()
            ),
            "make `minutes` their sum",
        );
    }
    let start = field.start.and_then(|start| {
        let found = time_of_day(start.as_ref()).filter(|begin| begin + at < DAY_MINUTES);
        if found.is_none() {
            wrong(
                line(start.span()),
                format!(
                    "`{}` is no time at which this day can begin",
                    start.as_ref()
                ),
                "write hours and minutes, for example `start = \"09:00\"`",
            );
        }
        found
    });
    let agenda = Agenda {
        slug: Slug(slug.to_owned()),
        title: field.title,
        order: field.order,
        summary: field.summary,
        people: field.people,
        minutes: at,
        start,
        notes: field.notes,
        blocks,
        file: file.to_owned(),
    };
    (agenda, addresses)
}

/// Minutes since midnight of `09:00`.
fn time_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let part = |text: &str, end: u32| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|n: &u32| digits && *n < end)
    };
    Some(part(hours, 24)? * 60 + part(minutes, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        let mut tree = Tree::default();
        let path = "content/agendas/an-hour.toml".to_owned();
        tree.files.insert(path, text.as_bytes().to_vec());
        tree
    }

    const HOUR: &str = "title = \"An hour\"\norder = 1\nsummary = \"\"\npeople = \"\"\nminutes = 60\nstart = \"23:00\"\n\n[[block]]\nminutes = 20\ntitle = \"Talk\"\n\n[[block]]\nminutes = 40\ntitle = \"Do\"\nexercises = [\"001\"]\nlinks = [{ text = \"read\", to = \"/posts/a#b\" }]\n";

    fn said(text: &str) -> Vec<String> {
        let mut diagnostics = Vec::new();
        load(&tree(text), &mut diagnostics);
        let said = diagnostics.iter();
        said.map(|d| format!("{}: {}", d.line, d.message)).collect()
    }

    #[test]
    fn blocks_begin_where_the_one_before_ends() {
        let mut diagnostics = Vec::new();
        let loaded = load(&tree(&HOUR.replace("23:00", "22:30")), &mut diagnostics);
        assert_eq!(diagnostics, []);
        let (agenda, links) = &loaded[0];
        assert_eq!(
            (agenda.slug.as_str(), agenda.start),
            ("an-hour", Some(1350))
        );
        let at: Vec<_> = agenda.blocks.iter().map(|b| (b.at, b.minutes)).collect();
        assert_eq!(at, [(0, 20), (20, 40)]);
        assert_eq!(
            links.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [15, 16]
        );
    }

    #[test]
    fn minutes_add_up_and_days_end() {
        assert_eq!(
            said(HOUR),
            ["6: `23:00` is no time at which this day can begin"]
        );
        let hour = HOUR.replace("start = \"23:00\"\n", "");
        assert_eq!(
            said(&hour.replace("= 40", "= 30")),
            ["5: the blocks take 50 minutes, not 60"]
        );
        assert_eq!(
            said(&hour.replace("= 20", "= 0").replace("= 60", "= 40")),
            ["8: \"Talk\" takes no time"]
        );
        assert_eq!(
            said(&hour.replace("/posts/a#b", "https://example.com")),
            ["15: `https://example.com` is no address of this site"]
        );
        assert_eq!(
            said(&hour.replace("title = \"Talk\"", "name = \"Talk\"")).len(),
            1
        );
    }
}
