//! What is said about a choice of line and class.

use std::collections::BTreeSet;

use workshop_course::{Bug, BugClass, BugPage};

/// The outcome of choosing a line, and perhaps a class.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'p> {
    /// A line alone: the classes are asked for.
    Open,
    /// All that is known about the line was found before.
    Exhausted,
    /// The line has no bug that we know of.
    Clean,
    /// The line has a bug, of another class.
    OtherClass(BugClass),
    /// Line and class are right.
    Found {
        bugs: Vec<&'p Bug>,
        /// They were found before.
        again: bool,
        /// The line has more.
        more: bool,
    },
}

/// How a sentence is coloured, beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ok,
    Other,
    Plain,
}

impl Tone {
    /// As a class of the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Other => "wait",
            Self::Plain => "plain",
        }
    }
}

/// The bugs that a choice finds.
pub(super) fn hits(
    page: &BugPage,
    line: usize,
    class: BugClass,
) -> impl Iterator<Item = &Bug> + use<'_> {
    let bugs = page.bugs.iter();
    bugs.filter(move |bug| bug.covers(line) && bug.class == class)
}

impl<'p> Verdict<'p> {
    pub(super) fn of(
        page: &'p BugPage,
        line: usize,
        class: Option<BugClass>,
        found: &BTreeSet<String>,
    ) -> Self {
        let here: Vec<&Bug> = page.bugs.iter().filter(|bug| bug.covers(line)).collect();
        let known = |bug: &&Bug| found.contains(&bug.id);
        let Some(class) = class else {
            return if !here.is_empty() && here.iter().all(known) {
                Self::Exhausted
            } else {
                Self::Open
            };
        };
        let bugs: Vec<&Bug> = hits(page, line, class).collect();
        match (here.is_empty(), bugs.is_empty()) {
            (true, _) => Self::Clean,
            (false, true) if here.iter().all(known) => Self::Exhausted,
            (false, true) => Self::OtherClass(class),
            (false, false) => Self::Found {
                again: bugs.iter().all(known),
                more: here.iter().any(|bug| bug.class != class && !known(bug)),
                bugs,
            },
        }
    }

    /// Whether the classes are offered (again).
    pub(super) fn asks_again(&self) -> bool {
        matches!(
            self,
            Self::Open | Self::OtherClass(_) | Self::Found { more: true, .. }
        )
    }

    /// The sentence about the line, if there is one to say.
    pub(super) fn sentence(&self, line: usize) -> Option<(Tone, String)> {
        Some(match self {
            Self::Open => return None,
            Self::Exhausted => (
                Tone::Ok,
                format!("You have found everything that we know to be wrong with line {line}."),
            ),
            Self::Clean => (
                Tone::Plain,
                format!("Nothing is wrong with line {line} that we know of."),
            ),
            Self::OtherClass(class) => {
                let name = name(*class).to_lowercase();
                let sentence =
                    format!("Something is wrong with line {line}, but it is not “{name}”.");
                (Tone::Other, sentence)
            }
            Self::Found { more, again, .. } => {
                let before = if *again { "Found before" } else { "Found" };
                let after = if *more {
                    " There is something else wrong with it, too."
                } else {
                    ""
                };
                (Tone::Ok, format!("{before}: line {line}.{after}"))
            }
        })
    }
}

/// A class as a choice.
pub(super) fn name(class: BugClass) -> &'static str {
    match class {
        BugClass::Factual => "Not true",
        BugClass::Stale => "Out of date",
        BugClass::Reliability => "Breaks",
        BugClass::Cost => "Costs too much",
        BugClass::Security => "Not safe",
        BugClass::Drift => "Does not match",
    }
}

/// What a bug of that class does.
pub(super) fn meaning(class: BugClass) -> &'static str {
    match class {
        BugClass::Factual => "AWS does not do what it says, or cannot read what it sends.",
        BugClass::Stale => "It was right once, and AWS has moved on.",
        BugClass::Reliability => "It fails, fails twice, or hides that it failed.",
        BugClass::Cost => "It pays for more than the job needs.",
        BugClass::Security => "It shows, keeps or allows what it must not.",
        BugClass::Drift => "It disagrees with the text, picture or code beside it.",
    }
}
