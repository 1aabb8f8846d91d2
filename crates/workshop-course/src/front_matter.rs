//! Front matter: YAML of any normal form in, typed fields and diagnostics out.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;
use time::{Date, Month};

use crate::{Diagnostic, document::Part};

/// Every key we know, in the order in which posts write them.
const KNOWN: [&str; 13] = [
    "title",
    "date",
    "author",
    "excerpt",
    "category",
    "tags",
    "published",
    "series",
    "order",
    "exercises",
    "diagrams",
    "reviewed",
    "expires",
];

/// The front matter of one document; absent keys have the type's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FrontMatter {
    pub(crate) title: Option<String>,
    pub(crate) date: Option<Date>,
    pub(crate) author: String,
    pub(crate) excerpt: String,
    pub(crate) category: String,
    pub(crate) tags: Vec<String>,
    pub(crate) published: Option<bool>,
    pub(crate) series: Option<String>,
    pub(crate) order: Option<i64>,
    pub(crate) exercises: Vec<Located>,
    pub(crate) diagrams: Vec<Located>,
    pub(crate) reviewed: Option<Date>,
    pub(crate) expires: Option<Date>,
    /// Keys we do not know, with their values as text.
    pub(crate) other: BTreeMap<String, String>,
}

/// A name and the line of the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) name: String,
    pub(crate) line: usize,
}

impl FrontMatter {
    /// Reads the keys of `part`; those in `required` must be there.
    ///
    /// `None`, with at least one error in `diagnostics`, if the document cannot be used.
    pub(crate) fn parse(
        part: &Part,
        file: &str,
        required: &[&str],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let mut reader = Reader {
            fields: read_yaml(part, file, diagnostics)?,
            file,
            diagnostics,
            failed: false,
        };
        for &key in required {
            reader.require(key);
        }
        let front = Self {
            title: reader.text("title"),
            date: reader.date("date"),
            author: reader.text("author").unwrap_or_default(),
            excerpt: reader.text("excerpt").unwrap_or_default(),
            category: reader.text("category").unwrap_or_default(),
            tags: names(reader.list("tags", "tags: [AWS, Bedrock]")),
            published: reader.bool("published"),
            series: reader.text("series"),
            order: reader.integer("order"),
            exercises: reader.list("exercises", "exercises: [\"004\"]"),
            diagrams: reader.list("diagrams", "diagrams: [bedrock-architecture]"),
            reviewed: reader.date("reviewed"),
            expires: reader.date("expires"),
            other: reader.other(),
        };
        (!reader.failed).then_some(front)
    }
}

fn names(list: Vec<Located>) -> Vec<String> {
    list.into_iter().map(|located| located.name).collect()
}

/// Key → value and line of the value in the file.
type Fields = BTreeMap<String, (Yaml, usize)>;

fn read_yaml(part: &Part, file: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Fields> {
    if part.text.trim().is_empty() {
        return Some(Fields::new());
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<BTreeMap<Key, Spanned<Yaml>>>(&part.text, options) {
        Ok(map) => Some(
            map.into_iter()
                .map(|(Key(key), value)| {
                    let line = file_line(part, value.referenced.line());
                    (key, (value.value, line))
                })
                .collect(),
        ),
        Err(error) => {
            let line = error
                .location()
                .map_or(part.first_line, |l| file_line(part, l.line()));
            diagnostics.push(Diagnostic::error(
                file,
                line,
                format!("the front matter is not valid YAML: {}", first_line(&error)),
                "write one `key: value` a line between the two `---`; quote values that hold a colon",
            ));
            None
        }
    }
}

fn file_line(part: &Part, yaml_line: u64) -> usize {
    // A location that YAML does not know is line 0.
    part.first_line + usize::try_from(yaml_line).unwrap_or(1).saturating_sub(1)
}

/// The parser's message without the position it repeats (ours counts lines of the file).
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    line.trim_start_matches("error: ").to_owned()
}

/// Takes the known keys out of the fields, one by one.
struct Reader<'a> {
    fields: Fields,
    file: &'a str,
    diagnostics: &'a mut Vec<Diagnostic>,
    failed: bool,
}

impl Reader<'_> {
    fn error(&mut self, line: usize, message: String, cure: String) {
        self.failed = true;
        self.diagnostics
            .push(Diagnostic::error(self.file, line, message, cure));
    }

    fn require(&mut self, key: &str) {
        match self.fields.get(key) {
            None => self.error(
                1,
                format!("the front matter has no `{key}`"),
                format!("add a line `{}`", example(key)),
            ),
            Some((Yaml::Null, line)) => {
                let line = *line;
                self.error(
                    line,
                    format!("`{key}` is empty"),
                    format!("write for example `{}`", example(key)),
                );
                self.fields.remove(key);
            }
            Some(_) => {}
        }
    }

    /// The value of a key that is there and not null.
    fn take(&mut self, key: &str) -> Option<(Yaml, usize)> {
        self.fields
            .remove(key)
            .filter(|(value, _)| *value != Yaml::Null)
    }

    fn wrong(&mut self, key: &str, value: &Yaml, line: usize, wanted: &str) {
        self.error(
            line,
            format!("`{key}` is {}, not {wanted}", value.kind()),
            format!("write for example `{}`", example(key)),
        );
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let (value, line) = self.take(key)?;
        match value.as_text() {
            Some(text) if text.trim().is_empty() => {
                if key == "title" {
                    self.wrong(key, &value, line, "a title");
                }
                None
            }
            Some(text) => Some(text.trim().to_owned()),
            None => {
                self.wrong(key, &value, line, "text");
                None
            }
        }
    }

    fn date(&mut self, key: &str) -> Option<Date> {
        let (value, line) = self.take(key)?;
        let text = value.as_text();
        let date = text.as_deref().and_then(parse_date);
        if date.is_none() {
            let shown = text.unwrap_or_else(|| value.kind().to_owned());
            self.error(
                line,
                format!("`{key}` is not a day of the calendar: {shown}"),
                format!("write year-month-day, for example `{}`", example(key)),
            );
        }
        date
    }

    fn bool(&mut self, key: &str) -> Option<bool> {
        let (value, line) = self.take(key)?;
        if let Yaml::Bool(flag) = value {
            return Some(flag);
        }
        self.error(
            line,
            format!("`{key}` is {}, not true or false", value.kind()),
            format!("write `{key}: true` or `{key}: false`, without quotes"),
        );
        None
    }

    fn integer(&mut self, key: &str) -> Option<i64> {
        let (value, line) = self.take(key)?;
        if let Yaml::Number(number) = &value
            && let Ok(number) = number.parse()
        {
            return Some(number);
        }
        self.wrong(key, &value, line, "a whole number");
        None
    }

    fn list(&mut self, key: &str, example: &str) -> Vec<Located> {
        let Some((value, line)) = self.take(key) else {
            return Vec::new();
        };
        let Yaml::List(items) = &value else {
            self.error(
                line,
                format!("`{key}` is {}, not a list", value.kind()),
                format!("write for example `{example}`"),
            );
            return Vec::new();
        };
        let mut list = Vec::new();
        for item in items {
            match item.as_text() {
                Some(text) if !text.trim().is_empty() => list.push(Located {
                    name: text.trim().to_owned(),
                    line,
                }),
                _ => self.error(
                    line,
                    format!("an item of `{key}` is {}, not text", item.kind()),
                    format!("write for example `{example}`"),
                ),
            }
        }
        list
    }

    /// What is left: kept, with a warning (a misspelt key would otherwise vanish silently).
    fn other(&mut self) -> BTreeMap<String, String> {
        let mut other = BTreeMap::new();
        for (key, (value, line)) in std::mem::take(&mut self.fields) {
            if KNOWN.contains(&key.as_str()) {
                continue;
            }
            self.diagnostics.push(Diagnostic::warning(
                self.file,
                line,
                format!("unknown front matter key `{key}`; it is kept but not shown"),
                format!(
                    "check its spelling; the known keys are {}",
                    KNOWN.join(", ")
                ),
            ));
            other.insert(key, value.to_string());
        }
        other
    }
}

fn example(key: &str) -> String {
    let value = match key {
        "date" | "reviewed" | "expires" => "2026-01-31",
        "tags" => "[AWS, Bedrock]",
        "published" => "true",
        "order" => "1",
        _ => "\"…\"",
    };
    format!("{key}: {value}")
}

/// `2025-10-18`, also as the day of a time stamp (`2025-10-18T09:30:00Z`).
fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    let (day, rest) = match text.find(['T', 't', ' ']) {
        Some(i) => text.split_at(i),
        None => (text, ""),
    };
    if !rest.is_empty()
        && !rest[1..]
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let mut parts = day.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits =
        |s: &str, max: usize| (1..=max).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    if !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

/// A YAML value with the distinctions front matter needs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Yaml {
    Null,
    Bool(bool),
    /// As text: it is only ever shown or read as an integer.
    Number(String),
    Text(String),
    List(Vec<Yaml>),
    Map(BTreeMap<String, Yaml>),
}

impl Yaml {
    /// For messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a group of keys",
        }
    }

    /// A scalar as it is shown.
    fn as_text(&self) -> Option<String> {
        match self {
            Self::Bool(flag) => Some(flag.to_string()),
            Self::Number(text) | Self::Text(text) => Some(text.clone()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl fmt::Display for Yaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Number(text) | Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Map(map) => {
                for (i, (key, item)) in map.iter().enumerate() {
                    write!(f, "{}{key}: {item}", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

/// A key; YAML allows any scalar there (`2025: …`), we keep its text.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Yaml::deserialize(deserializer)?.to_string()))
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        Yaml::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        Yaml::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Yaml, E> {
        Ok(Yaml::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Yaml, E> {
        Ok(Yaml::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Yaml, E> {
        Ok(Yaml::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        Ok(Yaml::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Yaml, E> {
        Ok(Yaml::Text(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((Key(key), value)) = access.next_entry()? {
            map.insert(key, value);
        }
        Ok(Yaml::Map(map))
    }
}

#[cfg(test)]
mod tests;
