//! The types of the course.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use time::Date;

use crate::{Diagnostic, Tree, coverage, house, load};

/// The whole course.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// Posts, newest first and those of a day in the order of their series; those with
    /// `published: false` too (the server leaves them out).
    pub posts: Vec<Post>,
    /// Diagram pages, in order of their slugs.
    pub diagrams: Vec<DiagramPage>,
    /// Exercises, in order of their ids.
    pub exercises: Vec<Exercise>,
    /// Tracks, in the order of `exercises/tracks.toml`; each has at least one exercise.
    pub tracks: Vec<Track>,
    /// The patterns of integration, in the order of `exercises/tracks.toml`.
    pub patterns: Vec<Pattern>,
    /// Agendas for instructors, in their order.
    pub agendas: Vec<Agenda>,
    /// Find-the-bug pages, in their order.
    pub bugs: Vec<BugPage>,
    /// Pictures that pages show, as paths of the tree; a page has them at `/media/{path}`.
    pub media: BTreeSet<String>,
    /// Everything found wrong, by file and line.
    pub diagnostics: Vec<Diagnostic>,
}

/// The last part of a page's address: lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(pub(crate) String);

impl Slug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A Markdown body, ready for a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// HTML without inline styles or scripts (it must pass a strict CSP).
    pub html: String,
    /// Its headings of levels 2 and 3.
    pub toc: Vec<TocEntry>,
    /// Minutes it takes to read, at least 1.
    pub minutes: u32,
}

/// One heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TocEntry {
    /// 2 or 3.
    pub level: u8,
    /// Its text.
    pub text: String,
    /// The `id` to link to.
    pub anchor: String,
}

/// A blog post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// File name without `.md`, lower-case.
    pub slug: Slug,
    /// From the front matter, or the first heading.
    pub title: String,
    /// Day of publication; a document without front matter has none.
    pub date: Option<Date>,
    /// As the front matter gives it.
    pub author: String,
    /// A sentence or two.
    pub excerpt: String,
    /// Free text, shown as given.
    pub category: String,
    /// Shown as given.
    pub tags: Vec<String>,
    /// Whether it is listed and served outside preview.
    pub published: bool,
    /// The text.
    pub body: Rendered,
    /// Ids of the exercises it leads to.
    pub exercises: Vec<String>,
    /// Slugs of the diagram pages it leads to.
    pub related_diagrams: Vec<String>,
    /// The diagrams drawn in it, in order.
    pub diagrams: Vec<Diagram>,
    /// The questions asked in it, in order, as Markdown (the body shows them).
    pub recall: Vec<Recall>,
    /// The series it belongs to.
    pub series: Option<String>,
    /// Its place in the series.
    pub order: Option<i64>,
    /// Day on which somebody last compared it with AWS.
    pub reviewed: Option<Date>,
    /// Day from which it should be shown with a warning.
    pub expires: Option<Date>,
    /// Front matter keys that mean nothing to us, as text.
    pub other: BTreeMap<String, String>,
    /// Its file, relative to the course's root.
    pub file: String,
}

impl Post {
    /// Where it stands among others: the newest first, those of one day in the order of their series,
    /// posts of no series after them.
    pub fn place(&self) -> impl Ord + use<> {
        (
            Reverse(self.date),
            self.order.is_none(),
            self.order,
            self.slug.clone(),
        )
    }
}

/// A page of `diagrams/`: prose with one or more Mermaid diagrams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagramPage {
    /// File name without `.md`, lower-case.
    pub slug: Slug,
    /// From the front matter, or the first heading.
    pub title: String,
    /// A sentence; the first paragraph if the front matter has none.
    pub excerpt: String,
    /// Shown as given.
    pub tags: Vec<String>,
    /// Whether it is listed and served outside preview.
    pub published: bool,
    /// The text, diagrams included (as inline SVG with their text form below).
    pub body: Rendered,
    /// Its diagrams, in order.
    pub diagrams: Vec<Diagram>,
    /// Its file, relative to the course's root.
    pub file: String,
}

/// One Mermaid diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// `{page slug}-{n}`, from 1: the name of its SVG file and the prefix of ids inside.
    pub id: String,
    /// The Mermaid text.
    pub source: String,
    /// Line of the fence in the page's file.
    pub line: usize,
    /// SVG without styles or scripts, with `data-node` and `data-edge`; `None` until rendered.
    pub svg: Option<String>,
    /// Whether the SVG was made from this very source.
    pub fresh: bool,
    /// Node id → label.
    pub nodes: BTreeMap<String, String>,
    /// `(from, to, label)`; the edge's id is `FROM-TO`.
    pub edges: Vec<(String, String, String)>,
}

/// One exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// Three digits.
    pub id: String,
    /// The folder's name after the id.
    pub slug: Slug,
    /// For people.
    pub title: String,
    /// The track's id (`a`, `b`, …).
    pub track: String,
    /// Estimated minutes.
    pub minutes: u32,
    /// 1 (easy) to 5.
    pub level: u8,
    /// Whether it belongs to the core of the course.
    pub core: bool,
    /// Ids of exercises to do first (advice, never a lock).
    pub requires: Vec<String>,
    /// What it teaches, in a sentence.
    pub goal: String,
    /// Whether and how it may run against real Bedrock.
    pub real: Real,
    /// Slug of the diagram page whose first diagram its requests light.
    pub diagram: Option<String>,
    /// The diagram's nodes that its requests can light.
    pub nodes: Vec<String>,
    /// Questions on earlier exercises, asked at the start.
    pub recall: Vec<Recall>,
    /// The task.
    pub task: Rendered,
    /// Three hints: a question, the API's name, near-code.
    pub hints: Vec<Hint>,
    /// Shown after success (`after.md`): why it matters, where AWS differs, what to read.
    pub after: Option<Rendered>,
    /// The file the student edits, relative to the exercise's folder.
    pub file: String,
    /// The exercise's folder, relative to the course's root.
    pub dir: String,
    /// File names in `wrong/`, with the test each must die in.
    pub wrong: Vec<(String, String)>,
}

/// One hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// For a page.
    pub html: String,
    /// For a terminal.
    pub markdown: String,
}

/// A question on an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The question.
    pub question: String,
    /// The answers to choose from.
    pub choices: Vec<String>,
    /// Index of the right one.
    pub answer: usize,
    /// Id of the exercise it is about.
    pub from: String,
}

/// Whether an exercise may run against real Bedrock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Real {
    /// Emulator only.
    No,
    /// It may, within these limits.
    Optional(RealLimits),
}

/// Hard limits of one run against real Bedrock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RealLimits {
    /// Requests.
    pub max_calls: u32,
    /// `maxTokens` of each request.
    pub max_tokens: u32,
}

/// A row of the course map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// `a`, `b`, …
    pub id: String,
    /// For people.
    pub title: String,
    /// A sentence.
    pub summary: String,
    /// The parts a request passes, as shown on the map (`you`, `Lambda`, `Bedrock`).
    pub chain: Vec<String>,
}

/// A way to put Bedrock behind something, as the home page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// For people.
    pub title: String,
    /// A sentence.
    pub summary: String,
    /// What a request passes, in order.
    pub chain: Vec<ChainPart>,
    /// Ids of the exercises that build it.
    pub exercises: Vec<String>,
    /// Slug of its diagram page.
    pub diagram: String,
    /// That page's address.
    pub diagram_href: String,
    /// Where it is explained, perhaps with an anchor.
    pub post_href: String,
}

/// A part that a pattern's request passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPart {
    /// For people.
    pub name: String,
    /// Its node in the first diagram of the pattern's page, with its line in `tracks.toml`.
    pub node: Option<(String, usize)>,
}

/// A timetable for instructors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agenda {
    /// The file's name without its ending.
    pub slug: Slug,
    /// For people.
    pub title: String,
    /// Its place in the list.
    pub order: i64,
    /// A sentence or two.
    pub summary: String,
    /// For whom, and for how many.
    pub people: String,
    /// The sum of its blocks.
    pub minutes: u32,
    /// When it begins, in minutes since midnight; without it, times count from 0.
    pub start: Option<u32>,
    /// What else the instructor should know.
    pub notes: Vec<String>,
    /// What happens, in order.
    pub blocks: Vec<AgendaBlock>,
    /// Its file, relative to the course's root.
    pub file: String,
}

/// A part of an agenda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgendaBlock {
    /// When it begins, in minutes since the agenda's beginning.
    pub at: u32,
    /// How long it takes.
    pub minutes: u32,
    /// What it is.
    pub title: String,
    /// What to do.
    pub text: String,
    /// What everybody sees.
    pub screen: String,
    /// Whether it is a break.
    pub rest: bool,
    /// Ids of the exercises it works on.
    pub exercises: Vec<String>,
    /// Words and addresses of what else it needs.
    pub links: Vec<(String, String)>,
}

/// A find-the-bug page: a snippet with mistakes, which the reader points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BugPage {
    /// The folder's name.
    pub slug: Slug,
    /// For people.
    pub title: String,
    /// A sentence.
    pub summary: String,
    /// Its place in the list.
    pub order: i64,
    /// The snippet's file, relative to the course's root.
    pub file: String,
    /// As code blocks call it (`rust`, `javascript`, `text`).
    pub language: &'static str,
    /// Slug of the post it accompanies.
    pub post: String,
    /// What the code is meant to do, as HTML.
    pub context: String,
    /// The snippet's lines.
    pub lines: Vec<String>,
    /// At least one, by their lines.
    pub bugs: Vec<Bug>,
    /// The page's folder, relative to the course's root.
    pub dir: String,
}

/// A mistake in a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bug {
    /// Item of the register; once in the whole course.
    pub id: String,
    /// Its first line, from 1.
    pub first: usize,
    /// Its last line.
    pub last: usize,
    /// What kind of mistake it is.
    pub class: BugClass,
    /// 1 (a flaw) to 3 (it does not work at all).
    pub severity: u8,
    /// What is wrong, as HTML.
    pub wrong: String,
    /// What to write instead, as HTML.
    pub right: String,
    /// Id of the exercise that teaches it.
    pub exercise: Option<String>,
    /// Address of something to read.
    pub read: Option<String>,
    /// What happened on the wire.
    pub record: Option<WireRecord>,
}

impl Bug {
    /// Whether that line belongs to it.
    pub fn covers(&self, line: usize) -> bool {
        (self.first..=self.last).contains(&line)
    }
}

/// A recorded exchange that shows a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRecord {
    /// Its file, relative to the course's root.
    pub file: String,
    /// What was sent and answered.
    pub text: String,
    /// A sentence that names what it shows.
    pub says: String,
}

/// A kind of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BugClass {
    /// It says or does what AWS does not.
    Factual,
    /// It was right once.
    Stale,
    /// It fails, or hides a failure.
    Reliability,
    /// It pays for more than it needs.
    Cost,
    /// It shows or allows what it must not.
    Security,
    /// It disagrees with the text, picture or code beside it.
    Drift,
}

impl BugClass {
    /// All of them, in the order in which pages offer them.
    pub const ALL: [Self; 6] = [
        Self::Factual,
        Self::Stale,
        Self::Reliability,
        Self::Cost,
        Self::Security,
        Self::Drift,
    ];

    /// As `bug.toml` and addresses write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Factual => "factual",
            Self::Stale => "stale",
            Self::Reliability => "reliability",
            Self::Cost => "cost",
            Self::Security => "security",
            Self::Drift => "drift",
        }
    }

    /// The class of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }
}

impl Course {
    /// Reads and checks the course; what cannot be used becomes a diagnostic.
    pub fn load(tree: &Tree) -> Self {
        load::load(tree)
    }

    /// Rules of our own course that a course of somebody else need not follow: no model id stands
    /// in a text or in code (ids come from the emulator's catalogue), every post says when it
    /// was compared with AWS, leads to an exercise, asks three questions, and shows tested code,
    /// find-the-bug pages tell what the register of mistakes holds, and what the course grew from is
    /// [covered](crate::coverage).
    pub fn house_checks(tree: &Tree) -> Vec<Diagnostic> {
        let mut diagnostics = house::model_ids(tree);
        diagnostics.extend(house::posts(tree));
        diagnostics.extend(house::reading_lists(tree));
        diagnostics.extend(house::bugs(tree));
        diagnostics.extend(coverage::check(tree).1);
        diagnostics
    }

    /// The post of that slug, published or not.
    pub fn post(&self, slug: &str) -> Option<&Post> {
        self.posts.iter().find(|p| p.slug.as_str() == slug)
    }

    /// The diagram page of that slug.
    pub fn diagram(&self, slug: &str) -> Option<&DiagramPage> {
        self.diagrams.iter().find(|d| d.slug.as_str() == slug)
    }

    /// The exercise of that id.
    pub fn exercise(&self, id: &str) -> Option<&Exercise> {
        self.exercises.iter().find(|e| e.id == id)
    }

    /// The find-the-bug page of that slug.
    pub fn bug_page(&self, slug: &str) -> Option<&BugPage> {
        self.bugs.iter().find(|b| b.slug.as_str() == slug)
    }
}
