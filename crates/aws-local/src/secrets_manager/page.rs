//! Lists in pages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::error::ApiError;
use serde::Deserialize;

use super::error::{INVALID_NEXT_TOKEN, VALIDATION};

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Page {
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Page {
    /// That part, and the next part's token. `list` tells this list's tokens from another's.
    pub(super) fn of<T>(
        self,
        all: Vec<T>,
        most: usize,
        list: &str,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let size = match self.max_results {
            None => most,
            Some(told) => {
                let size = usize::try_from(told)
                    .ok()
                    .filter(|n| (1..=most).contains(n));
                size.ok_or_else(|| {
                    VALIDATION.error(format!(
                        "1 validation error detected: Value '{told}' at 'maxResults' failed to satisfy \
                         constraint: Member must be between 1 and {most}"
                    ))
                })?
            }
        };
        let start = match self.next_token {
            None => 0,
            Some(token) => read(&token, list)
                .filter(|start| *start <= all.len())
                .ok_or_else(|| INVALID_NEXT_TOKEN.error("The NextToken value is invalid."))?,
        };
        let end = start.saturating_add(size).min(all.len());
        let next = (end < all.len()).then(|| STANDARD.encode(format!("{list}:{end}")));
        let page = all.into_iter().skip(start).take(size).collect();
        Ok((page, next))
    }
}

fn read(token: &str, list: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
}
