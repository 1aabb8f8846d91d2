//! "Find the bug": the list, and the snippet in which a line and then a kind of mistake is chosen.
//!
//! The address says it all (`?line=4&class=cost&found=P-08`), so that a page without scripts works
//! and `bugs.js` only has to fetch the same page and put its parts in place. What was found is kept
//! in the address too, or, for the owner of a checkout, in `.workshop/progress.json`: that is
//! written by a POST, never by looking.

mod verdict;

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use time::OffsetDateTime;
use workshop_course::{Bug, BugClass, BugPage, Exercise, Post};
use workshop_runner::Progress;

use self::verdict::{Tone, Verdict};
use super::{Frame, Section, Visitor, diagrams, errors, exercises, page as answer, posts, words};
use crate::{AppState, state::Edition};

#[derive(Template)]
#[template(path = "bugs.html")]
struct List {
    frame: Frame,
    cards: Vec<Card>,
    bugs: usize,
    found: Option<usize>,
}

/// A page in the list.
struct Card {
    title: String,
    href: String,
    summary: String,
    language: &'static str,
    lines: String,
    bugs: String,
    /// The standing as a tag, for somebody whose progress is kept.
    standing: Option<(&'static str, String)>,
    post: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "bug.html")]
struct Page<'p> {
    frame: Frame,
    piece: &'p BugPage,
    post: Option<(String, String)>,
    board: Board<'p>,
    before: Option<(String, String)>,
    after: Option<(String, String)>,
}

/// All that a choice changes; `bugs.js` puts it in place of the one before.
#[derive(Template)]
#[template(path = "bug-board.html")]
struct Board<'p> {
    href: String,
    file: &'p str,
    language: &'static str,
    lines: Vec<Line<'p>>,
    total: usize,
    count: usize,
    /// What the address has to carry on; empty where progress is kept.
    carried: String,
    saves: bool,
    signed_in: bool,
    /// Whether nobody is there who could judge a choice.
    exported: bool,
    all: bool,
    /// What is announced.
    spoken: String,
}

/// A line of the snippet, and what is shown below it.
struct Line<'p> {
    number: usize,
    text: &'p str,
    /// `told` where a bug that was found covers it, `open` where one does that is shown anyway.
    class: &'static str,
    question: Option<Question>,
    notes: Vec<Note<'p>>,
}

/// What is asked about the chosen line, or said about it.
struct Question {
    said: Option<(Tone, String)>,
    ask: bool,
    /// The class that was tried and is not it.
    tried: Option<BugClass>,
}

impl Question {
    fn is_tried(&self, word: &str) -> bool {
        self.tried.is_some_and(|class| class.word() == word)
    }
}

/// A bug with its explanation.
struct Note<'p> {
    bug: &'p Bug,
    lines: String,
    found: bool,
    open: bool,
    class: &'static str,
    severity: &'static str,
    exercise: Option<(String, String)>,
    read: Option<(String, String)>,
}

/// What the address of a page says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    line: Option<String>,
    class: Option<String>,
    found: String,
}

/// What the form of a choice sends.
#[derive(Debug, Deserialize)]
pub struct Choice {
    line: usize,
    class: String,
}

/// Where that page is.
pub fn address(page: &BugPage) -> String {
    format!("/bugs/{}", page.slug.as_str())
}

/// The pages that accompany that post: title and address.
pub fn of_post(edition: &Edition, post: &Post) -> Vec<(String, String)> {
    links(edition, |page| page.post == post.slug.as_str())
}

/// The pages whose bugs lead to that exercise.
pub fn of_exercise(edition: &Edition, exercise: &Exercise) -> Vec<(String, String)> {
    links(edition, |page| names_exercise(page, &exercise.id))
}

/// Whether one of the page's bugs leads to that exercise.
pub fn names_exercise(page: &BugPage, id: &str) -> bool {
    let mut bugs = page.bugs.iter();
    bugs.any(|bug| bug.exercise.as_deref() == Some(id))
}

fn links(edition: &Edition, concerns: impl Fn(&BugPage) -> bool) -> Vec<(String, String)> {
    let pages = edition.course.bugs.iter().filter(|page| concerns(page));
    pages.map(link).collect()
}

fn link(page: &BugPage) -> (String, String) {
    (page.title.clone(), address(page))
}

/// The language as people call it.
fn language_name(language: &str) -> &'static str {
    match language {
        "javascript" => "JavaScript",
        "typescript" => "TypeScript",
        "rust" => "Rust",
        "json" => "JSON",
        "yaml" => "YAML",
        "toml" => "TOML",
        "bash" => "Shell",
        "mermaid" => "Mermaid diagram",
        _ => "Text",
    }
}

/// Whether what this visitor finds is kept on disk.
fn saves(state: &AppState, visitor: Visitor) -> bool {
    visitor.signed_in && state.workspace().is_some()
}

/// `GET /bugs`.
pub async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let progress = saves(&state, visitor).then(|| state.progress());
    let cards: Vec<Card> = edition
        .course
        .bugs
        .iter()
        .map(|page| card(&state, &edition, page, progress.as_ref()))
        .collect();
    let pages = edition.course.bugs.iter();
    answer(&List {
        frame: Frame::new(&state, visitor, Section::Blog, "Find the bug")
            .with_findings(&state, |file| file.starts_with("content/bugs")),
        bugs: pages.clone().map(|page| page.bugs.len()).sum(),
        found: progress.map(|progress| pages.map(|page| kept(page, &progress).len()).sum()),
        cards,
    })
}

fn card(state: &AppState, edition: &Edition, page: &BugPage, progress: Option<&Progress>) -> Card {
    let total = page.bugs.len();
    let standing = progress.map(|progress| match kept(page, progress).len() {
        0 => ("", "Not started".to_owned()),
        n if n == total => ("ok", format!("All {total} found")),
        n => ("now", format!("{n} of {total} found")),
    });
    Card {
        title: page.title.clone(),
        href: address(page),
        summary: page.summary.clone(),
        language: language_name(page.language),
        lines: words::count(page.lines.len(), "line"),
        bugs: words::count(total, "bug"),
        standing,
        post: post_of(state, edition, page),
    }
}

/// The ids of the page's bugs that were found before.
fn kept(page: &BugPage, progress: &Progress) -> BTreeSet<String> {
    let ids = page.bugs.iter().map(|bug| &bug.id);
    ids.filter(|id| progress.bugs.contains_key(*id))
        .cloned()
        .collect()
}

fn post_of(state: &AppState, edition: &Edition, page: &BugPage) -> Option<(String, String)> {
    let post = posts::visible(state, edition).find(|post| post.slug.as_str() == page.post)?;
    Some((post.title.clone(), posts::address(post)))
}

/// `GET /bugs/{slug}`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    shown(&state, visitor, &slug, &asked, false)
}

/// `GET /bugs/{slug}/all`: the same with every bug told.
pub async fn all(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    shown(&state, visitor, &slug, &asked, true)
}

fn shown(state: &AppState, visitor: Visitor, slug: &str, asked: &Asked, all: bool) -> Response {
    let edition = state.edition();
    let Some(page) = edition.course.bug_page(slug) else {
        return errors::missing(state, &visitor, slug);
    };
    let pages = &edition.course.bugs;
    let at = pages.iter().position(|p| p.slug == page.slug).unwrap_or(0);
    let title = format!("{} · Find the bug", page.title);
    let frame = Frame::new(state, visitor, Section::Blog, title).with_findings(state, |file| {
        file.strip_prefix(&page.dir)
            .is_some_and(|rest| rest.starts_with('/'))
    });
    answer(&Page {
        frame,
        post: post_of(state, &edition, page),
        board: Board::of(state, visitor, &edition, page, asked, all),
        piece: page,
        before: at.checked_sub(1).map(|at| link(&pages[at])),
        after: pages.get(at + 1).map(link),
    })
}

/// `POST /bugs/{slug}/found`: judges a choice, keeps what it found, and shows it.
pub async fn found(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Form(choice): Form<Choice>,
) -> Response {
    let edition = state.edition();
    let Some(page) = edition.course.bug_page(&slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    let Some(class) = BugClass::of_word(&choice.class) else {
        let sentence = "A bug is of one of the six kinds that the page offers.";
        return errors::sorry(&state, &visitor, StatusCode::BAD_REQUEST, sentence);
    };
    if let Some(workspace) = state.workspace().cloned() {
        let hits = verdict::hits(page, choice.line, class);
        let hits: Vec<String> = hits.map(|bug| bug.id.clone()).collect();
        if !hits.is_empty() {
            let now = OffsetDateTime::now_utc();
            let saved = tokio::task::spawn_blocking(move || {
                Progress::update(&workspace, |progress| {
                    for id in &hits {
                        progress.bug_found(id, now);
                    }
                })
            });
            if let Ok(Err(error)) = saved.await {
                let sentence = format!("What you found was not kept: {error}.");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return errors::sorry(&state, &visitor, status, &sentence);
            }
        }
    }
    let (line, class) = (choice.line, class.word());
    let href = address(page);
    Redirect::to(&format!("{href}?line={line}&class={class}#line-{line}")).into_response()
}

impl<'p> Board<'p> {
    fn of(
        state: &AppState,
        visitor: Visitor,
        edition: &'p Edition,
        page: &'p BugPage,
        asked: &Asked,
        all: bool,
    ) -> Self {
        let saves = saves(state, visitor);
        let mut found: BTreeSet<String> = asked
            .found
            .split('.')
            .filter(|id| page.bugs.iter().any(|bug| bug.id == *id))
            .map(str::to_owned)
            .collect();
        if saves {
            found.extend(kept(page, &state.progress()));
        }
        let line = asked.line.as_deref().and_then(|line| line.parse().ok());
        let line = line.filter(|line| (1..=page.lines.len()).contains(line) && !all);
        let class = asked.class.as_deref().and_then(BugClass::of_word);
        let verdict = line.map(|line| Verdict::of(page, line, class, &found));
        if let Some(Verdict::Found { bugs, .. }) = &verdict {
            found.extend(bugs.iter().map(|bug| bug.id.clone()));
        }
        let question = |number| {
            let verdict = verdict.as_ref().filter(|_| line == Some(number))?;
            Some(Question {
                said: verdict.sentence(number),
                ask: verdict.asks_again(),
                tried: class.filter(|_| matches!(verdict, Verdict::OtherClass(_))),
            })
        };
        let notes = |number| {
            let here = page.bugs.iter().filter(move |bug| bug.last == number);
            let here = here.filter(|bug| all || found.contains(&bug.id));
            here.map(|bug| note(state, edition, bug, found.contains(&bug.id), line, all))
                .collect()
        };
        let mark = |number| {
            let mut bugs = page.bugs.iter().filter(|bug| bug.covers(number));
            if all && bugs.clone().any(|bug| !found.contains(&bug.id)) {
                "open"
            } else if bugs.any(|bug| found.contains(&bug.id)) {
                "told"
            } else {
                ""
            }
        };
        let texts = page.lines.iter().zip(1..);
        let lines = texts.map(|(text, number)| Line {
            number,
            text,
            class: mark(number),
            question: question(number),
            notes: notes(number),
        });
        let lines = lines.collect();
        let (count, total) = (found.len(), page.bugs.len());
        let sentence = verdict.zip(line).and_then(|(v, line)| v.sentence(line));
        let carried: Vec<String> = found.into_iter().filter(|_| !saves).collect();
        Self {
            href: address(page),
            file: page.file.rsplit('/').next().unwrap_or_default(),
            language: page.language,
            lines,
            total,
            count,
            carried: carried.join("."),
            saves,
            signed_in: visitor.signed_in,
            exported: state.exported(),
            all,
            spoken: sentence.map_or_else(String::new, |(_, said)| {
                format!("{said} {count} of {total} found.")
            }),
        }
    }

    /// The classes to choose from: word, name, meaning.
    fn classes() -> [(&'static str, &'static str, &'static str); 6] {
        BugClass::ALL.map(|class| (class.word(), verdict::name(class), verdict::meaning(class)))
    }
}

fn note<'p>(
    state: &AppState,
    edition: &Edition,
    bug: &'p Bug,
    found: bool,
    line: Option<usize>,
    all: bool,
) -> Note<'p> {
    let exercise = bug.exercise.as_deref();
    let exercise = exercise.and_then(|id| edition.course.exercise(id));
    Note {
        bug,
        lines: if bug.first == bug.last {
            format!("Line {}", bug.first)
        } else {
            format!("Lines {} to {}", bug.first, bug.last)
        },
        found,
        open: all || line.is_some_and(|line| bug.covers(line)),
        class: verdict::name(bug.class),
        severity: match bug.severity {
            3 => "does not work",
            2 => "serious",
            _ => "a flaw",
        },
        exercise: exercise.map(|e| (format!("{} {}", e.id, e.title), exercises::address(e))),
        read: bug
            .read
            .as_ref()
            .map(|href| (title_of(state, edition, href), href.clone())),
    }
}

/// What to call the page that a link leads to.
fn title_of(state: &AppState, edition: &Edition, href: &str) -> String {
    let path = href.split('#').next().unwrap_or(href);
    let post = posts::visible(state, edition).find(|p| posts::address(p) == path);
    let diagram = || diagrams::visible(state, edition).find(|d| diagrams::address(d) == path);
    let exercise = || {
        let id = path.strip_prefix("/exercises/")?;
        edition.course.exercise(id)
    };
    let bugs = || edition.course.bugs.iter().find(|b| address(b) == path);
    post.map(|post| post.title.clone())
        .or_else(|| diagram().map(|page| page.title.clone()))
        .or_else(|| exercise().map(|e| format!("{} {}", e.id, e.title)))
        .or_else(|| bugs().map(|page| page.title.clone()))
        .unwrap_or_else(|| {
            let host = path
                .split("//")
                .nth(1)
                .and_then(|rest| rest.split('/').next());
            host.unwrap_or(path).to_owned()
        })
}
