//! Token counting: one function for usage, `CountTokens`, headers, logs, metrics and cost.

/// Tokens in `text`; grows with the text, at least 1 for a non-empty one.
pub fn count(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX)
}
