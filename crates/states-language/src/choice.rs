//! Choice rules.

use std::{borrow::Cow, cmp::Ordering};

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{failure::Failure, path::Path, template::Env};

#[derive(Debug, Clone)]
pub(crate) enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    Test(Path, Test),
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Only values of this kind compare; others do not match.
    Compare(Kind, Operator, Operand),
    Matches(Wildcard),
    /// `IsString` and its like, with the answer wanted.
    Is(Is, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Numeric,
    Boolean,
    Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Value(Value),
    Path(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    Present,
    Numeric,
    String,
    Boolean,
    Timestamp,
}

impl Rule {
    pub(crate) fn holds(&self, env: &Env<'_>) -> Result<bool, Failure> {
        match self {
            Self::And(rules) => {
                for rule in rules {
                    if !rule.holds(env)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(rules) => {
                for rule in rules {
                    if rule.holds(env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(rule) => Ok(!rule.holds(env)?),
            Self::Test(variable, Test::Is(Is::Present, wanted)) => {
                let present = variable.select(env.root(variable)).is_ok();
                Ok(present == *wanted)
            }
            Self::Test(variable, test) => {
                let value = referenced(variable, env)?;
                test.holds(&value, env)
            }
        }
    }
}

/// Measured: a Choice that refers to nothing fails the execution.
fn referenced<'a>(path: &Path, env: &Env<'a>) -> Result<Cow<'a, Value>, Failure> {
    path.select(env.root(path)).map_err(|_| {
        Failure::runtime(format!(
            "Invalid path '{}': The choice state's condition path references an invalid value.",
            path.text()
        ))
    })
}

impl Test {
    fn holds(&self, value: &Value, env: &Env<'_>) -> Result<bool, Failure> {
        Ok(match self {
            Self::Is(is, wanted) => is.of(value) == *wanted,
            Self::Matches(pattern) => value.as_str().is_some_and(|text| pattern.matches(text)),
            Self::Compare(kind, operator, operand) => {
                let other = match operand {
                    Operand::Value(value) => Cow::Borrowed(value),
                    Operand::Path(path) => referenced(path, env)?,
                };
                kind.compare(value, &other)
                    .is_some_and(|ordering| operator.takes(ordering))
            }
        })
    }
}

impl Is {
    fn of(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Present => true,
            Self::Numeric => value.is_number(),
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => value.as_str().and_then(timestamp).is_some(),
        }
    }
}

impl Kind {
    fn compare(self, a: &Value, b: &Value) -> Option<Ordering> {
        match self {
            Self::String => Some(a.as_str()?.cmp(b.as_str()?)),
            Self::Boolean => Some(a.as_bool()?.cmp(&b.as_bool()?)),
            Self::Timestamp => Some(timestamp(a.as_str()?)?.cmp(&timestamp(b.as_str()?)?)),
            Self::Numeric => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
            },
        }
    }
}

impl Operator {
    fn takes(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::GreaterThan => ordering.is_gt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// RFC 3339 with an upper-case `T`, and `Z` or an offset (documented).
pub(crate) fn timestamp(text: &str) -> Option<OffsetDateTime> {
    let shaped = text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .filter(|_| shaped)
}

/// The pattern of `StringMatches`: `*` stands for any characters, `\*` for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard(Vec<String>);

impl Wildcard {
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let plain = match c {
                '*' => {
                    parts.push(String::new());
                    continue;
                }
                '\\' => match chars.next() {
                    Some(escaped @ ('*' | '\\')) => escaped,
                    _ => return Err("a backslash escapes only * and \\".to_owned()),
                },
                _ => c,
            };
            if let Some(last) = parts.last_mut() {
                last.push(plain);
            }
        }
        Ok(Self(parts))
    }

    /// Takes the earliest place for each part: no going back, so no pattern is slow.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

/// What a comparison's name means: `NumericLessThanEqualsPath`.
pub(crate) struct Comparison {
    pub(crate) kind: Kind,
    pub(crate) operator: Operator,
    /// The other value stands in the data.
    pub(crate) path: bool,
}

impl Comparison {
    pub(crate) fn named(name: &str) -> Option<Self> {
        const KINDS: [(&str, Kind); 4] = [
            ("String", Kind::String),
            ("Numeric", Kind::Numeric),
            ("Boolean", Kind::Boolean),
            ("Timestamp", Kind::Timestamp),
        ];
        let (rest, kind) = KINDS
            .iter()
            .find_map(|(prefix, kind)| Some((name.strip_prefix(prefix)?, *kind)))?;
        let (rest, path) = match rest.strip_suffix("Path") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let operator = match rest {
            "Equals" => Operator::Equals,
            "LessThan" => Operator::LessThan,
            "GreaterThan" => Operator::GreaterThan,
            "LessThanEquals" => Operator::LessThanEquals,
            "GreaterThanEquals" => Operator::GreaterThanEquals,
            _ => return None,
        };
        if kind == Kind::Boolean && operator != Operator::Equals {
            return None;
        }
        Some(Self {
            kind,
            operator,
            path,
        })
    }
}

impl Is {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "IsNull" => Self::Null,
            "IsPresent" => Self::Present,
            "IsNumeric" => Self::Numeric,
            "IsString" => Self::String,
            "IsBoolean" => Self::Boolean,
            "IsTimestamp" => Self::Timestamp,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("log-*.txt", "log-1.txt", true),
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "log-1.txt.gz", false),
            ("*", "", true),
            ("*.log", "a.log.log", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("2\\*3", "2*3", true),
            ("2\\*3", "2x3", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            ("", "", true),
        ] {
            let wildcard = Wildcard::parse(pattern).unwrap();
            assert_eq!(wildcard.matches(text), expected, "{pattern} {text}");
        }
        assert!(Wildcard::parse("a\\b").is_err());
        assert!(Wildcard::parse("a\\").is_err());
    }
}
