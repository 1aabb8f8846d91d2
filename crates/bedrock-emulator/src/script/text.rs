//! What a text, a name or a number must be like.

use serde_json::Value;

use crate::document::{Field, Mistake};

/// What a text must be like; all of it must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    tests: Vec<Test>,
}

#[derive(Debug, Clone)]
enum Test {
    Contains(String),
    Equals(String),
    Matches(regex_lite::Regex),
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Contains(a), Self::Contains(b)) | (Self::Equals(a), Self::Equals(b)) => a == b,
            (Self::Matches(a), Self::Matches(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Text {
    /// It contains this.
    pub fn contains(part: impl Into<String>) -> Self {
        Self::one(Test::Contains(part.into()))
    }

    /// It is exactly this.
    pub fn equals(whole: impl Into<String>) -> Self {
        Self::one(Test::Equals(whole.into()))
    }

    /// The regular expression is found in it (syntax of the crate `regex-lite`; `(?i)` ignores case,
    /// `^` and `$` tie it to the ends).
    ///
    /// # Panics
    ///
    /// If it is not a regular expression.
    pub fn matches(pattern: &str) -> Self {
        match regex_lite::Regex::new(pattern) {
            Ok(regex) => Self::one(Test::Matches(regex)),
            Err(error) => panic!("{pattern:?} is not a regular expression: {error}"),
        }
    }

    fn one(test: Test) -> Self {
        Self { tests: vec![test] }
    }

    /// `"part"`, or `{ contains = …, equals = …, regex = … }`.
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        if field.value.is_string() {
            return Ok(Self::contains(field.text()?));
        }
        let mut table = field.table()?;
        let mut tests = Vec::new();
        if let Some(parts) = table.read("contains", |f| f.texts())? {
            tests.extend(parts.into_iter().map(Test::Contains));
        }
        if let Some(whole) = table.read("equals", |f| f.text())? {
            tests.push(Test::Equals(whole.to_owned()));
        }
        if let Some(regex) = table.read("regex", |f| regex(&f))? {
            tests.push(Test::Matches(regex));
        }
        if tests.is_empty() && table.open().next().is_none() {
            return Err(table.mistake("is empty; write contains, equals or regex"));
        }
        table.finish()?;
        Ok(Self { tests })
    }

    pub(super) fn shown(&self) -> Value {
        if let [Test::Contains(part)] = self.tests.as_slice() {
            return Value::from(part.as_str());
        }
        let mut parts = Vec::new();
        let mut map = serde_json::Map::new();
        for test in &self.tests {
            match test {
                Test::Contains(part) => parts.push(part.as_str()),
                Test::Equals(whole) => drop(map.insert("equals".to_owned(), whole.as_str().into())),
                Test::Matches(regex) => drop(map.insert("regex".to_owned(), regex.as_str().into())),
            }
        }
        if !parts.is_empty() {
            map.insert("contains".to_owned(), parts.into());
        }
        Value::Object(map)
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        self.tests.iter().all(|test| match test {
            Test::Contains(part) => text.contains(part.as_str()),
            Test::Equals(whole) => text == whole,
            Test::Matches(regex) => regex.is_match(text),
        })
    }

    /// `must contain "a" and match /b/`.
    pub(super) fn demand(&self) -> String {
        let each = self.tests.iter().map(|test| match test {
            Test::Contains(part) => format!("contain {part:?}"),
            Test::Equals(whole) => format!("be {whole:?}"),
            Test::Matches(regex) => format!("match /{regex}/"),
        });
        format!("must {}", each.collect::<Vec<_>>().join(" and "))
    }
}

impl From<&str> for Text {
    /// Contains it.
    fn from(part: &str) -> Self {
        Self::contains(part)
    }
}

fn regex(field: &Field<'_>) -> Result<regex_lite::Regex, Mistake> {
    let pattern = field.text()?;
    regex_lite::Regex::new(pattern).map_err(|error| {
        field.mistake(format!(
            "{pattern:?} is not a regular expression: {error}. A special character is meant \
             literally after a backslash; in TOML write the pattern in single quotes"
        ))
    })
}

/// Which numbers, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    from: u64,
    to: Option<u64>,
    every: u64,
}

impl Numbers {
    /// `from` and all after it.
    pub const fn from(from: u64) -> Self {
        Self {
            from,
            to: None,
            every: 1,
        }
    }

    /// Only up to this one.
    #[must_use]
    pub const fn to(self, to: u64) -> Self {
        Self {
            to: Some(to),
            ..self
        }
    }

    /// The first of them and then every n-th.
    #[must_use]
    pub const fn every(self, every: u64) -> Self {
        Self { every, ..self }
    }

    /// `3`, or `{ from = 2, to = 10, every = 2 }`.
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        if field.value.is_number() {
            let n = field.whole(1)?;
            return Ok(Self::from(n).to(n));
        }
        let mut table = field.table()?;
        let every = table.read("every", |f| f.whole(1))?.unwrap_or(1);
        // "Every third" means the third, the sixth and so on.
        let from = table.read("from", |f| f.whole(1))?.unwrap_or(every);
        let to = table.read("to", |f| f.whole(from))?;
        table.finish()?;
        Ok(Self { from, to, every })
    }

    pub(super) fn shown(self) -> Value {
        if self.to == Some(self.from) {
            return self.from.into();
        }
        let mut map = serde_json::Map::from_iter([("from".to_owned(), self.from.into())]);
        map.extend(self.to.map(|to| ("to".to_owned(), to.into())));
        if self.every != 1 {
            map.insert("every".to_owned(), self.every.into());
        }
        Value::Object(map)
    }

    pub(crate) fn holds(self, n: u64) -> bool {
        n >= self.from
            && self.to.is_none_or(|to| n <= to)
            && (n - self.from).is_multiple_of(self.every.max(1))
    }
}

impl From<u64> for Numbers {
    /// Only this one.
    fn from(n: u64) -> Self {
        Self::from(n).to(n)
    }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to {
            Some(to) if to == self.from => return write!(f, "number {to}"),
            Some(to) => write!(f, "number {} to {to}", self.from)?,
            None => write!(f, "number {} or later", self.from)?,
        }
        match self.every {
            0 | 1 => Ok(()),
            n => write!(f, ", each {n} apart"),
        }
    }
}

/// Whether `name` fits `pattern`, where `*` stands for any characters and `?` for one.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                // Let the last star take one byte more.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, name, yes) in [
            ("Converse*", "ConverseStream", true),
            ("Converse", "ConverseStream", false),
            ("*haiku*", "us.claude-haiku-4", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("**a", "ba", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn numbers_are_single_ranges_or_steps() {
        let of = |numbers: Numbers| (1..=10).filter(|n| numbers.holds(*n)).collect::<Vec<_>>();
        assert_eq!(of(Numbers::from(3).to(3)), [3]);
        assert_eq!(of(Numbers::from(8)), [8, 9, 10]);
        assert_eq!(of(Numbers::from(2).to(8).every(3)), [2, 5, 8]);
    }
}
