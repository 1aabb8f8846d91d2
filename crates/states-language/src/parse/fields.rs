//! The fields of one JSON object of a definition, read one by one.

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde_json::{Map, Value};

use crate::{
    diagnostic::Diagnostic,
    path::{Path, ReferencePath},
};

/// An object, where it stands, and which of its fields were asked for. What was not is unknown.
pub(super) struct Fields<'a> {
    members: Option<&'a Map<String, Value>>,
    at: String,
    asked: BTreeSet<&'a str>,
}

type Found = Vec<Diagnostic>;

/// A field that may be `null`, which means something else than its absence.
pub(super) enum Nullable<T> {
    Absent,
    Null,
    Given(T),
}

impl<T> Nullable<T> {
    /// What the field means, with the meaning of its absence.
    pub(super) fn or(self, absent: T) -> Option<T> {
        match self {
            Self::Absent => Some(absent),
            Self::Null => None,
            Self::Given(value) => Some(value),
        }
    }
}

impl<'a> Fields<'a> {
    /// Of the object at `at`, which is empty for the definition itself.
    pub(super) fn new(value: &'a Value, at: String) -> Self {
        Self {
            members: value.as_object(),
            at,
            asked: BTreeSet::new(),
        }
    }

    /// As `new`, with a finding when it is no object.
    pub(super) fn of(value: &'a Value, at: String, found: &mut Found) -> Self {
        if !value.is_object() {
            found.push(Diagnostic::schema(at.clone(), "Value must be an object"));
        }
        Self::new(value, at)
    }

    /// Where the object stands, as a prefix.
    pub(super) fn location(&self) -> &str {
        &self.at
    }

    /// Where the object stands, for a finding: the definition itself is `/` (recorded).
    pub(super) fn place(&self) -> String {
        if self.at.is_empty() {
            "/".to_owned()
        } else {
            self.at.clone()
        }
    }

    /// Where a field stands.
    pub(super) fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// The field, from now on known.
    pub(super) fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.insert(name);
        self.members?.get(name)
    }

    /// A field that was read by other means.
    pub(super) fn known(&mut self, name: &'a str) {
        self.asked.insert(name);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members
            .is_some_and(|members| members.contains_key(name))
    }

    /// All fields, for objects whose names say what they are.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.members.into_iter().flatten()
    }

    /// Says which of those are missing (recorded).
    pub(super) fn required(&self, names: &[&str], found: &mut Found) {
        let missing: Vec<&str> = names.iter().copied().filter(|n| !self.has(n)).collect();
        if self.members.is_some() && !missing.is_empty() {
            let missing = missing.join(", ");
            found.push(Diagnostic::schema(
                self.place(),
                format!("These fields are required: [{missing}]"),
            ));
        }
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        found: &mut Found,
    ) -> Option<T> {
        let value = self.value(name)?;
        let typed = read(value);
        if typed.is_none() {
            found.push(Diagnostic::schema(
                self.below(name),
                format!("The field '{name}' must be {what}"),
            ));
        }
        typed
    }

    pub(super) fn text(&mut self, name: &'static str, found: &mut Found) -> Option<&'a str> {
        self.typed(name, "a string", Value::as_str, found)
    }

    pub(super) fn bool(&mut self, name: &'static str, found: &mut Found) -> Option<bool> {
        self.typed(name, "a boolean", Value::as_bool, found)
    }

    pub(super) fn object(
        &mut self,
        name: &'static str,
        found: &mut Found,
    ) -> Option<&'a Map<String, Value>> {
        self.typed(name, "an object", Value::as_object, found)
    }

    /// A list; that a required one is not empty is for the caller.
    pub(super) fn list(&mut self, name: &'static str, found: &mut Found) -> Option<&'a [Value]> {
        let list = self.typed(name, "an array", Value::as_array, found);
        list.map(Vec::as_slice)
    }

    pub(super) fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
        found: &mut Found,
    ) -> Option<u64> {
        let what = format!("an integer from {} to {}", range.start(), range.end());
        let read = |value: &Value| value.as_u64().filter(|number| range.contains(number));
        self.typed(name, &what, read, found)
    }

    pub(super) fn number(
        &mut self,
        name: &'static str,
        least: f64,
        found: &mut Found,
    ) -> Option<f64> {
        let what = format!("a number of at least {least:.1}");
        let read = |value: &Value| value.as_f64().filter(|number| *number >= least);
        self.typed(name, &what, read, found)
    }

    pub(super) fn path(&mut self, name: &'static str, found: &mut Found) -> Option<Path> {
        let text = self.text(name, found)?;
        self.parsed(name, "a valid JSONPath", Path::parse(text), found)
    }

    pub(super) fn nullable_path(
        &mut self,
        name: &'static str,
        found: &mut Found,
    ) -> Nullable<Path> {
        match self.value(name) {
            None => Nullable::Absent,
            Some(Value::Null) => Nullable::Null,
            Some(_) => self
                .path(name, found)
                .map_or(Nullable::Null, Nullable::Given),
        }
    }

    pub(super) fn nullable_reference_path(
        &mut self,
        name: &'static str,
        found: &mut Found,
    ) -> Nullable<ReferencePath> {
        match self.value(name) {
            None => return Nullable::Absent,
            Some(Value::Null) => return Nullable::Null,
            Some(_) => {}
        }
        let Some(text) = self.text(name, found) else {
            return Nullable::Null;
        };
        let parsed = ReferencePath::parse(text);
        self.parsed(name, "a valid Reference Path", parsed, found)
            .map_or(Nullable::Null, Nullable::Given)
    }

    /// What was parsed from a field, or a finding.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        what: &str,
        parsed: Result<T, String>,
        found: &mut Found,
    ) -> Option<T> {
        parsed
            .map_err(|why| {
                found.push(Diagnostic::schema(
                    self.below(name),
                    format!("The value for the field '{name}' must be {what}: {why}"),
                ));
            })
            .ok()
    }

    /// Refuses two fields that say the same.
    pub(super) fn only_one(&self, names: &[&str], found: &mut Found) {
        let given: Vec<&str> = names.iter().copied().filter(|n| self.has(n)).collect();
        if given.len() > 1 {
            found.push(Diagnostic::schema(
                self.place(),
                format!(
                    "Only one of these fields may be given: [{}]",
                    given.join(", ")
                ),
            ));
        }
    }

    /// Says which fields nobody asked for (measured).
    pub(super) fn finish(&self, found: &mut Found) {
        for (name, _) in self.members() {
            if !self.asked.contains(name.as_str()) {
                found.push(Diagnostic::schema(
                    self.place(),
                    format!("Field '{name}' is not supported"),
                ));
            }
        }
    }
}
