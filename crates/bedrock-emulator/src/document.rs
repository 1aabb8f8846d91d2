//! Reads documents of known keys, TOML or JSON, and names their mistakes: where, which key, and the
//! cure. Scripts, fault rules and the control API's bodies are read with it, so that a mistake reads
//! the same in a file and over HTTP.

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    path: Vec<Step>,
    message: String,
    /// Line and column, from 1, where the document has lines.
    place: Option<(usize, usize)>,
}

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    /// From 0.
    Item(usize),
}

impl Mistake {
    /// Line and column, counted from 1, if the document has lines.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }

    /// Where it is, in words: ``reply 2, say 1: `wait_ms` ``.
    fn field(&self) -> String {
        let mut lists = Vec::new();
        let mut keys: Vec<&str> = Vec::new();
        for step in &self.path {
            match step {
                Step::Key(key) => keys.push(key),
                Step::Item(n) => lists.push(format!("{} {}", keys.join("."), n + 1)),
            }
            if matches!(step, Step::Item(_)) {
                keys.clear();
            }
        }
        let mut words = lists.join(", ");
        if !keys.is_empty() {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push('`');
            words += &keys.join(".");
            words.push('`');
        }
        words
    }
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        let field = self.field();
        if field.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{field} {}", self.message)
        }
    }
}

impl std::error::Error for Mistake {}

/// Reads a TOML document with `read`, and tells lines and columns of its mistakes.
pub(crate) fn from_toml<T>(
    text: &str,
    read: impl FnOnce(Table<'_>) -> Result<T, Mistake>,
) -> Result<T, Mistake> {
    let parsed = DeTable::parse(text).map_err(|error| Mistake {
        path: Vec::new(),
        message: format!("this is not TOML: {}", error.message()),
        place: error.span().map(|span| line_and_column(text, span.start)),
    })?;
    let table = parsed.get_ref();
    let value = Value::Object(object(table));
    read(Field::root(&value).table()?).map_err(|mut mistake| {
        let at = locate(table, &mistake.path).unwrap_or(0);
        mistake.place = Some(line_and_column(text, at));
        mistake
    })
}

fn object(table: &DeTable<'_>) -> Map<String, Value> {
    let entries = table.iter();
    let entries = entries.map(|(k, v)| (k.get_ref().to_string(), value(v.get_ref())));
    entries.collect()
}

/// A day or time becomes its text; numbers beyond 64 bits and infinities, which JSON has not, null.
fn value(toml: &DeValue<'_>) -> Value {
    match toml {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(n) => {
            i64::from_str_radix(n.as_str(), n.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(n) => n.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(when) => Value::from(when.to_string()),
        DeValue::Array(items) => items.iter().map(|item| value(item.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(object(table)),
    }
}

/// Where in the text a path leads, or as far as it leads.
fn locate(table: &DeTable<'_>, path: &[Step]) -> Option<usize> {
    enum Here<'t, 'i> {
        Table(&'t DeTable<'i>),
        Value(&'t DeValue<'i>),
    }
    let mut here = Here::Table(table);
    let mut at = None;
    for step in path {
        let inside = match here {
            Here::Table(table) => Some(table),
            Here::Value(value) => value.as_table(),
        };
        let next = match (step, &here) {
            (Step::Key(key), _) => {
                let (name, next) = inside?.iter().find(|(k, _)| k.get_ref() == key.as_str())?;
                at = Some(name.span().start);
                next
            }
            (Step::Item(n), Here::Value(value)) => {
                let next = value.as_array()?.get(*n)?;
                at = Some(next.span().start);
                next
            }
            (Step::Item(_), Here::Table(_)) => return at,
        };
        here = Here::Value(next.get_ref());
    }
    at
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    (line, before[start..].chars().count() + 1)
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Field<'v> {
    path: Vec<Step>,
    pub(crate) value: &'v Value,
}

impl<'v> Field<'v> {
    pub(crate) fn root(value: &'v Value) -> Self {
        Self {
            path: Vec::new(),
            value,
        }
    }

    /// This field is wrong: `message` goes on from its name.
    pub(crate) fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake {
            path: self.path.clone(),
            message: message.into(),
            place: None,
        }
    }

    fn wanted(&self, what: &str) -> Mistake {
        let found = match self.value {
            Value::Null => "nothing that can be written in JSON".to_owned(),
            Value::Bool(flag) => format!("{flag}"),
            Value::Number(n) => format!("{n}"),
            Value::String(text) => format!("{text:?}"),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a table".to_owned(),
        };
        self.mistake(format!("must be {what}, not {found}"))
    }

    pub(crate) fn text(&self) -> Result<&'v str, Mistake> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.wanted("a text in quotes"))
    }

    /// A text that is not empty.
    pub(crate) fn name(&self) -> Result<&'v str, Mistake> {
        match self.text()? {
            "" => Err(self.mistake("must not be empty")),
            text => Ok(text),
        }
    }

    /// One text or a list of them.
    pub(crate) fn texts(&self) -> Result<Vec<String>, Mistake> {
        if self.value.is_string() {
            return Ok(vec![self.text()?.to_owned()]);
        }
        let items = self
            .list()
            .map_err(|_| self.wanted("a text or a list of texts"))?;
        let texts = items.iter().map(|item| Ok(item.text()?.to_owned()));
        texts.collect()
    }

    pub(crate) fn flag(&self) -> Result<bool, Mistake> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wanted("true or false"))
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&self, least: u64) -> Result<u64, Mistake> {
        let number = self.value.as_u64().filter(|n| *n >= least);
        number.ok_or_else(|| self.wanted(&format!("a whole number, {least} or more")))
    }

    /// The same, where 32 bits are enough.
    pub(crate) fn small(&self, least: u64) -> Result<u32, Mistake> {
        u32::try_from(self.whole(least)?).map_err(|_| self.wanted("a number under 4,294,967,296"))
    }

    /// A number from `least` to `most`.
    pub(crate) fn number(&self, least: f64, most: f64) -> Result<f64, Mistake> {
        let number = self.value.as_f64().filter(|n| (least..=most).contains(n));
        number.ok_or_else(|| self.wanted(&format!("a number from {least} to {most}")))
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Mistake> {
        let said = self.text()?;
        let found = words.iter().find(|(word, _)| *word == said);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = did_you_mean(said, &names);
            self.mistake(format!("is {said:?}{hint} There are: {}", names.join(", ")))
        })
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, Mistake> {
        let Value::Array(items) = self.value else {
            return Err(self.wanted("a list"));
        };
        let items = items.iter().enumerate().map(|(n, value)| {
            let mut path = self.path.clone();
            path.push(Step::Item(n));
            Self { path, value }
        });
        Ok(items.collect())
    }

    pub(crate) fn table(&self) -> Result<Table<'v>, Mistake> {
        let Value::Object(entries) = self.value else {
            return Err(self.wanted("a table"));
        };
        Ok(Table {
            path: self.path.clone(),
            entries,
            known: Vec::new(),
        })
    }
}

/// A table whose keys are asked for one by one; [`Table::finish`] refuses those nobody asked for.
#[derive(Debug)]
pub(crate) struct Table<'v> {
    path: Vec<Step>,
    entries: &'v Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'v> Table<'v> {
    /// The key's value, if it is there.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Field<'v>> {
        self.known.push(key);
        let value = self.entries.get(key)?;
        Some(self.field(key, value))
    }

    /// The key's value, read.
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Field<'v>) -> Result<T, Mistake>,
    ) -> Result<Option<T>, Mistake> {
        self.get(key).map(read).transpose()
    }

    /// All entries, whatever they are called.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&'v str, Field<'v>)> {
        let entries = self.entries.iter();
        entries.map(|(key, value)| (key.as_str(), self.field(key, value)))
    }

    /// The table is wrong as a whole.
    pub(crate) fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake {
            path: self.path.clone(),
            message: message.into(),
            place: None,
        }
    }

    /// Refuses keys that nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), Mistake> {
        let strange = self
            .entries
            .keys()
            .find(|key| !self.known.contains(&key.as_str()));
        match strange {
            None => Ok(()),
            Some(key) => {
                let hint = did_you_mean(key, &self.known);
                let all = self.known.join(", ");
                let field = self.field(key, &Value::Null);
                Err(field.mistake(format!("is not a key here{hint} There are: {all}")))
            }
        }
    }

    fn field<'f>(&self, key: &str, value: &'f Value) -> Field<'f> {
        let mut path = self.path.clone();
        path.push(Step::Key(key.to_owned()));
        Field { path, value }
    }
}

/// `; did you mean …?`, or a full stop if nothing is near.
fn did_you_mean(said: &str, known: &[&str]) -> String {
    // `Throttling` for `ThrottlingException`: the beginning of one word only.
    let lower = said.to_ascii_lowercase();
    let mut begun = known
        .iter()
        .filter(|word| lower.len() > 3 && word.to_ascii_lowercase().starts_with(&lower));
    if let (Some(word), None) = (begun.next(), begun.next()) {
        return format!("; did you mean {word}?");
    }
    let far = known.iter().map(|word| (distance(said, word), *word));
    let near = far.filter(|(far, word)| *far <= 1 + word.len() / 3);
    match near.min() {
        Some((_, word)) => format!("; did you mean {word}?"),
        None => ".".to_owned(),
    }
}

/// How many letters must be added, dropped or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.to_lowercase().chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(), Mistake> {
        from_toml(text, |mut top| {
            if let Some(list) = top.get("reply") {
                for item in list.list()? {
                    let mut table = item.table()?;
                    table.read("times", |f| f.whole(1))?;
                    table.read("name", |f| f.name())?;
                    table.read("word", |f| f.word(&[("cut", 1), ("hang", 2)]))?;
                    table.finish()?;
                }
            }
            top.finish()
        })
    }

    #[test]
    fn mistakes_name_line_column_key_and_cure() {
        for (text, said) in [
            (
                "[[reply]]\ntimes = 0",
                "line 2, column 1: reply 1: `times` must be a whole number, 1 or more, not 0",
            ),
            (
                "[[reply]]\n\n[[reply]]\n  tims = 1",
                "line 4, column 3: reply 2: `tims` is not a key here; did you mean times? There are: times, name, word",
            ),
            (
                "repy = 1",
                "line 1, column 1: `repy` is not a key here; did you mean reply?",
            ),
            (
                "reply = [ { word = \"hank\" } ]",
                "line 1, column 13: reply 1: `word` is \"hank\"; did you mean hang? There are: cut, hang",
            ),
            ("reply = ", "line 1, column 9: this is not TOML"),
            ("reply = 5", "`reply` must be a list, not 5"),
            ("[[reply]]\nname = inf", "must be a text in quotes"),
        ] {
            let mistake = read(text).unwrap_err().to_string();
            assert!(mistake.contains(said), "{text}\n{mistake}");
        }
        read("[[reply]]\ntimes = 0x10\nname = \"a\"\nword = \"cut\"").unwrap();
    }
}
