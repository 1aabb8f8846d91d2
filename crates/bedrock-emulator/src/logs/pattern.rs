//! Filter patterns: terms (`error "exact words" -not ?one ?or`), `%regex%`, and JSON
//! (`{ $.status = 429 && $.modelId = "*haiku*" }`), as CloudWatch Logs documents them.

use regex_lite::Regex;
use serde_json::Value;

use super::invalid;
use crate::error::ApiError;

/// As long as a pattern may be (API reference).
const LENGTH_MAX: usize = 1_024;

/// How deep parentheses may go.
const DEPTH_MAX: usize = 32;

/// A pattern that a message may match.
#[derive(Debug)]
pub(super) enum Pattern {
    Terms(Terms),
    Json(Test),
}

#[derive(Debug, Default)]
pub(super) struct Terms {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    regexes: Vec<Regex>,
}

/// A condition on a JSON message.
#[derive(Debug)]
pub(super) enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Field(Vec<Step>, Is),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Member(String),
    Index(usize),
    Every,
}

#[derive(Debug)]
pub(super) enum Is {
    Number(Compare, f64),
    Text(String),
    NotText(String),
    Matching(Regex, bool),
    Null,
    True,
    False,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.len() > LENGTH_MAX {
            return Err(invalid(format!(
                "The filterPattern must be at most {LENGTH_MAX} characters."
            )));
        }
        let text = text.trim();
        if text.starts_with('[') {
            return Err(invalid(
                "Patterns for space-delimited logs ([a, b]) are not emulated; use terms, %regex% or \
                 { $.member = \"value\" }.",
            ));
        }
        if let Some(inside) = text.strip_prefix('{') {
            let inside = inside
                .strip_suffix('}')
                .ok_or_else(|| wrong(text, "} is missing"))?;
            let mut reader = Reader {
                whole: text,
                rest: inside,
                depth: 0,
            };
            let condition = reader.or()?;
            reader.skip();
            if !reader.rest.is_empty() {
                return Err(wrong(text, &format!("{:?} is not expected", reader.rest)));
            }
            return Ok(Self::Json(condition));
        }
        terms(text).map(Self::Terms)
    }

    /// Whether a message matches.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.matches(message),
            Self::Json(test) => {
                let value: Option<Value> = serde_json::from_str(message).ok();
                value.is_some_and(|value| value.is_object() && test.holds(&value))
            }
        }
    }
}

fn wrong(whole: &str, why: &str) -> ApiError {
    invalid(format!("Invalid filter pattern {whole}: {why}."))
}

fn terms(text: &str) -> Result<Terms, ApiError> {
    let mut terms = Terms::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let sign = rest.chars().next().filter(|c| ['-', '?'].contains(c));
        let after = &rest[usize::from(sign.is_some())..];
        let (term, left) = term(after).ok_or_else(|| wrong(text, "a quotation is not closed"))?;
        let regex = after.starts_with('%');
        match sign {
            _ if regex => terms.regexes.push(regex_of(text, &term)?),
            Some('-') => terms.none.push(term),
            Some(_) => terms.any.push(term),
            None => terms.all.push(term),
        }
        rest = left.trim_start();
    }
    Ok(terms)
}

/// A term, and what follows it.
fn term(text: &str) -> Option<(String, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| ['"', '%'].contains(c)) {
        let inside = &text[1..];
        let end = inside.find(quote)?;
        return Some((inside[..end].to_owned(), &inside[end + 1..]));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Some((text[..end].to_owned(), &text[end..]))
}

fn regex_of(whole: &str, pattern: &str) -> Result<Regex, ApiError> {
    Regex::new(pattern).map_err(|error| wrong(whole, &error.to_string()))
}

impl Terms {
    fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has)
            && !self.none.iter().any(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && self.regexes.iter().all(|regex| regex.is_match(message))
    }
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
        const SIGNS: [(&str, Compare); 6] = [
            ("!=", Compare::NotEqual),
            (">=", Compare::GreaterOrEqual),
            ("<=", Compare::LessOrEqual),
            ("=", Compare::Equal),
            (">", Compare::Greater),
            ("<", Compare::Less),
        ];
        let path = self.path()?;
        if self.take("NOT EXISTS") {
            return Ok(Test::Field(path, Is::Missing));
        }
        if self.take("IS") {
            for (word, is) in [("NULL", Is::Null), ("TRUE", Is::True), ("FALSE", Is::False)] {
                if self.take(word) {
                    return Ok(Test::Field(path, is));
                }
            }
            return Err(self.wrong("IS takes NULL, TRUE or FALSE"));
        }
        let found = SIGNS.into_iter().find(|(sign, _)| self.take(sign));
        let (_, compare) = found.ok_or_else(|| {
            self.wrong("a comparison is missing (=, !=, <, <=, >, >=, IS, NOT EXISTS)")
        })?;
        let is = self.value(compare)?;
        Ok(Test::Field(path, is))
    }

    fn path(&mut self) -> Result<Vec<Step>, ApiError> {
        if !self.take("$") {
            return Err(self.wrong("a selector like $.member is missing"));
        }
        let mut path = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                let stop = |c: char| !(c.is_alphanumeric() || ['_', '-', ':'].contains(&c));
                let end = rest.find(stop).unwrap_or(rest.len());
                if end == 0 {
                    return Err(self.wrong("a member's name is missing behind a dot"));
                }
                path.push(Step::Member(rest[..end].to_owned()));
                self.rest = &rest[end..];
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let end = rest.find(']').ok_or_else(|| self.wrong("] is missing"))?;
                let inside = rest[..end].trim();
                path.push(match inside.parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) if inside == "*" => Step::Every,
                    Err(_) => Step::Member(inside.trim_matches(['\'', '"']).to_owned()),
                });
                self.rest = &rest[end + 1..];
            } else {
                return Ok(path);
            }
        }
    }

    fn value(&mut self, compare: Compare) -> Result<Is, ApiError> {
        self.skip();
        let quoted = self.rest.starts_with('"');
        let regex = self.rest.starts_with('%');
        let text = if quoted || regex {
            let (text, rest) =
                term(self.rest).ok_or_else(|| self.wrong("a value is not closed"))?;
            self.rest = rest;
            text
        } else {
            let stop = |c: char| c.is_whitespace() || ['&', '|', ')', '('].contains(&c);
            let end = self.rest.find(stop).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            text.to_owned()
        };
        if text.is_empty() && !quoted {
            return Err(self.wrong("a value is missing"));
        }
        if regex {
            let regex = regex_of(self.whole, &text)?;
            return match compare {
                Compare::Equal => Ok(Is::Matching(regex, true)),
                Compare::NotEqual => Ok(Is::Matching(regex, false)),
                _ => Err(self.wrong("a %regex% is compared with = or !=")),
            };
        }
        let number = text.parse().ok().filter(|_| !quoted);
        match (compare, number) {
            (compare, Some(number)) => Ok(Is::Number(compare, number)),
            (Compare::Equal, None) => Ok(Is::Text(text)),
            (Compare::NotEqual, None) => Ok(Is::NotText(text)),
            _ => Err(self.wrong("a text is compared with = or !=")),
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::And(a, b) => a.holds(value) && b.holds(value),
            Self::Or(a, b) => a.holds(value) || b.holds(value),
            Self::Field(path, is) => {
                let mut found = Vec::new();
                walk(value, path, &mut found);
                match is {
                    Is::Missing => found.is_empty(),
                    is => found.iter().any(|value| is.holds(value)),
                }
            }
        }
    }
}

fn walk<'v>(value: &'v Value, path: &[Step], found: &mut Vec<&'v Value>) {
    match path.split_first() {
        None => found.push(value),
        Some((Step::Every, rest)) => {
            let items = value.as_array().into_iter().flatten();
            items.for_each(|item| walk(item, rest, found));
        }
        Some((Step::Member(name), rest)) => {
            value
                .get(name)
                .into_iter()
                .for_each(|v| walk(v, rest, found));
        }
        Some((Step::Index(index), rest)) => {
            value
                .get(index)
                .into_iter()
                .for_each(|v| walk(v, rest, found));
        }
    }
}

impl Is {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Number(compare, wanted) => {
                let given = value.as_f64();
                given.is_some_and(|given| compare.holds(given, *wanted))
            }
            Self::Text(wanted) => text(value).is_some_and(|text| alike(wanted, &text)),
            Self::NotText(wanted) => text(value).is_some_and(|text| !alike(wanted, &text)),
            Self::Matching(regex, yes) => {
                text(value).is_some_and(|text| regex.is_match(&text) == *yes)
            }
            Self::Null => value.is_null(),
            Self::True => value == &Value::Bool(true),
            Self::False => value == &Value::Bool(false),
            Self::Missing => false,
        }
    }
}

impl Compare {
    fn holds(self, given: f64, wanted: f64) -> bool {
        match self {
            Self::Equal => (given - wanted).abs() < f64::EPSILON,
            Self::NotEqual => (given - wanted).abs() >= f64::EPSILON,
            Self::Less => given < wanted,
            Self::LessOrEqual => given <= wanted,
            Self::Greater => given > wanted,
            Self::GreaterOrEqual => given >= wanted,
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

/// Whether `text` is `wanted`, in which `*` stands for anything.
fn alike(wanted: &str, text: &str) -> bool {
    let mut parts = wanted.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_documented() {
        let json = r#"{"status":429,"modelId":"us.x.haiku","ok":true,"no":null,"n":[{"a":1},{"a":2}],"t":"7"}"#;
        let rows = [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR timed", "ERROR: timed out", true),
            ("ERROR -timed", "ERROR: timed out", false),
            ("?a ?b", "only b", true),
            ("?a ?x", "only b", false),
            ("\"timed out\"", "it timed out", true),
            ("%4[0-9]{2}%", "status 429", true),
            ("{ $.status = 429 }", json, true),
            ("{ $.status >= 400 && $.status < 429 }", json, false),
            ("{ $.modelId = \"*haiku*\" }", json, true),
            ("{ $.modelId = *haiku }", json, true),
            ("{ $.modelId != \"*haiku\" }", json, false),
            ("{ $.ok IS TRUE && $.no IS NULL }", json, true),
            ("{ $.x NOT EXISTS }", json, true),
            ("{ $.ok NOT EXISTS }", json, false),
            ("{ $.n[1].a = 2 }", json, true),
            ("{ $.n[*].a = 1 }", json, true),
            (
                "{ ($.status = 1 || $.status = 429) && $.t = \"7\" }",
                json,
                true,
            ),
            (
                "{ $.status = 1 || $.ok IS TRUE && $.no IS NULL }",
                json,
                true,
            ),
            ("{ $.modelId = %haiku$% }", json, true),
            ("{ $.status = 429 }", "no json", false),
        ];
        for (pattern, message, wanted) in rows {
            let parsed =
                Pattern::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {}", e.message()));
            assert_eq!(parsed.matches(message), wanted, "{pattern} on {message}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let deep = format!("{{ {} }}", "(".repeat(900));
        for (pattern, said) in [
            ("{ $.a = 1", "} is missing"),
            ("{ a = 1 }", "a selector like $.member"),
            ("{ $.a }", "a comparison is missing"),
            ("{ $.a = }", "a value is missing"),
            ("{ $.a > \"x\" }", "compared with = or !="),
            ("{ $.a = 1 $.b = 2 }", "is not expected"),
            ("{ $.a IS 5 }", "IS takes"),
            ("\"open", "not closed"),
            ("%(%", "filter pattern"),
            ("[a, b]", "space-delimited"),
            (deep.as_str(), "too deep"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(
                error.message().contains(said),
                "{pattern}: {}",
                error.message()
            );
        }
    }
}
