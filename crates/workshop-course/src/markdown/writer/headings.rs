//! Headings and their anchors.

use std::fmt::Write as _;

use pulldown_cmark::HeadingLevel;

use super::Writer;
use crate::{TocEntry, markup::escape};

impl Writer<'_> {
    pub(super) fn end_heading(&mut self, level: HeadingLevel) {
        self.close("");
        let Some(heading) = self.heading.take() else {
            return;
        };
        let inner = self.out.split_off(heading.start);
        let text = heading.text.trim().to_owned();
        let anchor = self.new_anchor(heading.id, &text);
        let level = (level as u8 + self.level_shift).clamp(2, 6);
        let id = escape(&anchor);
        let _ = writeln!(
            self.out,
            "<h{level} id=\"{id}\">{inner}<a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to “{}”\">#</a></h{level}>",
            escape(&text)
        );
        if level <= 3 {
            self.output.rendered.toc.push(TocEntry {
                level,
                text,
                anchor,
            });
        }
    }

    /// GitHub's anchors: lower-case, spaces to hyphens, no punctuation, `-1` for the second one.
    pub(super) fn new_anchor(&mut self, id: Option<String>, text: &str) -> String {
        let wanted = id.unwrap_or_else(|| github_anchor(text));
        let wanted = if wanted.is_empty() {
            "section".to_owned()
        } else {
            wanted
        };
        let mut anchor = wanted.clone();
        let mut n = 0;
        while !self.output.anchors.insert(anchor.clone()) {
            n += 1;
            anchor = format!("{wanted}-{n}");
        }
        anchor
    }
}

/// Letters, digits, `-` and `_` stay, spaces become hyphens, everything else goes.
fn github_anchor(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}
