//! What the service model says about single members, as the front of the service words it:
//! `2 validation errors detected: Value … at … failed to satisfy constraint: …; …`.

use std::fmt::Display;

use bedrock_emulator::error::ApiError;

use super::error::validation;

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(super) struct Constraints(Vec<String>);

impl Constraints {
    /// It is wrong that this member has this value.
    pub(super) fn fail(&mut self, member: &str, value: Option<&dyn Display>, must: &str) {
        let value = value.map_or("null".to_owned(), |value| format!("'{value}'"));
        self.0.push(format!(
            "Value {value} at '{member}' failed to satisfy constraint: Member must {must}"
        ));
    }

    /// It must be there.
    pub(super) fn required(&mut self, member: &str, is_there: bool) {
        if !is_there {
            self.fail(member, None, "not be null");
        }
    }

    /// It must be one of these.
    pub(super) fn one_of(&mut self, member: &str, value: Option<&str>, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(value)) {
            let must = format!("satisfy enum value set: [{}]", allowed.join(", "));
            self.fail(member, Some(&value), &must);
        }
    }

    /// It must be at least this.
    pub(super) fn at_least(&mut self, member: &str, value: Option<i64>, least: i64) {
        if let Some(value) = value.filter(|value| *value < least) {
            let must = format!("have value greater than or equal to {least}");
            self.fail(member, Some(&value), &must);
        }
    }

    /// It must be at most this.
    pub(super) fn at_most(&mut self, member: &str, value: Option<i64>, limit: i64) {
        if let Some(value) = value.filter(|value| *value > limit) {
            let must = format!("have value less than or equal to {limit}");
            self.fail(member, Some(&value), &must);
        }
    }

    /// The error, if anything is wrong.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        Err(validation(format!(
            "{count} validation error{plural} detected: {}",
            self.0.join("; ")
        )))
    }
}
