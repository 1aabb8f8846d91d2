//! Limits of the service model, reported as AWS's request framework does: all in one message.

use crate::{error::ApiError, place::Place};

/// The broken constraints of one request, in order.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    /// `ValidationException` if there is any.
    pub(crate) fn into_result(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.error())
    }

    fn error(&self) -> ApiError {
        let count = self.0.len();
        let noun = if count == 1 { "error" } else { "errors" };
        ApiError::validation(format!(
            "{count} validation {noun} detected: {}",
            self.0.join("; ")
        ))
    }

    pub(crate) fn required(&mut self, at: &Place<'_>, present: bool) {
        if !present {
            self.add(at, None, NOT_NULL);
        }
    }

    /// A text of `min` to `max` characters.
    pub(crate) fn length(&mut self, at: &Place<'_>, text: &str, min: usize, max: usize) {
        // Bytes bound characters from above, so most texts need no counting.
        if text.len() < min {
            self.add(at, Some(text), &at_least("length", min));
        } else if text.len() > max && text.chars().count() > max {
            self.add(at, Some(text), &at_most("length", max));
        }
    }

    /// A list or map of `min` to `max` elements.
    pub(crate) fn items(&mut self, at: &Place<'_>, count: usize, min: usize, max: usize) {
        if count < min {
            self.add(at, Some("[]"), &at_least("length", min));
        } else if count > max {
            self.add(at, None, &at_most("length", max));
        }
    }

    /// A blob of `min` to `max` bytes.
    pub(crate) fn bytes(&mut self, at: &Place<'_>, count: usize, min: usize, max: usize) {
        if count < min {
            self.add(at, None, &at_least("length", min));
        } else if count > max {
            self.add(at, None, &at_most("length", max));
        }
    }

    pub(crate) fn at_least(&mut self, at: &Place<'_>, number: i64, min: i64) {
        if number < min {
            self.add(at, Some(&number.to_string()), &at_least("value", min));
        }
    }

    /// A number from 0 to 1.
    pub(crate) fn fraction(&mut self, at: &Place<'_>, number: f64) {
        if number < 0.0 {
            self.add(at, Some(&number.to_string()), &at_least("value", 0));
        } else if number > 1.0 {
            self.add(at, Some(&number.to_string()), &at_most("value", 1));
        }
    }

    pub(crate) fn one_of(&mut self, at: &Place<'_>, text: &str, values: &[&str]) {
        if !values.contains(&text) {
            let set = values.join(", ");
            let limit = format!("Member must satisfy enum value set: [{set}]");
            self.add(at, Some(text), &limit);
        }
    }

    /// A text whose characters are all `legal`.
    pub(crate) fn pattern(
        &mut self,
        at: &Place<'_>,
        text: &str,
        pattern: &str,
        legal: impl Fn(char) -> bool,
    ) {
        if !text.chars().all(legal) {
            let limit = format!("Member must satisfy regular expression pattern: {pattern}");
            self.add(at, Some(text), &limit);
        }
    }

    /// A name of 1 to 64 letters, digits and `extra` characters.
    pub(crate) fn name(&mut self, at: &Place<'_>, text: &str, pattern: &str, extra: &str) {
        self.length(at, text, 1, 64);
        self.pattern(at, text, pattern, |c| {
            c.is_ascii_alphanumeric() || extra.contains(c)
        });
    }

    fn add(&mut self, at: &Place<'_>, value: Option<&str>, limit: &str) {
        let value = value.map_or_else(String::new, |v| format!(" '{}'", quoted(v)));
        self.0.push(broken(&at.framework(), &value, limit));
    }
}

/// The only broken constraint of a request: what stands `at` that member, or nothing does.
pub(crate) fn violation(at: &str, value: Option<&str>, limit: &str) -> ApiError {
    let value = value.map_or_else(String::new, |v| format!(" '{v}'"));
    Violations(vec![broken(at, &value, limit)]).error()
}

/// A member that must be there is not.
pub(crate) fn missing(at: &str) -> ApiError {
    violation(at, None, NOT_NULL)
}

const NOT_NULL: &str = "Member must not be null";

fn broken(at: &str, value: &str, limit: &str) -> String {
    format!("Value{value} at '{at}' failed to satisfy constraint: {limit}")
}

/// What was sent, as far as a message should carry it: 25 MB in a name need not come back (chosen).
fn quoted(value: &str) -> &str {
    const MOST: usize = 2_048;
    value
        .get(..value.floor_char_boundary(MOST))
        .unwrap_or(value)
}

fn at_least(what: &str, min: impl std::fmt::Display) -> String {
    format!("Member must have {what} greater than or equal to {min}")
}

fn at_most(what: &str, max: impl std::fmt::Display) -> String {
    format!("Member must have {what} less than or equal to {max}")
}
