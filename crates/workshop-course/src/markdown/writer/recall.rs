//! Questions at the end of a text. The answer is behind a click that needs no script.
//!
//! ````text
//! ```recall from=012
//! A worker dies after the answer and before the write. How often is the model paid?
//! - [ ] Once
//! - [x] Twice
//!
//! The lease runs out, and the next delivery calls again.
//! ```
//! ````
//!
//! Question, choices and explanation are Markdown of their own.

use std::fmt::Write as _;

use pulldown_cmark::Parser;

use super::{Code, Writer};
use crate::{
    Recall,
    document::Part,
    links::{Page, Target},
    markdown::options,
};

/// What the form looks like, for messages.
const FORM: &str =
    "write the question, then `- [ ] wrong` and `- [x] right`, then why, below ```recall from=012";

/// A fence taken apart; each part knows its line.
struct Fence {
    question: Part,
    choices: Vec<(bool, Part)>,
    why: Part,
}

impl Fence {
    fn parse(text: &str, first_line: usize) -> Self {
        let empty = || Part {
            text: String::new(),
            first_line,
        };
        let mut parsed = Self {
            question: empty(),
            choices: Vec::new(),
            why: empty(),
        };
        for (i, line) in text.lines().enumerate() {
            let choice = [("- [ ] ", false), ("- [x] ", true), ("- [X] ", true)]
                .into_iter()
                .find_map(|(mark, right)| Some((right, line.strip_prefix(mark)?)));
            let explaining = !parsed.why.text.is_empty();
            if let Some((right, choice)) = choice.filter(|_| !explaining) {
                let part = Part {
                    text: format!("{choice}\n"),
                    first_line: first_line + i,
                };
                parsed.choices.push((right, part));
                continue;
            }
            // An indented line goes on with the choice above it.
            let part = match parsed.choices.last_mut() {
                Some((_, choice)) if !explaining && line.starts_with("  ") => choice,
                Some(_) => &mut parsed.why,
                None => &mut parsed.question,
            };
            if part.text.is_empty() {
                if line.trim().is_empty() {
                    continue;
                }
                part.first_line = first_line + i;
            }
            let line = if explaining { line } else { line.trim() };
            let _ = writeln!(part.text, "{line}");
        }
        parsed
    }

    /// What is missing, if anything is.
    fn problem(&self) -> Option<&'static str> {
        let right = self.choices.iter().filter(|(right, _)| *right).count();
        if self.question.text.trim().is_empty() {
            Some("the recall fence asks nothing")
        } else if self.choices.len() < 2 {
            Some("the recall question has fewer than two choices")
        } else if right != 1 {
            Some("the recall question needs exactly one right choice, `- [x]`")
        } else if self.choices.iter().any(|(_, c)| c.text.trim().is_empty()) {
            Some("a choice of the recall question is empty")
        } else if self.why.text.trim().is_empty() {
            Some("the recall question does not say why the answer is right")
        } else {
            None
        }
    }
}

impl Writer<'_> {
    /// Writes the question, or says what is wrong with it.
    pub(super) fn recall(&mut self, code: &Code, from: Option<&str>) {
        // The fence's own line is `code.line`.
        let parsed = Fence::parse(&code.text, code.line + 1);
        let problem = match from {
            None => Some("the recall fence does not name an exercise"),
            Some(_) => parsed.problem(),
        };
        if let Some(problem) = problem {
            self.error(code.line, problem.to_owned(), FORM.to_owned());
            return;
        }
        let from = from.unwrap_or_default();
        let _ = writeln!(self.out, "<div class=\"question\">");
        let question = self.part(&parsed.question);
        let _ = write!(self.out, "{question}<ul class=\"choices\">");
        let (mut choices, mut answer) = (Vec::new(), 0);
        for (i, (right, choice)) in parsed.choices.iter().enumerate() {
            let html = in_line(self.part(choice));
            let _ = write!(self.out, "<li>{html}</li>");
            if *right {
                answer = i;
            }
            choices.push(html);
        }
        let why = self.part(&parsed.why);
        let exercise = Target::Page(Page::Exercise(from.to_owned()), None);
        let href = self.href(exercise, code.line).unwrap_or_default().0;
        let _ = write!(
            self.out,
            "</ul>\n<details><summary>Show the answer</summary>\n<p><strong>{}</strong></p>\n{why}\
             <p class=\"meta\">Practised in <a href=\"{href}\">exercise {from}</a></p>\n</details>\n</div>\n",
            choices[answer]
        );
        self.output.recall.push(Recall {
            question: parsed.question.text.trim().to_owned(),
            choices: parsed
                .choices
                .into_iter()
                .map(|(_, choice)| choice.text.trim().to_owned())
                .collect(),
            answer,
            from: from.to_owned(),
        });
    }

    /// A part of the fence as HTML; its links and findings become the text's own.
    fn part(&mut self, part: &Part) -> String {
        let mut writer = Writer::new(part, self.setting);
        for (event, range) in Parser::new_ext(&part.text, options()).into_offset_iter() {
            writer.event(event, &range);
        }
        self.words += writer.words;
        let mut output = writer.finish();
        self.output.links.append(&mut output.links);
        self.output.media.append(&mut output.media);
        self.output.diagnostics.append(&mut output.diagnostics);
        output.rendered.html
    }
}

/// The text of a single paragraph without its `<p>`.
fn in_line(html: String) -> String {
    let text = html.trim_end().strip_prefix("<p>");
    match text.and_then(|text| text.strip_suffix("</p>")) {
        Some(text) if !text.contains("<p>") => text.to_owned(),
        _ => html,
    }
}
