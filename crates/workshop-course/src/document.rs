//! A Markdown file taken apart: front matter, body, and the line each of them starts at.

/// A text file with LF line ends and no byte order mark, split at its front matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// The YAML between the two `---` lines.
    pub(crate) front: Option<Part>,
    /// Everything else.
    pub(crate) body: Part,
    /// The front matter opens but never closes; everything is in the body.
    pub(crate) unclosed: bool,
}

/// Consecutive lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The lines.
    pub(crate) text: String,
    /// Line number of the first one in the file, from 1.
    pub(crate) first_line: usize,
}

impl Part {
    /// The file's line for a byte offset into the part.
    pub(crate) fn line_at(&self, offset: usize) -> usize {
        self.first_line + line_of(self.text.as_bytes(), offset) - 1
    }
}

impl Document {
    /// Never fails: whatever is not front matter is body.
    pub(crate) fn parse(text: &str) -> Self {
        let text = normalized(text);
        let mut lines = text.split_inclusive('\n');
        if lines.next().is_none_or(|line| line.trim_end() != "---") {
            return Self::without_front(text, false);
        }
        let opening = text.find('\n').map_or(text.len(), |i| i + 1);
        let mut end = opening;
        for (i, line) in lines.enumerate() {
            // YAML allows `...` to end a document too.
            if matches!(line.trim_end(), "---" | "...") {
                return Self {
                    front: Some(Part {
                        text: text[opening..end].to_owned(),
                        first_line: 2,
                    }),
                    body: Part {
                        text: text[end + line.len()..].to_owned(),
                        first_line: i + 3,
                    },
                    unclosed: false,
                };
            }
            end += line.len();
        }
        let unclosed = looks_like_yaml(&text[opening..]);
        Self::without_front(text, unclosed)
    }

    fn without_front(text: String, unclosed: bool) -> Self {
        Self {
            front: None,
            body: Part {
                text,
                first_line: 1,
            },
            unclosed,
        }
    }
}

/// `---` may also be a horizontal rule at the top of a text; `key:` below it tells them apart.
fn looks_like_yaml(rest: &str) -> bool {
    rest.lines()
        .find(|line| !line.trim().is_empty())
        .and_then(|line| line.split_once(':'))
        .is_some_and(|(key, _)| {
            !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '"' | '\''))
        })
}

/// The line that a byte offset lies in, from 1.
pub(crate) fn line_of(text: &[u8], offset: usize) -> usize {
    text[..offset.min(text.len())]
        .split(|&byte| byte == b'\n')
        .count()
}

/// No byte order mark, LF line ends (also for the lone CR of old editors).
pub(crate) fn normalized(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_and_body_know_their_lines() {
        let document = Document::parse("\u{feff}---\r\ntitle: A\r\n---\r\n\r\nText\r\n");
        let front = document.front.expect("front matter");
        assert_eq!((front.text.as_str(), front.first_line), ("title: A\n", 2));
        assert_eq!(document.body.first_line, 4);
        assert_eq!(document.body.line_at(1), 5);
    }

    #[test]
    fn a_rule_at_the_top_is_not_front_matter() {
        let document = Document::parse("---\n\nJust a text.\n");
        assert!(document.front.is_none() && !document.unclosed);
        assert!(Document::parse("---\ntitle: A\n\nText\n").unclosed);
    }

    #[test]
    fn empty_front_matter_is_front_matter() {
        let document = Document::parse("---\n---\nText");
        assert_eq!(document.front.expect("front matter").text, "");
        assert_eq!(document.body.text, "Text");
    }
}
