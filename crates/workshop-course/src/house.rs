//! Rules of our own course.

use crate::{Diagnostic, Tree};

/// Makers whose ids on Bedrock start with their name and a dot.
const MAKERS: [&str; 12] = [
    "anthropic",
    "amazon",
    "meta",
    "mistral",
    "cohere",
    "ai21",
    "deepseek",
    "qwen",
    "openai",
    "stability",
    "writer",
    "twelvelabs",
];

/// Words that, after `claude-`, make an id of what would be a slug.
const CLAUDE_WORDS: [&str; 5] = ["opus-", "sonnet-", "haiku-", "instant-", "v"];

/// Model ids in texts and code: they age, and the catalogue is the one place that knows them.
pub(crate) fn model_ids(tree: &Tree) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for path in tree.files.keys() {
        let Some(text) = tree.text(path) else {
            continue;
        };
        for (i, line) in text.lines().enumerate() {
            if let Some(id) = model_id_in(line) {
                diagnostics.push(Diagnostic::error(
                    path,
                    i + 1,
                    format!("`{id}` is a model id"),
                    "name the family (\"Claude Haiku\"), or take the id from the catalogue",
                ));
            }
        }
    }
    diagnostics
}

/// The first model id of a line.
fn model_id_in(line: &str) -> Option<&str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_')))
        .map(|token| token.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|token| is_model_id(token))
}

fn is_model_id(token: &str) -> bool {
    let on_bedrock = MAKERS.iter().any(|maker| {
        token.match_indices(maker).any(|(i, _)| {
            let starts = i == 0 || token[..i].ends_with('.');
            let rest = token[i + maker.len()..].strip_prefix('.');
            starts
                && rest.is_some_and(|r| r.contains('-') && r.contains(|c: char| c.is_ascii_digit()))
        })
    });
    let of_anthropic = token.find("claude-").is_some_and(|i| {
        let rest = &token[i + "claude-".len()..];
        let digit = |s: &str| s.starts_with(|c: char| c.is_ascii_digit());
        digit(rest)
            || CLAUDE_WORDS
                .iter()
                .any(|w| rest.strip_prefix(w).is_some_and(digit))
    });
    on_bedrock || of_anthropic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_ids_are_told_from_words() {
        // Put together here, so that this file has no id itself.
        let claude = ["claude", "sonnet", "9", "20990101"].join("-");
        for id in [
            format!("anthropic.{claude}-v1:0"),
            format!("us.anthropic.{claude}-v1:0"),
            format!("arn:aws:bedrock:us-east-1::foundation-model/anthropic.{claude}"),
            claude.clone(),
            ["anthropic.claude", "v2"].join("-"),
            ["amazon.nova", "lite", "v1:0"].join("-"),
            ["claude", "3", "opus"].join("-"),
        ] {
            assert!(
                model_id_in(&format!("let id = \"{id}\";")).is_some(),
                "{id}"
            );
        }
        for words in [
            "Claude Haiku (current)",
            "anthropic.claude-…",
            "https://docs.aws.amazon.com/bedrock/latest/userguide/what-is.html",
            "claude-code",
            "the post about claude-versus",
            "bedrock-2023-05-31",
            "meta-data.x-1",
        ] {
            assert_eq!(model_id_in(words), None, "{words}");
        }
    }
}
