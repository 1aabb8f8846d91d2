//! Tokens of lists in pages. AWS's are opaque; ours are a fingerprint of the list and the key of the
//! last thing shown, in hexadecimal.

use std::{
    collections::hash_map::DefaultHasher,
    fmt::Write as _,
    hash::{Hash as _, Hasher as _},
};

use bedrock_emulator::{error::ApiError, neighbour::Visit};

use super::error::INVALID_TOKEN;

/// A list that comes in pages.
pub(super) struct List(u64);

impl List {
    /// The list that a request asks for with these filters.
    pub(super) fn new(visit: &Visit, filters: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (&*visit.account, &*visit.region, visit.operation, filters).hash(&mut hasher);
        Self(hasher.finish())
    }

    /// The token of the page after `key`.
    pub(super) fn token(&self, key: &str) -> String {
        let mut token = format!("{:016x}", self.0);
        for byte in key.bytes() {
            let _ = write!(token, "{byte:02x}");
        }
        token
    }

    /// After what the page begins; a token of another list is refused.
    pub(super) fn after(&self, token: Option<&str>) -> Result<Option<String>, ApiError> {
        let Some(token) = token else { return Ok(None) };
        let key = token
            .strip_prefix(&format!("{:016x}", self.0))
            .and_then(decoded);
        // Recorded, of a task token.
        key.map(Some)
            .ok_or_else(|| INVALID_TOKEN.error("Invalid Token: 'Invalid token'"))
    }
}

fn decoded(hex: &str) -> Option<String> {
    let digits = hex.as_bytes().chunks(2);
    let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}
