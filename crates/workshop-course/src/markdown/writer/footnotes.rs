//! Footnotes: numbered by their first use, written at the end.

use std::fmt::Write as _;

use super::Writer;

impl Writer<'_> {
    pub(super) fn footnote_reference(&mut self, name: &str) {
        let next = self.footnotes.len() + 1;
        let number = *self.footnotes.entry(name.to_owned()).or_insert(next);
        let uses = self.footnote_uses.entry(name.to_owned()).or_insert(0);
        *uses += 1;
        let id = match *uses {
            1 => format!("fnref-{number}"),
            n => format!("fnref-{number}-{n}"),
        };
        let _ = write!(
            self.out,
            "<sup class=\"fn\"><a id=\"{id}\" href=\"#fn-{number}\" aria-label=\"Footnote {number}\">{number}</a></sup>"
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
        self.out
            .push_str("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for (number, (name, text)) in std::mem::take(&mut self.footnote_texts) {
            let back = if self.footnote_uses.contains_key(&name) {
                format!(" <a href=\"#fnref-{number}\" aria-label=\"Back to the text\">↩</a>")
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
                "<li id=\"fn-{number}\" value=\"{number}\">{text}</li>"
            );
        }
        self.out.push_str("</ol>\n</section>\n");
    }
}
