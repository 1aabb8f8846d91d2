//! Footnotes: numbered by their first use, written at the end.

use std::fmt::Write as _;

use super::Writer;
use crate::markup::escape;

impl Writer<'_> {
    pub(super) fn footnote_reference(&mut self, name: &str) {
        let next = self.footnotes.len() + 1;
        let number = *self.footnotes.entry(name.to_owned()).or_insert(next);
        let uses = self.footnote_uses.entry(name.to_owned()).or_insert(0);
        *uses += 1;
        let uses = *uses;
        let of = self.footnotes_of();
        let id = match uses {
            1 => format!("{of}fnref-{number}"),
            n => format!("{of}fnref-{number}-{n}"),
        };
        let _ = write!(
            self.out,
            "<sup class=\"fn\"><a id=\"{id}\" href=\"#{of}fn-{number}\" aria-label=\"Footnote {number}\">{number}</a></sup>"
        );
    }

    pub(super) fn end_footnote(&mut self) {
        self.close("");
        if let Some((name, start)) = self.footnote_start.take() {
            let text = self.out.split_off(start);
            let next = self.footnotes.len() + 1;
            let number = *self.footnotes.entry(name.clone()).or_insert(next);
            self.footnote_texts.insert(number, (name, text));
        }
    }

    pub(super) fn write_footnotes(&mut self) {
        if self.footnote_texts.is_empty() {
            return;
        }
        let of = self.footnotes_of();
        // One landmark of that name on a page is enough.
        let (open, close) = match self.setting.part {
            None => (
                "<section class=\"footnotes\" aria-label=\"Footnotes\">",
                "</section>",
            ),
            Some(_) => ("<div class=\"footnotes\">", "</div>"),
        };
        let _ = writeln!(self.out, "{open}\n<ol>");
        for (number, (name, text)) in std::mem::take(&mut self.footnote_texts) {
            let back = if self.footnote_uses.contains_key(&name) {
                format!(" <a href=\"#{of}fnref-{number}\" aria-label=\"Back to the text\">↩</a>")
            } else {
                String::new()
            };
            // Inside the last paragraph, so that the arrow follows the words.
            let text = match text.trim_end().strip_suffix("</p>") {
                Some(text) => format!("{text}{back}</p>"),
                None => format!("{text}{back}"),
            };
            let _ = writeln!(
                self.out,
                "<li id=\"{of}fn-{number}\" value=\"{number}\">{text}</li>"
            );
        }
        let _ = writeln!(self.out, "</ol>\n{close}");
    }

    /// What ids of footnotes start with.
    fn footnotes_of(&self) -> String {
        self.setting
            .part
            .map_or_else(String::new, |part| format!("{}-", escape(part)))
    }
}
