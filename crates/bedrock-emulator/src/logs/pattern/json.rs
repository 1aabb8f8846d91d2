//! Conditions on JSON lines: `{ ($.status >= 400 || $.code NOT EXISTS) && $.model != "*haiku*" }`.

use serde_json::Value;

use super::{
    DEPTH_MAX,
    operand::{Compare, Operand},
    wrong,
};
use crate::error::ApiError;

/// A condition on a JSON message.
#[derive(Debug)]
pub(super) enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Field(Path, Is),
}

/// A selector, as it was written and understood.
#[derive(Debug)]
pub(super) struct Path {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Member(String),
    Index(usize),
    Every,
}

#[derive(Debug)]
pub(super) enum Is {
    Compared(Operand),
    Null,
    True,
    False,
    Missing,
}

impl Test {
    pub(super) fn parse(whole: &str, inside: &str) -> Result<Self, ApiError> {
        let mut reader = Reader {
            whole,
            rest: inside,
            depth: 0,
        };
        let test = reader.or()?;
        reader.skip();
        if reader.rest.is_empty() {
            return Ok(test);
        }
        Err(wrong(whole, &format!("{:?} is not expected", reader.rest)))
    }

    pub(super) fn holds(&self, value: &Value) -> bool {
        match self {
            Self::And(a, b) => a.holds(value) && b.holds(value),
            Self::Or(a, b) => a.holds(value) || b.holds(value),
            Self::Field(path, is) => {
                let mut found = Vec::new();
                walk(value, &path.steps, &mut found);
                match is {
                    Is::Missing => found.is_empty(),
                    is => found.iter().any(|value| is.holds(value)),
                }
            }
        }
    }

    /// The selectors and what they select.
    pub(super) fn extracted(&self, value: &Value) -> Vec<(String, String)> {
        match self {
            Self::And(a, b) | Self::Or(a, b) => {
                let mut all = a.extracted(value);
                all.extend(b.extracted(value));
                all
            }
            Self::Field(path, _) => {
                let found = first(value, &path.steps);
                found
                    .map(|found| (path.text.clone(), found))
                    .into_iter()
                    .collect()
            }
        }
    }
}

/// The steps of a selector alone.
pub(super) fn path(text: &str) -> Option<Vec<Step>> {
    let mut reader = Reader {
        whole: text,
        rest: text,
        depth: 0,
    };
    let path = reader.path().ok()?;
    (reader.rest.is_empty() && !path.steps.is_empty()).then_some(path.steps)
}

/// The first thing that a path leads to, as text.
pub(super) fn first(value: &Value, path: &[Step]) -> Option<String> {
    let mut found = Vec::new();
    walk(value, path, &mut found);
    found.first().and_then(|value| text(value))
}

struct Reader<'r> {
    whole: &'r str,
    rest: &'r str,
    depth: usize,
}

impl Reader<'_> {
    fn wrong(&self, why: &str) -> ApiError {
        wrong(self.whole, why)
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A word in capitals, whole.
    fn keyword(&mut self, word: &str) -> bool {
        let before = self.rest;
        if self.take(word)
            && !self
                .rest
                .starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            return true;
        }
        self.rest = before;
        false
    }

    fn or(&mut self) -> Result<Test, ApiError> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Test::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Test, ApiError> {
        let mut left = self.single()?;
        while self.take("&&") {
            left = Test::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Test, ApiError> {
        if !self.take("(") {
            return self.field();
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("it is nested too deep"));
        }
        let test = self.or()?;
        self.depth -= 1;
        if self.take(")") {
            Ok(test)
        } else {
            Err(self.wrong(") is missing"))
        }
    }

    fn field(&mut self) -> Result<Test, ApiError> {
        const STOPS: [char; 4] = ['&', '|', ')', '('];
        let path = self.path()?;
        if self.keyword("NOT") {
            if self.keyword("EXISTS") {
                return Ok(Test::Field(path, Is::Missing));
            }
            return Err(self.wrong("NOT takes EXISTS"));
        }
        if self.keyword("IS") {
            for (word, is) in [("NULL", Is::Null), ("TRUE", Is::True), ("FALSE", Is::False)] {
                if self.keyword(word) {
                    return Ok(Test::Field(path, is));
                }
            }
            return Err(self.wrong("IS takes NULL, TRUE or FALSE"));
        }
        // The documentation has NOT EXISTS only; whoever means the contrary writes a wildcard.
        if self.keyword("EXISTS") {
            return Err(self.wrong(&format!(
                "EXISTS stands only behind NOT; for a member that is there write {} = *",
                path.text
            )));
        }
        self.skip();
        let (compare, after) = Compare::read(self.rest).ok_or_else(|| {
            self.wrong("a comparison is missing (=, !=, <, <=, >, >=, IS, NOT EXISTS)")
        })?;
        let (operand, rest) = Operand::read(self.whole, after, compare, &STOPS)?;
        self.rest = rest;
        Ok(Test::Field(path, Is::Compared(operand)))
    }

    fn path(&mut self) -> Result<Path, ApiError> {
        self.skip();
        let before = self.rest;
        if !self.take("$") {
            return Err(self.wrong("a selector like $.member is missing"));
        }
        let mut steps = Vec::new();
        loop {
            // Both `$['a.b']` and `$.['a.b']` name a member whose name has dots.
            if self.rest.starts_with(".[") {
                self.rest = &self.rest[1..];
            }
            if let Some(rest) = self.rest.strip_prefix('.') {
                let stop = |c: char| !(c.is_alphanumeric() || ['_', '-', ':'].contains(&c));
                let end = rest.find(stop).unwrap_or(rest.len());
                if end == 0 {
                    return Err(self.wrong("a member's name is missing behind a dot"));
                }
                steps.push(Step::Member(rest[..end].to_owned()));
                self.rest = &rest[end..];
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let end = rest.find(']').ok_or_else(|| self.wrong("] is missing"))?;
                let inside = rest[..end].trim();
                steps.push(match inside.parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) if inside == "*" => Step::Every,
                    Err(_) => Step::Member(inside.trim_matches(['\'', '"']).to_owned()),
                });
                self.rest = &rest[end + 1..];
            } else {
                let text = before[..before.len() - self.rest.len()].to_owned();
                return Ok(Path { text, steps });
            }
        }
    }
}

fn walk<'v>(value: &'v Value, path: &[Step], found: &mut Vec<&'v Value>) {
    match path.split_first() {
        None => found.push(value),
        Some((Step::Every, rest)) => {
            for item in value.as_array().into_iter().flatten() {
                walk(item, rest, found);
            }
        }
        Some((Step::Member(name), rest)) => {
            if let Some(member) = value.get(name) {
                walk(member, rest, found);
            }
        }
        Some((Step::Index(index), rest)) => {
            if let Some(item) = value.get(index) {
                walk(item, rest, found);
            }
        }
    }
}

impl Is {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Compared(operand) => operand.holds(text(value).as_deref(), value.as_f64()),
            Self::Null => value.is_null(),
            Self::True => value == &Value::Bool(true),
            Self::False => value == &Value::Bool(false),
            Self::Missing => false,
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
