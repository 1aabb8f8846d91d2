//! What the course grew from, and that nothing of it was dropped: two documents that are not shipped, line
//! group by line group, each claimed by exercises, posts, diagrams or find-the-bug items.
//!
//! `content/coverage.toml` says what each group of lines is about, in words of our own. A group that nobody
//! claims, a hole between two groups and a claim that leads nowhere are findings.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{Course, Diagnostic, Tree};

/// The file.
pub const FILE: &str = "content/coverage.toml";

/// Lines and groups, for a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Covered {
    /// Documents.
    pub documents: usize,
    /// Lines of all documents.
    pub lines: usize,
    /// Groups of lines.
    pub groups: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Coverage {
    #[serde(default)]
    document: Vec<Document>,
    #[serde(default)]
    group: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: String,
    /// For people.
    #[serde(rename = "what")]
    _what: String,
    lines: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    document: String,
    /// First and last line.
    lines: [usize; 2],
    what: String,
    #[serde(default)]
    exercises: Vec<String>,
    #[serde(default)]
    posts: Vec<String>,
    #[serde(default)]
    diagrams: Vec<String>,
    #[serde(default)]
    bugs: Vec<String>,
}

/// What is claimed, and what is wrong with it. A course without the file claims nothing.
pub fn check(tree: &Tree) -> (Covered, Vec<Diagnostic>) {
    let Some(text) = tree.text(FILE) else {
        return (Covered::default(), Vec::new());
    };
    let coverage: Coverage = match toml::from_str(text) {
        Ok(coverage) => coverage,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let line = text[..at].lines().count().max(1);
            let cure = "give each [[document]] id, what and lines, and each [[group]] document, lines, what and who claims it";
            let finding = Diagnostic::error(FILE, line, error.message(), cure);
            return (Covered::default(), vec![finding]);
        }
    };
    let mut findings = Vec::new();
    for document in &coverage.document {
        findings.extend(holes(document, &coverage.group));
    }
    let course = Course::load(tree);
    for group in &coverage.group {
        if !coverage.document.iter().any(|d| d.id == group.document) {
            findings.push(finding(
                group,
                "belongs to no [[document]]",
                "name one of the file's documents",
            ));
        }
        findings.extend(claims(group, &course));
    }
    findings.extend(unclaimed_bugs(&coverage.group, &course));
    let covered = Covered {
        documents: coverage.document.len(),
        lines: coverage.document.iter().map(|d| d.lines).sum(),
        groups: coverage.group.len(),
    };
    (covered, findings)
}

fn finding(group: &Group, message: &str, cure: &str) -> Diagnostic {
    let [first, last] = group.lines;
    let message = format!(
        "{} {first}-{last} ({}) {message}",
        group.document, group.what
    );
    Diagnostic::error(FILE, 0, message, cure)
}

/// Groups follow each other from the first line to the last.
fn holes(document: &Document, groups: &[Group]) -> Vec<Diagnostic> {
    let mut ranges: Vec<[usize; 2]> = groups
        .iter()
        .filter(|group| group.document == document.id)
        .map(|group| group.lines)
        .collect();
    ranges.sort_unstable();
    let mut found = Vec::new();
    let mut next = 1;
    let mut say = |message: String| {
        let message = format!(
            "{} has {} lines, and {message}",
            document.id, document.lines
        );
        found.push(Diagnostic::error(
            FILE,
            0,
            message,
            "let each line stand in exactly one [[group]]",
        ));
    };
    for [first, last] in ranges {
        if first > last {
            say(format!("a group ends before it begins: {first}-{last}"));
            continue;
        }
        if first > next {
            say(format!("{next}-{} stand in no group", first - 1));
        }
        if first < next {
            say(format!(
                "{first}-{} stand in two groups",
                last.min(next - 1)
            ));
        }
        next = next.max(last + 1);
    }
    if next <= document.lines {
        say(format!("{next}-{} stand in no group", document.lines));
    }
    if next > document.lines + 1 {
        say(format!("a group ends in line {}", next - 1));
    }
    found
}

type Exists<'a> = &'a dyn Fn(&str) -> bool;

/// Whoever claims a group is there.
fn claims(group: &Group, course: &Course) -> Vec<Diagnostic> {
    let bug = |id: &str| {
        course
            .bugs
            .iter()
            .any(|page| page.bugs.iter().any(|b| b.id == id))
    };
    let kinds: [(&str, &[String], Exists); 4] = [
        ("exercise", &group.exercises, &|id| {
            course.exercise(id).is_some()
        }),
        ("post", &group.posts, &|slug| course.post(slug).is_some()),
        ("diagram", &group.diagrams, &|slug| {
            course.diagram(slug).is_some()
        }),
        ("find-the-bug item", &group.bugs, &bug),
    ];
    let mut found = Vec::new();
    if kinds.iter().all(|(_, names, _)| names.is_empty()) {
        found.push(finding(
            group,
            "is claimed by nothing",
            "say which exercise, post, diagram or find-the-bug item is about it, or write one",
        ));
    }
    for (kind, names, exists) in kinds {
        for name in names.iter().filter(|name| !exists(name)) {
            found.push(finding(
                group,
                &format!("is claimed by the {kind} {name}, which is not there"),
                "correct the name, or find another part of the course that is about it",
            ));
        }
    }
    found
}

/// Mistakes were found in certain lines, so each item has its group.
fn unclaimed_bugs(groups: &[Group], course: &Course) -> Option<Diagnostic> {
    let claimed: BTreeSet<&String> = groups.iter().flat_map(|group| &group.bugs).collect();
    let all = course.bugs.iter().flat_map(|page| &page.bugs);
    let open: BTreeSet<&str> = all
        .filter(|bug| !claimed.contains(&bug.id))
        .map(|bug| bug.id.as_str())
        .collect();
    let open: Vec<&str> = open.into_iter().collect();
    (!open.is_empty()).then(|| {
        let message = format!("no group claims the find-the-bug items {}", open.join(", "));
        Diagnostic::error(
            FILE,
            0,
            message,
            "add each to the group whose lines have the mistake",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "---\ntitle: \"T\"\ndate: \"2026-01-01\"\nauthor: \"A\"\nexcerpt: \"E\"\ncategory: \"C\"\ntags: [\"t\"]\npublished: true\n---\n\n# T\n\nWords.\n";

    fn found(coverage: &str) -> Vec<String> {
        let mut tree = Tree::default();
        tree.files.insert(FILE.into(), coverage.into());
        tree.files
            .insert("content/posts/a-post.md".into(), POST.into());
        let (_, found) = check(&tree);
        found.into_iter().map(|d| d.message).collect()
    }

    fn group(lines: &str, claim: &str) -> String {
        format!("[[group]]\ndocument = \"P\"\nlines = {lines}\nwhat = \"w\"\n{claim}\n")
    }

    #[test]
    fn holes_and_empty_claims_are_named() {
        let document = "[[document]]\nid = \"P\"\nwhat = \"a post\"\nlines = 9\n";
        let post = "posts = [\"a-post\"]";
        let rows: [(&str, &[&str]); 9] = [
            (&(group("[1, 4]", post) + &group("[5, 9]", post)), &[]),
            (&(group("[5, 9]", post) + &group("[1, 4]", post)), &[]),
            (
                &(group("[1, 3]", post) + &group("[5, 8]", post)),
                &[
                    "P has 9 lines, and 4-4 stand in no group",
                    "P has 9 lines, and 9-9 stand in no group",
                ],
            ),
            (
                &(group("[1, 5]", post) + &group("[5, 9]", post)),
                &["P has 9 lines, and 5-5 stand in two groups"],
            ),
            (
                &group("[1, 10]", post),
                &["P has 9 lines, and a group ends in line 10"],
            ),
            (
                &(group("[1, 9]", post) + &group("[4, 3]", post)),
                &["P has 9 lines, and a group ends before it begins: 4-3"],
            ),
            (&group("[1, 9]", ""), &["P 1-9 (w) is claimed by nothing"]),
            (
                &group("[1, 9]", "exercises = [\"099\"]\nbugs = [\"P-01\"]"),
                &[
                    "P 1-9 (w) is claimed by the exercise 099, which is not there",
                    "P 1-9 (w) is claimed by the find-the-bug item P-01, which is not there",
                ],
            ),
            (
                &(group("[1, 9]", post) + &group("[1, 1]", post).replace("\"P\"", "\"X\"")),
                &["X 1-1 (w) belongs to no [[document]]"],
            ),
        ];
        for (groups, wanted) in rows {
            assert_eq!(found(&format!("{document}{groups}")), wanted, "{groups}");
        }
    }

    #[test]
    fn a_file_that_is_not_understood_is_a_finding_and_no_file_is_none() {
        assert_eq!(found("[[group]]\nlimes = 1\n").len(), 1);
        assert_eq!(check(&Tree::default()), (Covered::default(), Vec::new()));
    }
}
