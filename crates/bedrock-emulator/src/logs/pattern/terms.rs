//! Terms of unstructured lines.

use regex_lite::Regex;

use super::{operand::regex, quoted, wrong};
use crate::error::ApiError;

/// Words, phrases and regular expressions.
#[derive(Debug, Default)]
pub(super) struct Terms {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    regexes: Vec<Regex>,
}

impl Terms {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut terms = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let sign = rest.chars().next().filter(|c| ['-', '?'].contains(c));
            let after = &rest[usize::from(sign.is_some())..];
            let (term, left) =
                term(after).ok_or_else(|| wrong(text, "a quotation is not closed"))?;
            match sign {
                _ if after.starts_with('%') => terms.regexes.push(regex(text, &term)?),
                Some('-') => terms.none.push(term),
                Some(_) => terms.any.push(term),
                None => terms.all.push(term),
            }
            rest = left.trim_start();
        }
        // Beside other terms those with a question mark are not looked at (documentation).
        if !(terms.all.is_empty() && terms.none.is_empty() && terms.regexes.is_empty()) {
            terms.any.clear();
        }
        Ok(terms)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has)
            && !self.none.iter().any(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && self.regexes.iter().all(|regex| regex.is_match(message))
    }
}

/// A term, and what follows it.
fn term(text: &str) -> Option<(String, &str)> {
    if text.starts_with(['"', '%']) {
        return quoted(text);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Some((text[..end].to_owned(), &text[end..]))
}
