//! Filter patterns, as CloudWatch Logs documents them: terms (`error "exact words" -not`, or `?one ?or`),
//! `%regex%`, JSON (`{ $.status = 429 && $.modelId = "*haiku*" }`) and columns (`[ip, ..., status=4*]`).

mod columns;
mod json;
mod operand;
mod terms;

use serde_json::Value;

use super::invalid;
use crate::error::ApiError;

use columns::Columns;
use json::{Step, Test};
use terms::Terms;

/// As long as a pattern may be (API reference).
const LENGTH_MAX: usize = 1_024;

/// How deep parentheses may go.
const DEPTH_MAX: usize = 32;

/// A pattern that a message may match.
#[derive(Debug)]
pub(super) struct Pattern(Kind);

#[derive(Debug)]
enum Kind {
    Terms(Terms),
    Json(Test),
    Columns(Columns),
}

/// A message that matched.
#[derive(Debug)]
pub(super) enum Found {
    Text,
    Json(Value),
    /// Names and what stands there.
    Columns(Vec<(String, String)>),
}

/// What a metric filter takes out of a message that matched: `$.member` or `$column`.
#[derive(Debug)]
pub(super) struct Selector(By);

#[derive(Debug)]
enum By {
    Path(Vec<Step>),
    Column(String),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.len() > LENGTH_MAX {
            return Err(invalid(format!(
                "The filterPattern must be at most {LENGTH_MAX} characters."
            )));
        }
        let text = text.trim();
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']');
            let inside = inside.ok_or_else(|| wrong(text, "] is missing"))?;
            return Columns::parse(text, inside).map(Kind::Columns).map(Self);
        }
        if let Some(inside) = text.strip_prefix('{') {
            let inside = inside.strip_suffix('}');
            let inside = inside.ok_or_else(|| wrong(text, "} is missing"))?;
            return Test::parse(text, inside).map(Kind::Json).map(Self);
        }
        Terms::parse(text).map(Kind::Terms).map(Self)
    }

    /// Whether a message matches.
    pub(super) fn matches(&self, message: &str) -> bool {
        self.find(message).is_some()
    }

    /// The same, with what can be taken out of it.
    pub(super) fn find(&self, message: &str) -> Option<Found> {
        match &self.0 {
            Kind::Terms(terms) => terms.matches(message).then_some(Found::Text),
            Kind::Json(test) => {
                let value: Value = serde_json::from_str(message).ok()?;
                (value.is_object() && test.holds(&value)).then_some(Found::Json(value))
            }
            Kind::Columns(columns) => columns.find(message).map(Found::Columns),
        }
    }

    /// What `TestMetricFilter` shows of a message that matched.
    pub(super) fn extracted(&self, found: &Found) -> Vec<(String, String)> {
        match (&self.0, found) {
            (Kind::Json(test), Found::Json(value)) => test.extracted(value),
            (_, Found::Columns(columns)) => {
                let columns = columns.iter();
                let columns = columns.map(|(name, text)| (format!("${name}"), text.clone()));
                columns.collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Selector {
    /// A selector that makes sense with that pattern.
    pub(super) fn parse(text: &str, pattern: &Pattern) -> Option<Self> {
        match &pattern.0 {
            Kind::Terms(_) => None,
            Kind::Json(_) => json::path(text).map(By::Path).map(Self),
            Kind::Columns(columns) => {
                let name = text.strip_prefix('$')?;
                columns.has(name).then(|| Self(By::Column(name.to_owned())))
            }
        }
    }
}

impl Found {
    pub(super) fn value(&self, selector: &Selector) -> Option<String> {
        match (self, &selector.0) {
            (Self::Json(value), By::Path(path)) => json::first(value, path),
            (Self::Columns(columns), By::Column(name)) => {
                let mut columns = columns.iter();
                columns
                    .find(|(n, _)| n == name)
                    .map(|(_, text)| text.clone())
            }
            _ => None,
        }
    }
}

fn wrong(whole: &str, why: &str) -> ApiError {
    invalid(format!("Invalid filter pattern {whole}: {why}."))
}

/// A quoted text or `%regex%` at the beginning, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next()?;
    let mut inside = String::new();
    let mut rest = text[quote.len_utf8()..].char_indices();
    while let Some((at, c)) = rest.next() {
        if c == quote {
            return Some((inside, &text[quote.len_utf8() + at + c.len_utf8()..]));
        }
        // A quotation mark can stand in a phrase; a backslash of a regex is the regex's own.
        if c == '\\' && quote == '"' {
            match rest.next() {
                Some((_, next @ ('"' | '\\'))) => inside.push(next),
                Some((_, next)) => inside.extend([c, next]),
                None => return None,
            }
        } else {
            inside.push(c);
        }
    }
    None
}

#[cfg(test)]
mod tests;
