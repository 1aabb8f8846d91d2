//! Limits of the service model, reported as AWS's request framework does: all in one message.

use crate::error::ApiError;

/// The broken constraints of one request, in order.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    /// `ValidationException` if there is any.
    pub(crate) fn into_result(self) -> Result<(), ApiError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let noun = if count == 1 { "error" } else { "errors" };
        Err(ApiError::validation(format!(
            "{count} validation {noun} detected: {}",
            self.0.join("; ")
        )))
    }

    pub(crate) fn required(&mut self, at: &str, present: bool) {
        if !present {
            self.add(at, None, "Member must not be null");
        }
    }

    pub(crate) fn min_length(&mut self, at: &str, text: &str, min: usize) {
        if text.chars().count() < min {
            let limit = format!("Member must have length greater than or equal to {min}");
            self.add(at, Some(text), &limit);
        }
    }

    pub(crate) fn min_items(&mut self, at: &str, min: usize) {
        let limit = format!("Member must have length greater than or equal to {min}");
        self.add(at, Some("[]"), &limit);
    }

    pub(crate) fn max_items(&mut self, at: &str, max: usize) {
        let limit = format!("Member must have length less than or equal to {max}");
        self.add(at, None, &limit);
    }

    pub(crate) fn at_least(&mut self, at: &str, number: i64, min: i64) {
        if number < min {
            let limit = format!("Member must have value greater than or equal to {min}");
            self.add(at, Some(&number.to_string()), &limit);
        }
    }

    /// A number from 0 to 1.
    pub(crate) fn fraction(&mut self, at: &str, number: f64) {
        if number < 0.0 {
            let limit = "Member must have value greater than or equal to 0";
            self.add(at, Some(&number.to_string()), limit);
        } else if number > 1.0 {
            let limit = "Member must have value less than or equal to 1";
            self.add(at, Some(&number.to_string()), limit);
        }
    }

    pub(crate) fn one_of(&mut self, at: &str, text: &str, values: &[&str]) {
        if !values.contains(&text) {
            let set = values.join(", ");
            let limit = format!("Member must satisfy enum value set: [{set}]");
            self.add(at, Some(text), &limit);
        }
    }

    /// A name of 1 to 64 letters, digits and `extra` characters.
    pub(crate) fn name(&mut self, at: &str, text: &str, pattern: &str, extra: &str) {
        self.min_length(at, text, 1);
        if text.chars().count() > 64 {
            let limit = "Member must have length less than or equal to 64";
            self.add(at, Some(text), limit);
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
        if !text.is_empty() && !text.chars().all(legal) {
            let limit = format!("Member must satisfy regular expression pattern: {pattern}");
            self.add(at, Some(text), &limit);
        }
    }

    fn add(&mut self, at: &str, value: Option<&str>, limit: &str) {
        let value = value.map_or_else(String::new, |v| format!(" '{v}'"));
        self.0.push(format!(
            "Value{value} at '{at}' failed to satisfy constraint: {limit}"
        ));
    }
}
