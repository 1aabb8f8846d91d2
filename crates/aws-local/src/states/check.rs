//! What the service model asks of a request's members, in the words of AWS's front door.

use bedrock_emulator::error::ApiError;

use super::error::validation;

/// Collects what is wrong: AWS tells all of it at once.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<String>);

impl Checks {
    /// A member that must be there, of `1..=most` characters.
    pub(super) fn required(&mut self, value: Option<String>, name: &str, most: usize) -> String {
        if value.is_none() {
            self.0.push(format!(
                "Value null at '{name}' failed to satisfy constraint: Member must not be null"
            ));
        }
        let value = value.unwrap_or_default();
        // What is missing has been told.
        if !self
            .0
            .last()
            .is_some_and(|told| told.contains(&format!("null at '{name}'")))
        {
            self.length(&value, name, 1, most);
        }
        value
    }

    /// A member that may be missing.
    pub(super) fn optional(&mut self, value: Option<&str>, name: &str, least: usize, most: usize) {
        if let Some(value) = value {
            self.length(value, name, least, most);
        }
    }

    fn length(&mut self, value: &str, name: &str, least: usize, most: usize) {
        let length = value.chars().count();
        let limit = if length > most {
            format!("less than or equal to {most}")
        } else if length < least {
            format!("greater than or equal to {least}")
        } else {
            return;
        };
        // What may be sensitive, and what is long, is not repeated.
        let shown = if value.len() > 256 { "…" } else { value };
        self.0.push(format!(
            "Value '{shown}' at '{name}' failed to satisfy constraint: Member must have length {limit}"
        ));
    }

    /// One of the words of an enumeration.
    pub(super) fn word(&mut self, value: Option<&str>, name: &str, words: &[&str]) {
        if let Some(value) = value
            && !words.contains(&value)
        {
            self.0.push(format!(
                "Value '{value}' at '{name}' failed to satisfy constraint: Member must satisfy enum \
                 value set: [{}]",
                words.join(", ")
            ));
        }
    }

    /// The size of a page; none and 0 stand for the default (documented).
    pub(super) fn page_size(&mut self, value: Option<i64>, default: usize, most: i64) -> usize {
        let value = value.unwrap_or(0);
        if value > most {
            self.0.push(format!(
                "Value '{value}' at 'maxResults' failed to satisfy constraint: Member must have value \
                 less than or equal to {most}"
            ));
        } else if value < 0 {
            self.0.push(format!(
                "Value '{value}' at 'maxResults' failed to satisfy constraint: Member must have value \
                 greater than or equal to 0"
            ));
        }
        match usize::try_from(value) {
            Ok(0) | Err(_) => default,
            Ok(size) => size,
        }
    }

    pub(super) fn finish(self) -> Result<(), ApiError> {
        let errors = match self.0.len() {
            0 => return Ok(()),
            1 => "1 validation error".to_owned(),
            several => format!("{several} validation errors"),
        };
        Err(validation(format!(
            "{errors} detected: {}",
            self.0.join("; ")
        )))
    }
}
