//! Bodies that `InvokeModel` checks against a JSON schema (Titan, Nova, Cohere): the complaints of
//! all broken rules in one message, with places as JSON pointers (recorded through Converse, seen
//! live on `InvokeModel`; the sentence of each rule is that of AWS's validator).

use serde_json::{Map, Value};

use crate::error::ApiError;

/// The broken rules of one body, in order.
#[derive(Debug, Default)]
pub(crate) struct Malformed(Vec<String>);

impl Malformed {
    /// 400 `ValidationException` if there is any. One sentence joins them with commas since 2026.
    pub(crate) fn into_result(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(refusal(&self.0.join(", ")))
    }

    /// A complaint about the value at `at` (`#`, `#/texts/0`).
    pub(crate) fn add(&mut self, at: &str, what: &str) {
        self.0.push(format!("{at}: {what}"));
    }

    /// An object with these members and no others. `None` when it is none.
    pub(crate) fn object<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        required: &[&str],
        allowed: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Value::Object(map) = value else {
            self.expected(at, "JSONObject", value);
            return None;
        };
        for key in required {
            if !map.contains_key(*key) {
                self.add(at, &format!("required key [{key}] not found"));
            }
        }
        for key in map.keys() {
            if !allowed.contains(&key.as_str()) {
                self.add(at, &format!("extraneous key [{key}] is not permitted"));
            }
        }
        Some(map)
    }

    /// A text of `min..=max` characters.
    pub(crate) fn text<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        min: usize,
        max: usize,
    ) -> Option<&'v str> {
        let Some(text) = value.as_str() else {
            self.expected(at, "String", value);
            return None;
        };
        let length = text.chars().count();
        if length < min {
            self.add(at, &format!("expected minLength: {min}, actual: {length}"));
        } else if length > max {
            self.add(at, &format!("expected maxLength: {max}, actual: {length}"));
        }
        Some(text)
    }

    /// One of `words`.
    pub(crate) fn word(&mut self, at: &str, value: &Value, words: &[&str]) {
        match value.as_str() {
            Some(word) if words.contains(&word) => {}
            Some(word) => self.add(at, &format!("{word} is not a valid enum value")),
            None => self.expected(at, "String", value),
        }
    }

    /// One of `numbers`.
    pub(crate) fn choice(&mut self, at: &str, value: &Value, numbers: &[u32]) -> Option<usize> {
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
        if let Some(number) = number.filter(|n| numbers.contains(n)) {
            usize::try_from(number).ok()
        } else {
            self.add(at, &format!("{value} is not a valid enum value"));
            None
        }
    }

    /// A whole number from `min` to `max`.
    pub(crate) fn integer(&mut self, at: &str, value: &Value, min: u32, max: u32) -> Option<u32> {
        let Some(number) = value.as_i64() else {
            self.expected(at, "Integer", value);
            return None;
        };
        self.bounds(
            at,
            &value.to_string(),
            number < i64::from(min),
            number > i64::from(max),
            min,
            max,
        );
        u32::try_from(number).ok()
    }

    /// A number from `min` to `max`.
    pub(crate) fn number(&mut self, at: &str, value: &Value, min: u32, max: u32) -> Option<f64> {
        let Some(number) = value.as_f64() else {
            self.expected(at, "Number", value);
            return None;
        };
        self.bounds(
            at,
            &value.to_string(),
            number < f64::from(min),
            number > f64::from(max),
            min,
            max,
        );
        Some(number)
    }

    /// A list of `min..=max` items.
    pub(crate) fn list<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        min: usize,
        max: usize,
    ) -> &'v [Value] {
        let Value::Array(items) = value else {
            self.expected(at, "JSONArray", value);
            return &[];
        };
        let count = items.len();
        if count < min {
            self.add(
                at,
                &format!("expected minimum item count: {min}, found: {count}"),
            );
        } else if count > max {
            self.add(
                at,
                &format!("expected maximum item count: {max}, found: {count}"),
            );
        }
        items
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, at: &str, value: &Value) -> Option<bool> {
        if !value.is_boolean() {
            self.expected(at, "Boolean", value);
        }
        value.as_bool()
    }

    fn bounds(&mut self, at: &str, shown: &str, under: bool, over: bool, min: u32, max: u32) {
        if under {
            self.add(at, &format!("{shown} is not greater or equal to {min}"));
        } else if over {
            self.add(at, &format!("{shown} is not less or equal to {max}"));
        }
    }

    fn expected(&mut self, at: &str, wanted: &str, found: &Value) {
        let found = match found {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Number(n) if n.is_f64() => "BigDecimal",
            Value::Number(_) => "Integer",
            Value::String(_) => "String",
            Value::Array(_) => "JSONArray",
            Value::Object(_) => "JSONObject",
        };
        self.add(at, &format!("expected type: {wanted}, found: {found}"));
    }
}

/// `Malformed input request: …` with these complaints.
pub(crate) fn refusal(complaints: &str) -> ApiError {
    ApiError::validation(format!(
        "Malformed input request: {complaints}, please reformat your input and try again."
    ))
}
