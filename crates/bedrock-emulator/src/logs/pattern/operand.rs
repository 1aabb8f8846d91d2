//! What a value is compared with, in JSON and in columns: `= 4*`, `!= "x"`, `> 1000`, `= %regex%`.

use regex_lite::Regex;

use super::{quoted, wrong};
use crate::error::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    /// The sign that `text` begins with, and what follows it.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        const SIGNS: [(&str, Compare); 6] = [
            ("!=", Compare::NotEqual),
            (">=", Compare::GreaterOrEqual),
            ("<=", Compare::LessOrEqual),
            ("=", Compare::Equal),
            (">", Compare::Greater),
            ("<", Compare::Less),
        ];
        let mut signs = SIGNS.into_iter();
        signs.find_map(|(sign, compare)| Some((compare, text.strip_prefix(sign)?)))
    }

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

#[derive(Debug)]
pub(super) enum Operand {
    Number(Compare, f64),
    /// With `*` for anything; and whether it has to be that, or must not.
    Text(String, bool),
    Matching(Regex, bool),
}

impl Operand {
    /// The operand at the beginning of `text`, and what follows it. An unquoted one ends before white
    /// space and before one of `stops`.
    pub(super) fn read<'t>(
        whole: &str,
        text: &'t str,
        compare: Compare,
        stops: &[char],
    ) -> Result<(Self, &'t str), ApiError> {
        let text = text.trim_start();
        let literal = text.starts_with('"');
        let is_regex = text.starts_with('%');
        let (value, rest) = if literal || is_regex {
            quoted(text).ok_or_else(|| wrong(whole, "a value is not closed"))?
        } else {
            let stop = |c: char| c.is_whitespace() || stops.contains(&c);
            let (value, rest) = text.split_at(text.find(stop).unwrap_or(text.len()));
            (value.to_owned(), rest)
        };
        if value.is_empty() && !literal {
            return Err(wrong(whole, "a value is missing"));
        }
        let equal = match compare {
            Compare::Equal => Some(true),
            Compare::NotEqual => Some(false),
            _ => None,
        };
        let number: Option<f64> = value
            .parse()
            .ok()
            .filter(|n: &f64| !literal && n.is_finite());
        let operand = match (equal, number) {
            (Some(equal), _) if is_regex => Self::Matching(regex(whole, &value)?, equal),
            (None, _) if is_regex => {
                return Err(wrong(whole, "a %regex% is compared with = or !="));
            }
            (_, Some(number)) => Self::Number(compare, number),
            (Some(equal), None) => Self::Text(value, equal),
            (None, None) => return Err(wrong(whole, "a text is compared with = or !=")),
        };
        Ok((operand, rest))
    }

    /// Whether a value fits: its words, and the number that it is.
    pub(super) fn holds(&self, text: Option<&str>, number: Option<f64>) -> bool {
        match self {
            Self::Number(compare, wanted) => number.is_some_and(|n| compare.holds(n, *wanted)),
            Self::Text(wanted, equal) => text.is_some_and(|text| alike(wanted, text) == *equal),
            Self::Matching(regex, equal) => text.is_some_and(|t| regex.is_match(t) == *equal),
        }
    }
}

pub(super) fn regex(whole: &str, pattern: &str) -> Result<Regex, ApiError> {
    Regex::new(pattern).map_err(|error| wrong(whole, &error.to_string()))
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
