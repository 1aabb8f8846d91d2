//! Markdown to HTML for a page with a strict CSP: no inline styles, no scripts, no foreign images.
//!
//! One pass over the events of `pulldown-cmark`:
//!
//! 1. the first heading may be the title and is then left out of the body;
//! 2. headings get anchors, fences become figures (code regions, drawings), quotes with `[!NOTE]`
//!    become notes, raw HTML is shown as text except for a few elements;
//! 3. links are rewritten to addresses of the site and handed back, to be checked once all pages
//!    are known.
//!
//! Every element that is opened is on a stack, so that whatever raw HTML says, the output nests.

mod writer;

use std::{collections::BTreeSet, ops::Range};

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use self::writer::Writer;
use crate::{
    Diagnostic, Diagram, Recall, Rendered, Tree, document::Part, drawing::Fence, links::Target,
};

/// What a text is rendered for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) tree: &'a Tree,
    /// The file, relative to the course's root.
    pub(crate) file: &'a str,
    /// Page slug, which names the drawings.
    pub(crate) slug: &'a str,
    /// What to do with a first heading.
    pub(crate) title: TitleRule<'a>,
    /// Set where several texts share a page: what sets this one's footnotes apart.
    pub(crate) part: Option<&'a str>,
}

/// Whether the first heading is the page's title (which the page shows by itself).
#[derive(Debug, Clone, Copy)]
pub(crate) enum TitleRule<'a> {
    /// There is no other title: take the first heading.
    Take,
    /// Leave out a first heading of level 1 that says the same.
    Drop(&'a str),
    /// Leave out a first heading of level 1, whatever it says.
    DropAny,
}

/// A text as HTML, and what has to be checked about it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) rendered: Rendered,
    /// The heading taken by [`TitleRule::Take`].
    pub(crate) title: Option<String>,
    /// Plain text of the first paragraph.
    pub(crate) first_paragraph: String,
    pub(crate) diagrams: Vec<Diagram>,
    /// The questions asked, in order.
    pub(crate) recall: Vec<Recall>,
    /// Anchors on the page.
    pub(crate) anchors: BTreeSet<String>,
    /// Links into the course, with the line of each.
    pub(crate) links: Vec<(usize, Target)>,
    /// Pictures of the course that the page shows.
    pub(crate) media: BTreeSet<String>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Where the site serves a picture of the course.
pub(crate) const MEDIA: &str = "/media/";

/// Words a minute, for the reading time.
const WORDS_A_MINUTE: usize = 200;

/// Seconds for every started ten lines of code.
const SECONDS_FOR_TEN_LINES: usize = 12;

/// Renders `part` of a file.
pub(crate) fn render(part: &Part, setting: Setting<'_>) -> Output {
    let events: Vec<_> = Parser::new_ext(&part.text, options())
        .into_offset_iter()
        .collect();
    let title = title_range(&events, setting.title);
    let mut writer = Writer::new(part, setting);
    if let (Some(range), TitleRule::Take) = (&title, setting.title) {
        writer.output.title = Some(plain_text(&events[range.clone()]));
    }
    let skipped = title.unwrap_or(0..0);
    writer.level_shift = u8::from(events.iter().enumerate().any(|(i, (event, _))| {
        !skipped.contains(&i)
            && matches!(
                event,
                Event::Start(Tag::Heading {
                    level: HeadingLevel::H1,
                    ..
                })
            )
    }));
    for (i, (event, range)) in events.into_iter().enumerate() {
        if !skipped.contains(&i) {
            writer.event(event, &range);
        }
    }
    writer.finish()
}

/// The Mermaid fences of a page, in order.
pub(crate) fn mermaid_fences(part: &Part, file: &str, slug: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut title = slug.to_owned();
    let mut heading: Option<String> = None;
    for (event, range) in Parser::new_ext(&part.text, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(text) = heading.take().filter(|text| !text.is_empty()) {
                    title = text;
                }
            }
            Event::Text(text) | Event::Code(text) if heading.is_some() => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if is_mermaid(&info) => {
                open = Some((part.line_at(range.start), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, source)) = &mut open {
                    source.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((line, source)) = open.take() {
                    let mut fence = fence(file, slug, fences.len() + 1, line, source);
                    fence.title.clone_from(&title);
                    fences.push(fence);
                }
            }
            _ => {}
        }
    }
    fences
}

fn fence(file: &str, slug: &str, n: usize, line: usize, source: String) -> Fence {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let id = format!("{slug}-{n}");
    Fence {
        stem: format!("{folder}/rendered/{id}"),
        id,
        source,
        line,
        title: slug.to_owned(),
    }
}

fn is_mermaid(info: &str) -> bool {
    info.split([' ', ',', '{']).next() == Some("mermaid")
}

pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
}

/// The events of the heading to leave out.
fn title_range(events: &[(Event<'_>, Range<usize>)], rule: TitleRule<'_>) -> Option<Range<usize>> {
    let is_heading = |e: &Event<'_>| matches!(e, Event::Start(Tag::Heading { .. }));
    let is_h1 = |e: &Event<'_>| {
        matches!(
            e,
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1,
                ..
            })
        )
    };
    let start = match rule {
        TitleRule::Take => events.iter().position(|(e, _)| is_heading(e))?,
        // Only what opens the text: a later heading of level 1 is a part of it.
        TitleRule::Drop(_) | TitleRule::DropAny => {
            events.first().filter(|(e, _)| is_h1(e)).map(|_| 0)?
        }
    };
    let len = events[start..]
        .iter()
        .position(|(e, _)| matches!(e, Event::End(TagEnd::Heading(_))))?;
    let range = start..start + len + 1;
    match rule {
        TitleRule::Drop(title) => {
            let same = plain_text(&events[range.clone()]).to_lowercase() == title.to_lowercase();
            same.then_some(range)
        }
        TitleRule::Take | TitleRule::DropAny => Some(range),
    }
}

fn plain_text(events: &[(Event<'_>, Range<usize>)]) -> String {
    let mut text = String::new();
    for (event, _) in events {
        match event {
            Event::Text(t) | Event::Code(t) => text.push_str(t),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests;
