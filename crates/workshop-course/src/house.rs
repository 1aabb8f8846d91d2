//! Rules of our own course.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::{
    Course, Diagnostic, Post, Tree,
    document::{Document, Part},
    markdown::options,
};

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

/// Files in which the id itself is the mistake that a find-the-bug page shows, and what Bedrock answers
/// to it. They stand still when the catalogue moves on, and nobody calls with them.
pub const FILES_WITH_MISTAKEN_IDS: [&str; 7] = [
    "content/bugs/summary-client/summary.ts",
    "content/bugs/team-models/models.yaml",
    "content/recorded/bugs/bare-id.http",
    "content/recorded/bugs/ended-model.http",
    "content/recorded/bugs/haiku-twice.http",
    "content/recorded/bugs/no-version.http",
    "content/recorded/bugs/wrong-geography.http",
];

/// Model ids in texts and code: they age, and the catalogue is the one place that knows them.
pub(crate) fn model_ids(tree: &Tree) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for path in tree.files.keys() {
        if FILES_WITH_MISTAKEN_IDS.contains(&path.as_str()) {
            continue;
        }
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

/// Items of the register of mistakes: `P-01` to `P-37` and `D-01` to `D-15`.
const REGISTER: [(&str, usize); 2] = [("P", 37), ("D", 15)];

/// Find-the-bug pages tell each item of the register, and nothing else. (That none is told twice
/// is a rule of every course.)
pub(crate) fn bugs(tree: &Tree) -> Vec<Diagnostic> {
    let pages = Course::load(tree).bugs;
    let register: BTreeSet<String> = REGISTER
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |n| format!("{letter}-{n:02}")))
        .collect();
    let mut open = register.clone();
    let mut diagnostics = Vec::new();
    for page in &pages {
        for bug in &page.bugs {
            if !register.contains(&bug.id) {
                diagnostics.push(Diagnostic::error(
                    format!("{}/bug.toml", page.dir),
                    0,
                    format!("{} is no item of the register", bug.id),
                    "name one of P-01 to P-37 or D-01 to D-15",
                ));
            }
            open.remove(&bug.id);
        }
    }
    if !pages.is_empty() && !open.is_empty() {
        let open: Vec<String> = open.into_iter().collect();
        diagnostics.push(Diagnostic::error(
            "content/bugs",
            0,
            format!("no find-the-bug page tells {}", open.join(", ")),
            "add each as a [[bug]] to the page where it belongs",
        ));
    }
    diagnostics
}

/// Questions that each post ends with.
const QUESTIONS: usize = 3;

/// Languages whose code has to come from a tested file.
const TESTED: [&str; 6] = ["rust", "js", "javascript", "ts", "typescript", "python"];

/// What every post of ours has.
pub(crate) fn posts(tree: &Tree) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for post in Course::load(tree).posts {
        diagnostics.extend(missing(&post));
        if let Some(text) = tree.text(&post.file) {
            diagnostics.extend(fences(&post.file, &Document::parse(text).body));
        }
    }
    diagnostics
}

/// The heading of the list that success opens.
const READING: &str = "Read next";

/// Exercises without a reading list, and links in one that lead nowhere.
pub(crate) fn reading_lists(tree: &Tree) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for exercise in Course::load(tree).exercises {
        let file = format!("{}/after.md", exercise.dir);
        let mut wrong = |message: String, cure: &str| {
            diagnostics.push(Diagnostic::error(&*file, 0, message, cure));
        };
        let html = exercise.after.map(|after| after.html).unwrap_or_default();
        let list = html.split_once(&format!(">{READING}"));
        let links: Vec<&str> = list
            .map(|(_, list)| list.split("<a href=\"").skip(1).collect())
            .unwrap_or_default();
        // The heading's own anchor is no reading.
        let links = links.iter().filter_map(|link| link.split('"').next());
        let links: Vec<&str> = links.filter(|link| !link.starts_with('#')).collect();
        if links.is_empty() {
            wrong(
                format!("there is nothing to read under `## {READING}`"),
                "end the file with that heading and a list of links, each with a few words",
            );
        }
        for link in links.iter().filter(|link| !link.starts_with('/')) {
            if !is_address(link) {
                wrong(
                    format!("`{link}` is no address of the web"),
                    "write it whole, with https:// and a host",
                );
            }
        }
    }
    diagnostics
}

/// `https://docs.rs/…`: a reader follows it years from now, so it is not `http` and not an address of
/// one machine.
fn is_address(link: &str) -> bool {
    let Some(rest) = link.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let mut labels = host.split('.');
    host.contains('.')
        && labels.clone().all(|label| !label.is_empty())
        && labels
            .next_back()
            .is_some_and(|last| last.chars().all(|c| c.is_ascii_alphabetic()))
        && !rest.contains([' ', '<', '>', '|'])
}

fn missing(post: &Post) -> Vec<Diagnostic> {
    let asked = post.recall.len();
    let rows = [
        (
            post.reviewed.is_none(),
            "the post does not say when it was compared with AWS".to_owned(),
            "add `reviewed: 2026-01-31`, the day on which you did",
        ),
        (
            post.exercises.is_empty(),
            "the post leads to no exercise".to_owned(),
            "add `exercises: [\"004\"]`",
        ),
        (
            asked < QUESTIONS,
            format!("the post asks {asked} recall questions, not {QUESTIONS}"),
            "end it with fences that start with ```recall from=004",
        ),
    ];
    let rows = rows.into_iter().filter(|(missing, ..)| *missing);
    rows.map(|(_, message, cure)| Diagnostic::error(&*post.file, 1, message, cure))
        .collect()
}

/// Code that nothing tests, JSON and YAML that do not parse.
fn fences(file: &str, body: &Part) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for (event, range) in Parser::new_ext(&body.text, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = Some((info.into_string(), body.line_at(range.start), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, _, code)) = &mut open {
                    code.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let Some((info, line, code)) = open.take() else {
                    continue;
                };
                if let Some((message, cure)) = fence(&info, &code) {
                    diagnostics.push(Diagnostic::error(file, line, message, cure));
                }
            }
            _ => {}
        }
    }
    diagnostics
}

/// What is wrong with a fence, and the cure.
fn fence(info: &str, code: &str) -> Option<(String, &'static str)> {
    let lang = info.split([' ', ',', '\t']).next().unwrap_or_default();
    if info.contains("file=") {
        return None;
    }
    let wrong = match lang {
        "json" => serde_json::from_str::<serde_json::Value>(code)
            .err()
            .map(|error| error.to_string()),
        "yaml" | "yml" => serde_saphyr::from_str::<serde_json::Value>(code)
            .err()
            .map(|error| error.without_snippet().to_string()),
        lang if TESTED.contains(&lang) => {
            return Some((
                format!("the {lang} code in this fence is tested by nobody"),
                "put it into a region of a tested crate, and name it with `file=… region=…`",
            ));
        }
        _ => None,
    };
    wrong.map(|error| {
        (
            format!("the {lang} in this fence does not parse: {error}"),
            "correct it, or call the fence `text`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_tested_or_parse() {
        let body = Part {
            text: "```json\n{\"a\": 1}\n```\n\n```json\n{a}\n```\n\n```yaml\na: [1, 2]\n```\n\n\
                   ```yaml\na: [1\n```\n\n```rust\nfn a() {}\n```\n\n```rust file=x.rs\n```\n\n\
                   ```text\n{\n```\n"
                .to_owned(),
            first_line: 1,
        };
        let found: Vec<String> = fences("p.md", &body)
            .iter()
            .map(|d| format!("{}: {}", d.line, &d.message[..20]))
            .collect();
        assert_eq!(
            found,
            [
                "5: the json in this fen",
                "13: the yaml in this fen",
                "17: the rust code in thi",
            ]
        );
    }

    #[test]
    fn addresses_have_a_host() {
        for (link, good) in [
            ("https://docs.rs/aws_secretsmanager_caching", true),
            (
                "https://docs.aws.amazon.com/vpc/latest/privatelink/x.html#y",
                true,
            ),
            ("http://docs.rs/", false),
            ("https://docs", false),
            ("https://.rs/x", false),
            ("https://127.0.0.1/", false),
            ("https://docs.rs/a b", false),
            ("", false),
        ] {
            assert_eq!(is_address(link), good, "{link}");
        }
    }

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
