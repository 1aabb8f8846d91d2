//! Two texts line by line: what one has and the other has not, with signs and not by colour alone.

use askama::Template;
use axum::response::Response;
use similar::{ChangeTag, TextDiff};

/// Unchanged lines around each difference.
const CONTEXT: usize = 3;

/// The difference between two texts.
#[derive(Debug, Template)]
#[template(path = "difference.html")]
pub struct Difference {
    old: String,
    new: String,
    hunks: Vec<Vec<Line>>,
}

/// One line of a difference.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    class: &'static str,
    sign: &'static str,
    text: String,
}

impl Difference {
    /// From `old` to `new`, called so in the heading.
    pub fn between(old: &str, new: &str, old_name: &str, new_name: &str) -> Self {
        let diff = TextDiff::from_lines(old, new);
        let hunks = diff
            .grouped_ops(CONTEXT)
            .iter()
            .map(|group| {
                let changes = group.iter().flat_map(|op| diff.iter_changes(op));
                changes
                    .map(|change| {
                        let (class, sign) = match change.tag() {
                            ChangeTag::Delete => ("del", "-"),
                            ChangeTag::Insert => ("ins", "+"),
                            ChangeTag::Equal => ("same", " "),
                        };
                        let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
                        Line { class, sign, text }
                    })
                    .collect()
            })
            .collect();
        Self {
            old: old_name.to_owned(),
            new: new_name.to_owned(),
            hunks,
        }
    }

    /// Whether the texts are equal.
    pub fn is_empty(&self) -> bool {
        self.hunks.is_empty()
    }
}

/// A difference alone, for a page's script.
pub fn part(old: &str, new: &str, old_name: &str, new_name: &str) -> Response {
    super::page(&Difference::between(old, new, old_name, new_name))
}
