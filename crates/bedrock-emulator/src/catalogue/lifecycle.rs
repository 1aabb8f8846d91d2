//! When a model lives.

use std::fmt;

use serde::Deserialize;
use time::Date;

use super::day;

/// Lifecycle dates; `None` means not announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifecycle {
    /// First day on which it answers.
    #[serde(deserialize_with = "day::option")]
    pub start: Option<Date>,
    /// First day of `LEGACY`.
    #[serde(deserialize_with = "day::option")]
    pub legacy: Option<Date>,
    /// First day of public extended access: still there, at a higher price.
    #[serde(deserialize_with = "day::option")]
    pub extended: Option<Date>,
    /// First day on which it no longer answers.
    #[serde(deserialize_with = "day::option")]
    pub eol: Option<Date>,
    /// It had ended by the catalogue's `as_of`, on a day that no source names. Any earlier day
    /// sees it alive.
    pub retired: bool,
}

impl Lifecycle {
    /// Where a model with these dates is on `day`; `as_of` is the catalogue's.
    pub fn state(&self, day: Date, as_of: Date) -> LifecycleState {
        let since = |first: Option<Date>| first.is_some_and(|first| day >= first);
        if self.start.is_some_and(|start| day < start) {
            LifecycleState::NotYet
        } else if since(self.eol) || (self.retired && day >= as_of) {
            LifecycleState::EndOfLife
        } else if since(self.legacy) {
            LifecycleState::Legacy
        } else {
            LifecycleState::Active
        }
    }
}

/// Where a model is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleState {
    /// Nobody knows its id yet.
    NotYet,
    /// Current.
    Active,
    /// Still answers; its end is announced.
    Legacy,
    /// No longer answers.
    EndOfLife,
}

impl LifecycleState {
    /// Whether a model in this state answers.
    pub const fn lives(self) -> bool {
        matches!(self, Self::Active | Self::Legacy)
    }
}

impl fmt::Display for LifecycleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotYet => "NOT_YET",
            Self::Active => "ACTIVE",
            Self::Legacy => "LEGACY",
            Self::EndOfLife => "END_OF_LIFE",
        })
    }
}
