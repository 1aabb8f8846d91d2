//! Sentences that mention the prompt.

/// An English answer to `prompt`, the same for the same `seed` and prompt.
pub fn reply(seed: u64, prompt: &str, max_tokens: u32) -> String {
    let _ = (seed, max_tokens);
    prompt.to_owned()
}
