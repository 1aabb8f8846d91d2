//! A request's members, whatever protocol they came in: numbers and times may stand as text.

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{invalid, missing};
use crate::error::ApiError;

/// A structure of the service model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'v> {
    members: &'v Value,
}

impl<'v> Input<'v> {
    pub(super) const fn new(members: &'v Value) -> Self {
        Self { members }
    }

    /// Everything that was asked.
    pub(super) const fn members(self) -> &'v Value {
        self.members
    }

    fn get(self, name: &str) -> Option<&'v Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Whether the member is there.
    pub(super) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A structure inside.
    pub(super) fn inside(self, name: &str) -> Option<Self> {
        self.get(name).filter(|v| v.is_object()).map(Self::new)
    }

    /// Yes or no.
    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::String(text) => Some(text == "true"),
            other => other.as_bool(),
        }
    }

    /// A text.
    pub(super) fn text(self, name: &str) -> Result<Option<&'v str>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(format!(
                "The parameter {name} must be a string, not {other}."
            ))),
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(self, name: &str) -> Result<&'v str, ApiError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| missing(name))
    }

    /// A finite number.
    pub(super) fn number(self, name: &str) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = number(value);
        let number = number.filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| {
            invalid(format!(
                "The value {value} for parameter {name} is not a number that can be stored."
            ))
        })
    }

    /// A whole number.
    pub(super) fn whole(self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let whole = match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        whole.map(Some).ok_or_else(|| {
            invalid(format!(
                "The value {value} for parameter {name} must be a whole number."
            ))
        })
    }

    /// A moment, in seconds since the Unix epoch.
    pub(super) fn time(self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let moment = match value {
            Value::String(text) => moment(text),
            other => other.as_f64().and_then(seconds),
        };
        moment.map(Some).ok_or_else(|| {
            invalid(format!(
                "The value {value} for parameter {name} is not a moment like 2026-11-22T09:00:00Z."
            ))
        })
    }

    /// A moment that must be there.
    pub(super) fn required_time(self, name: &str) -> Result<i64, ApiError> {
        self.time(name)?.ok_or_else(|| missing(name))
    }

    /// The structures of a list.
    pub(super) fn list(self, name: &str) -> Vec<Input<'v>> {
        let list = self.get(name).and_then(Value::as_array);
        list.into_iter().flatten().map(Input::new).collect()
    }

    /// The texts of a list.
    pub(super) fn texts(self, name: &str) -> Vec<&'v str> {
        let list = self.get(name).and_then(Value::as_array);
        let texts = list.into_iter().flatten();
        texts.filter_map(Value::as_str).collect()
    }

    /// The numbers of a list.
    pub(super) fn numbers(self, name: &str) -> Vec<f64> {
        let list = self.get(name).and_then(Value::as_array);
        let numbers = list.into_iter().flatten();
        numbers.filter_map(number).collect()
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

/// As clients write it: with a zone, or without one (then it is UTC), or in seconds.
fn moment(text: &str) -> Option<i64> {
    let zoned = OffsetDateTime::parse(text, &Rfc3339);
    let zoned = zoned.or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339));
    match zoned {
        Ok(time) => Some(time.unix_timestamp()),
        Err(_) => text.parse().ok().and_then(seconds),
    }
}

fn seconds(number: f64) -> Option<i64> {
    // As far as the calendar of this emulator goes.
    let sane = number.is_finite() && number.abs() < 250_000_000_000.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the bounds just checked"
    )]
    sane.then(|| number.floor() as i64)
}
