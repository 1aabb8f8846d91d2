//! Search over everything there is to read.
//!
//! Browsers with scripts get the index and search it themselves, typing errors included; without scripts
//! the page searches here: a linear scan, the course is small.

use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use workshop_course::escape_text;

use super::{Frame, Section, Visitor, bugs, diagrams, exercises, page as answer, posts};
use crate::{AppState, state::Edition};

/// Results shown.
const RESULTS: usize = 30;

/// Characters of the text around the first match.
const AROUND: usize = 160;

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    frame: Frame,
    query: String,
    results: Vec<Found>,
}

/// What was found.
struct Found {
    kind: &'static str,
    title: String,
    href: String,
    text: String,
    score: usize,
}

/// The words looked for.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// `GET /search?q=`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    let edition = state.edition();
    let query: String = asked.q.trim().chars().take(200).collect();
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut results = Vec::new();
    if !words.is_empty() {
        results = documents(&state, &edition)
            .filter_map(|document| document.find(&words))
            .collect();
        results.sort_by_key(|found| std::cmp::Reverse(found.score));
        results.truncate(RESULTS);
    }
    answer(&Page {
        frame: Frame::new(&state, visitor, Section::Elsewhere, "Search"),
        query,
        results,
    })
}

/// A part of a page, as the index has it: the text from one heading to the next.
#[derive(Debug, Serialize)]
pub struct Part {
    /// Its place in the index.
    id: usize,
    kind: &'static str,
    /// The page's title.
    title: String,
    /// The part's heading; empty for what stands before the first one.
    heading: String,
    /// Relative to the site's root.
    href: String,
    text: String,
}

/// `GET /search.json`: what scripts search.
pub async fn index(State(state): State<AppState>) -> Json<Vec<Part>> {
    let edition = state.edition();
    let mut parts: Vec<Part> = Vec::new();
    for document in documents(&state, &edition) {
        // Pages that are files are folders.
        let slash = if state.exported() { "/" } else { "" };
        let page = format!("{}{slash}", document.href.trim_start_matches('/'));
        for (anchor, heading, text) in sections(&document.html) {
            let lead = if anchor.is_empty() {
                document.summary.as_str()
            } else {
                ""
            };
            parts.push(Part {
                id: parts.len(),
                kind: document.kind,
                title: document.title.clone(),
                heading,
                href: match anchor {
                    "" => page.clone(),
                    anchor => format!("{page}#{anchor}"),
                },
                text: format!("{lead} {text}").trim().to_owned(),
            });
        }
    }
    Json(parts)
}

/// A page's parts: id and text of each heading, and the text after it. The first part has neither.
fn sections(html: &str) -> Vec<(&str, String, String)> {
    let starts = html.match_indices("<h").map(|(at, _)| at);
    let headings: Vec<(usize, &str, &str, usize)> = starts
        .filter_map(|at| {
            let tag = &html[at..];
            let level = tag.as_bytes().get(2)?;
            matches!(level, b'2' | b'3').then_some(())?;
            let (open, rest) = tag.split_once('>')?;
            let (_, id) = open.split_once(" id=\"")?;
            let (title, _) = rest.split_once("</h")?;
            let end = at + open.len() + 1 + title.len();
            Some((at, id.split('"').next()?, title, end))
        })
        .collect();
    let until = |next: usize| headings.get(next).map_or(html.len(), |heading| heading.0);
    let first = ("", String::new(), text_of(&html[..until(0)]));
    let others = headings
        .iter()
        .enumerate()
        .map(|(at, &(_, id, title, end))| {
            let heading = text_of(title).trim_end_matches('#').trim_end().to_owned();
            (id, heading, text_of(&html[end..until(at + 1)]))
        });
    std::iter::once(first).chain(others).collect()
}

/// A page as text.
struct Document {
    kind: &'static str,
    title: String,
    href: String,
    summary: String,
    html: String,
}

fn documents<'e>(
    state: &AppState,
    edition: &'e Edition,
) -> impl Iterator<Item = Document> + use<'e> {
    let posts = posts::visible(state, edition).map(|post| Document {
        kind: "Post",
        title: post.title.clone(),
        href: posts::address(post),
        summary: format!("{} {}", post.excerpt, post.tags.join(" ")),
        html: post.body.html.clone(),
    });
    let diagrams = diagrams::visible(state, edition).map(|page| Document {
        kind: "Diagram",
        title: page.title.clone(),
        href: diagrams::address(page),
        summary: format!("{} {}", page.excerpt, page.tags.join(" ")),
        html: page.body.html.clone(),
    });
    let exercises = edition.course.exercises.iter().map(|exercise| Document {
        kind: "Exercise",
        title: format!("{} {}", exercise.id, exercise.title),
        href: exercises::address(exercise),
        summary: exercise.goal.clone(),
        html: exercise.task.html.clone(),
    });
    let bugs = edition.course.bugs.iter().map(|page| Document {
        kind: "Find the bug",
        title: page.title.clone(),
        href: bugs::address(page),
        summary: page.summary.clone(),
        // Not what is wrong with it: that is for the reader to find.
        html: format!("{} {}", page.context, escape_text(&page.lines.join(" "))),
    });
    posts.chain(diagrams).chain(exercises).chain(bugs)
}

impl Document {
    /// Every word must be somewhere; words in the title count most.
    fn find(self, words: &[String]) -> Option<Found> {
        let plain = text_of(&self.html);
        let (title, summary, text) = (
            self.title.to_lowercase(),
            self.summary.to_lowercase(),
            plain.to_lowercase(),
        );
        let mut score = 0;
        for word in words {
            let hits = 10 * title.matches(word.as_str()).count()
                + 4 * summary.matches(word.as_str()).count()
                + text.matches(word.as_str()).count().min(10);
            if hits == 0 {
                return None;
            }
            score += hits;
        }
        let text = excerpt(&plain, words).unwrap_or(self.summary);
        Some(Found {
            kind: self.kind,
            title: self.title,
            href: self.href,
            text,
            score,
        })
    }
}

/// The text around the first word found.
fn excerpt(text: &str, words: &[String]) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let lower: String = characters
        .iter()
        .map(|c| c.to_lowercase().next().unwrap_or(*c))
        .collect();
    let byte = words.iter().find_map(|word| lower.find(word.as_str()))?;
    let at = lower[..byte].chars().count();
    let from = at.saturating_sub(AROUND / 3);
    let to = (from + AROUND).min(characters.len());
    let (before, after) = (
        if from > 0 { "… " } else { "" },
        if to < characters.len() { " …" } else { "" },
    );
    let middle: String = characters[from..to].iter().collect();
    Some(format!("{before}{}{after}", middle.trim()))
}

/// HTML of our own renderer without its tags; pictures are left out.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let skipped = if tag.starts_with("svg") {
            "</svg>"
        } else {
            ">"
        };
        rest = tag.split_once(skipped).map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    decoded(&text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Text with the references that our renderers write.
pub(crate) fn decoded(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_neither_tags_nor_pictures() {
        let html = "<p>One &amp; <code>two</code></p><svg><text>no</text></svg><p>three";
        assert_eq!(text_of(html), "One & two three");
    }

    #[test]
    fn a_page_falls_into_its_headings() {
        let html = "<p>a</p><h2 id=\"one\">One<a href=\"#one\">#</a></h2><p>b</p><h3 id=\"x\">X</h3>c<hr>d";
        let parts = sections(html);
        let parts: Vec<_> = parts
            .iter()
            .map(|(id, h, t)| (*id, h.as_str(), t.as_str()))
            .collect();
        assert_eq!(
            parts,
            [("", "", "a"), ("one", "One", "b"), ("x", "X", "c d")]
        );
    }

    #[test]
    fn the_excerpt_is_around_the_word_in_any_script() {
        let words = ["größe".to_owned()];
        let text = format!("{} GRÖSSE und Größe der Antwort", "İ ".repeat(100));
        let excerpt = excerpt(&text, &words).unwrap();
        assert!(excerpt.contains("Größe der Antwort"), "{excerpt}");
        assert!(excerpt.starts_with('…'));
    }
}
