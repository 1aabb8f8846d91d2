//! Paths into data: `$.order.items[0]`, `$$.Execution.Id`, `$.items[?@.price > 10]`.
//!
//! A path of names and indexes is walked here, with the words AWS uses when something is missing; it is
//! nearly every path, and names may hold what RFC 9535 wants in quotes (`$.Content-Type`). Everything
//! else goes to `serde_json_path`, bounded so that no path can keep it busy.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt::Write};

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use crate::failure::{Failure, RESULT_PATH_MATCH_FAILURE};

/// What the path takes.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    text: String,
    pub(crate) root: Root,
    steps: Steps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$`
    Input,
    /// `$$`
    Context,
}

#[derive(Debug, Clone)]
enum Steps {
    /// Leads to one value or to none.
    Definite(Vec<Step>),
    /// Leads to a list.
    Query(Box<JsonPath>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Name(String),
    /// Negative: from the end.
    Index(i64),
}

/// A path that leads to nothing, in Jayway's words (recorded).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) String);

impl Path {
    /// `$`.
    pub(crate) fn whole() -> Self {
        Self {
            text: "$".to_owned(),
            root: Root::Input,
            steps: Steps::Definite(Vec::new()),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (root, rest) = match text.strip_prefix("$$") {
            Some(rest) => (Root::Context, rest),
            None => match text.strip_prefix('$') {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                    return Err("workflow variables are not supported here".to_owned());
                }
                Some(rest) => (Root::Input, rest),
                None => return Err("a path begins with '$'".to_owned()),
            },
        };
        let steps = match definite(rest) {
            Some(steps) => Steps::Definite(steps),
            None => Steps::Query(Box::new(query(rest)?)),
        };
        Ok(Self {
            text: text.to_owned(),
            root,
            steps,
        })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it takes everything.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(&self.steps, Steps::Definite(steps) if steps.is_empty())
    }

    /// Takes from `root`, which the caller chose by [`Path::root`].
    pub(crate) fn select<'a>(&self, root: &'a Value) -> Result<Cow<'a, Value>, Missing> {
        match &self.steps {
            Steps::Definite(steps) => walk(root, steps).map(Cow::Borrowed),
            // A list even when empty, also of missing members (recorded).
            Steps::Query(query) => Ok(Cow::Owned(Value::Array(
                query.query(root).into_iter().cloned().collect(),
            ))),
        }
    }

    /// Whether it makes a list of what it finds, where a definite path only points.
    pub(crate) fn makes_a_list(&self) -> bool {
        matches!(self.steps, Steps::Query(_))
    }
}

fn walk<'a>(root: &'a Value, steps: &[Step]) -> Result<&'a Value, Missing> {
    let mut value = root;
    for (at, step) in steps.iter().enumerate() {
        let found = match (step, value) {
            (Step::Name(name), Value::Object(members)) => members.get(name),
            (Step::Index(index), Value::Array(items)) => {
                let index = usize::try_from(*index).ok().or_else(|| {
                    let back = usize::try_from(index.unsigned_abs()).ok()?;
                    items.len().checked_sub(back)
                });
                index.and_then(|index| items.get(index))
            }
            _ => None,
        };
        value = found.ok_or_else(|| {
            let shown = shown(&steps[..=at]);
            Missing(if at + 1 == steps.len() {
                format!("No results for path: {shown}")
            } else {
                format!("Missing property in path {shown}")
            })
        })?;
    }
    Ok(value)
}

/// `$['a'][0]`
fn shown(steps: &[Step]) -> String {
    let mut shown = "$".to_owned();
    for step in steps {
        // Writing to a String does not fail.
        let _ = match step {
            Step::Name(name) => write!(shown, "['{name}']"),
            Step::Index(index) => write!(shown, "[{index}]"),
        };
    }
    shown
}

/// Characters that no unquoted name holds.
fn ends_a_name(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ".[]()*?@,:'\"\\&|=<>!".contains(c)
}

/// The steps, if every one is a name or an index.
fn definite(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        // Jayway reads `$.['a']` as `$['a']`.
        if rest.starts_with(".[") {
            rest = &rest[1..];
        }
        let (step, after) = if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(ends_a_name).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            (Step::Name(after[..end].to_owned()), &after[end..])
        } else {
            bracketed(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// `'name']` or `12]`, and what follows.
fn bracketed(rest: &str) -> Option<(Step, &str)> {
    let rest = rest.trim_start();
    let Some(quote @ ('\'' | '"')) = rest.chars().next() else {
        let (number, after) = rest.split_once(']')?;
        return Some((Step::Index(number.trim().parse().ok()?), after));
    };
    let mut name = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let after = rest[at + 1..].trim_start().strip_prefix(']')?;
            return Some((Step::Name(name), after));
        }
        // A backslash before anything else is itself (recorded).
        let escapes = c == '\\' && rest[at + 1..].starts_with([quote, '\\']);
        name.push(if escapes { chars.next()?.1 } else { c });
    }
    None
}

/// Longer queries are refused; definite paths may be as long as the definition.
const QUERY_BYTES: usize = 1_024;
/// Selectors in one pair of brackets, multiplied over all pairs: each may name the same values again.
const QUERY_SELECTORS: usize = 16;

/// A path with wildcards, slices, descendants or filters.
fn query(rest: &str) -> Result<JsonPath, String> {
    const TOO_MUCH: &str = "the path is more than this interpreter is ready to search for";
    if rest.len() > QUERY_BYTES || rest.matches("..").count() > 1 {
        return Err(TOO_MUCH.to_owned());
    }
    let mut text = "$".to_owned();
    let mut rest = rest;
    let mut selectors = 1_usize;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with(".[") {
            rest = &rest[1..];
            continue;
        }
        if c == '[' {
            let end = closing_bracket(rest).ok_or("a bracket is not closed")?;
            let (inside, after) = (&rest[..=end], &rest[end + 1..]);
            if inside.contains('?') && costly_filter(&inside[1..]) {
                return Err(TOO_MUCH.to_owned());
            }
            selectors = selectors.saturating_mul(inside.matches(',').count() + 1);
            text.push_str(inside);
            rest = after;
        } else {
            // Names are quoted on the way, because RFC 9535 has fewer that need no quotes.
            let dots = if rest.starts_with("..") { 2 } else { 1 };
            let after = rest.strip_prefix('.').ok_or("a name needs a '.' before")?;
            let after = &after[dots - 1..];
            let end = after.find(ends_a_name).unwrap_or(after.len());
            text.push_str(if dots == 2 { ".." } else { "" });
            if let Some(after) = after.strip_prefix('*') {
                text.push_str("[*]");
                rest = after;
            } else if end > 0 {
                let _ = write!(text, "['{}']", &after[..end]);
                rest = &after[end..];
            } else if dots == 2 && after.starts_with('[') {
                rest = after;
            } else {
                return Err("a name is missing after '.'".to_owned());
            }
        }
    }
    if selectors > QUERY_SELECTORS {
        return Err(TOO_MUCH.to_owned());
    }
    JsonPath::parse(&text).map_err(|why| why.message().to_owned())
}

/// Where the bracket that opens the text is closed.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Filters run for each value they meet: no searches within them, and little nesting, which
/// the parser of the crate tries in every combination.
fn costly_filter(filter: &str) -> bool {
    filter.matches('?').count() > 1
        || filter.contains("..")
        || filter.contains('$')
        || filter.matches('(').count() > 4
        || filter.matches('[').count() > 8
        || filter.matches('!').count() > 8
}

/// A path that can be written to: `$.a.b[0]`.
#[derive(Debug, Clone)]
pub(crate) struct ReferencePath {
    text: String,
    steps: Vec<Step>,
}

impl ReferencePath {
    /// `$`.
    pub(crate) fn whole() -> Self {
        Self {
            text: "$".to_owned(),
            steps: Vec::new(),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix('$')
            .filter(|rest| !rest.starts_with('$'))
            .ok_or("a reference path begins with one '$'")?;
        let steps = definite(rest).ok_or("a reference path is made of names and indexes only")?;
        if steps.len() > crate::limits::PAYLOAD_DEPTH {
            return Err("a reference path is at most 100 steps long".to_owned());
        }
        if steps.iter().any(|s| matches!(s, Step::Index(i) if *i < 0)) {
            return Err("an index of a reference path is not negative".to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    /// Puts the value there; objects on the way are made, elements of arrays are not.
    pub(crate) fn put(&self, mut root: Value, value: Value) -> Result<Value, Failure> {
        let mut place = &mut root;
        for step in &self.steps {
            place = match step {
                Step::Name(name) => {
                    if place.is_null() {
                        *place = Value::Object(Map::new());
                    }
                    let members = place.as_object_mut().ok_or_else(|| self.no_match())?;
                    members.entry(name.clone()).or_insert(Value::Null)
                }
                Step::Index(index) => {
                    let index = usize::try_from(*index).unwrap_or(usize::MAX);
                    place.get_mut(index).ok_or_else(|| self.no_match())?
                }
            };
        }
        *place = value;
        Ok(root)
    }

    /// Documented name; the words are ours.
    fn no_match(&self) -> Failure {
        Failure::new(
            RESULT_PATH_MATCH_FAILURE,
            format!(
                "Unable to apply ResultPath \"{}\" to the state's input: a step meets a value that is \
                 neither an object nor an array with that element.",
                self.text
            ),
        )
    }
}
