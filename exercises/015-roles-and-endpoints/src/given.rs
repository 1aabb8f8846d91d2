//! Given: a session's length, a secret that does not print, what can be wrong with an endpoint. Not to
//! be edited.

use std::{error, fmt, sync::Arc, time::Duration};

/// How long a session of a role lasts: the shortest that STS gives.
pub const SESSION: Duration = Duration::from_mins(15);

/// A value that is for machines, and does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }

    /// The value, for whoever has to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In earnest: nothing but Bedrock's own endpoints.
    Production,
    /// On somebody's machine: an emulator on loopback as well.
    Development,
}

/// What is wrong with an endpoint. Of several the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointProblem {
    /// It is no URL with a scheme and a host.
    NotAUrl,
    /// Something like `name:password@` stands before the host.
    UserInfo,
    /// What is sent there can be read on the way.
    NotEncrypted,
    /// It is not Bedrock that answers there.
    NotBedrock,
}

impl fmt::Display for EndpointProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAUrl => "no URL with a scheme and a host",
            Self::UserInfo => "a user before the host",
            Self::NotEncrypted => "neither https nor loopback",
            Self::NotBedrock => "no endpoint of Amazon Bedrock",
        })
    }
}

impl error::Error for EndpointProblem {}

/// Whether a label of a host name has the form of a region: `us-east-1`, `us-gov-west-1`.
pub fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let [words @ .., number] = parts.as_slice() else {
        return false;
    };
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(letters)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Cuts a text where characters that belong begin and end, and says of each piece whether it does:
/// `runs("a b", char::is_alphabetic)` is `("a", true)`, `(" ", false)`, `("b", true)`.
pub fn runs(text: &str, belongs: impl Fn(char) -> bool) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = belongs(first);
        let end = rest.find(|c| belongs(c) != kind).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push((piece, kind));
        rest = after;
    }
    pieces
}
