//! Search over everything there is to read: a linear scan, the course is small.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;

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

/// A page as text.
struct Document {
    kind: &'static str,
    title: String,
    href: String,
    summary: String,
    text: String,
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
        text: text_of(&post.body.html),
    });
    let diagrams = diagrams::visible(state, edition).map(|page| Document {
        kind: "Diagram",
        title: page.title.clone(),
        href: diagrams::address(page),
        summary: format!("{} {}", page.excerpt, page.tags.join(" ")),
        text: text_of(&page.body.html),
    });
    let exercises = edition.course.exercises.iter().map(|exercise| Document {
        kind: "Exercise",
        title: format!("{} {}", exercise.id, exercise.title),
        href: exercises::address(exercise),
        summary: exercise.goal.clone(),
        text: text_of(&exercise.task.html),
    });
    let bugs = edition.course.bugs.iter().map(|page| Document {
        kind: "Find the bug",
        title: page.title.clone(),
        href: bugs::address(page),
        summary: page.summary.clone(),
        // Not what is wrong with it: that is for the reader to find.
        text: format!("{} {}", text_of(&page.context), page.lines.join(" ")),
    });
    posts.chain(diagrams).chain(exercises).chain(bugs)
}

impl Document {
    /// Every word must be somewhere; words in the title count most.
    fn find(self, words: &[String]) -> Option<Found> {
        let (title, summary, text) = (
            self.title.to_lowercase(),
            self.summary.to_lowercase(),
            self.text.to_lowercase(),
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
        let text = excerpt(&self.text, words).unwrap_or(self.summary);
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
    let plain = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
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
    fn the_excerpt_is_around_the_word_in_any_script() {
        let words = ["größe".to_owned()];
        let text = format!("{} GRÖSSE und Größe der Antwort", "İ ".repeat(100));
        let excerpt = excerpt(&text, &words).unwrap();
        assert!(excerpt.contains("Größe der Antwort"), "{excerpt}");
        assert!(excerpt.starts_with('…'));
    }
}
