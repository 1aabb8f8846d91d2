//! Exercises and tracks from `exercises/`.

mod manifest;
mod patterns;
mod references;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag};
use serde::Deserialize;
use toml::Spanned;

use self::manifest::{Manifest, real};
use self::patterns::PatternField;
pub(crate) use self::references::check_references;
use crate::{
    Diagnostic, Exercise, Hint, Pattern, Real, Rendered, Slug, Track, Tree,
    document::{Document, Part, line_of, normalized},
    links::{self, Target},
    load::{has_exercise, unnamed_track},
    markdown::{self, Output, Setting, TitleRule},
    markup::escape_text,
};

const FOLDER: &str = "exercises/";
const TRACKS: &str = "exercises/tracks.toml";

/// Files that every exercise has.
const FILES: [(&str, &str); 6] = [
    ("README.md", "the task, as Markdown"),
    ("hints.md", "three hints, each under a heading `## …`"),
    ("Cargo.toml", "the exercise's crate"),
    (
        "src/lib.rs",
        "the starter, which compiles and says what is missing",
    ),
    ("tests/check.rs", "the tests, whose names are sentences"),
    ("solution/lib.rs", "the reference, commented for teaching"),
];

const HINTS: usize = 3;

/// `tracks.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TracksFile {
    #[serde(default)]
    track: Vec<TrackField>,
    #[serde(default)]
    pattern: Vec<Spanned<PatternField>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackField {
    id: String,
    title: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    chain: Vec<String>,
}

/// What `exercises/` holds.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Each with the rendered texts whose links are to be checked: the task first.
    pub(crate) exercises: Vec<(Exercise, Vec<(String, Output)>)>,
    /// Ids of those that cannot be used.
    pub(crate) left_out: Vec<String>,
    pub(crate) tracks: Vec<Track>,
    pub(crate) patterns: Vec<Pattern>,
    /// The links of `tracks.toml`, with the line of each.
    pub(crate) track_links: Vec<(usize, Target)>,
    /// Where each exercise names other things.
    pub(crate) places: BTreeMap<String, Places>,
}

/// Lines of `exercise.toml`.
#[derive(Debug, Default)]
pub(crate) struct Places {
    requires: Vec<usize>,
    diagram: usize,
    nodes: Vec<usize>,
    recall: Vec<usize>,
}

/// Reads every exercise; what cannot be used is a diagnostic.
pub(crate) fn load(tree: &Tree, diagnostics: &mut Vec<Diagnostic>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut dirs: BTreeMap<String, String> = BTreeMap::new();
    for folder in folders(tree) {
        let dir = format!("{FOLDER}{folder}");
        let Some(id) = links::exercise_id(&folder) else {
            diagnostics.push(Diagnostic::warning(
                dir,
                0,
                "the folder is not named like an exercise and is left out",
                "name it with three digits and a slug: 004-bedrock-integration",
            ));
            continue;
        };
        if let Some(first) = dirs.get(id) {
            diagnostics.push(Diagnostic::error(
                dir,
                0,
                format!("the id {id} is taken by {first}; this folder is left out"),
                "give one of the two another number",
            ));
            continue;
        }
        dirs.insert(id.to_owned(), dir.clone());
        let mut reader = Reader {
            tree,
            dir: &dir,
            id,
            diagnostics,
            places: Places::default(),
            texts: Vec::new(),
        };
        match reader.exercise(&folder) {
            Some(exercise) => {
                loaded.places.insert(id.to_owned(), reader.places);
                loaded.exercises.push((exercise, reader.texts));
            }
            None => loaded.left_out.push(id.to_owned()),
        }
    }
    let file = tracks_file(tree, !loaded.exercises.is_empty(), diagnostics);
    (loaded.patterns, loaded.track_links) = patterns::read(tree, file.pattern);
    loaded.tracks = tracks(file.track, &loaded, diagnostics);
    loaded
}

/// Names of the folders directly in `exercises/`.
fn folders(tree: &Tree) -> BTreeSet<String> {
    tree.files
        .keys()
        .filter_map(|path| path.strip_prefix(FOLDER)?.split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

/// `tracks.toml`; an empty one if it cannot be read.
fn tracks_file(tree: &Tree, needed: bool, diagnostics: &mut Vec<Diagnostic>) -> TracksFile {
    let Some(text) = tree.text(TRACKS) else {
        if needed {
            diagnostics.push(Diagnostic::error(
                TRACKS,
                0,
                "the file is missing",
                "write a [[track]] with id, title, summary and chain for each track",
            ));
        }
        return TracksFile::default();
    };
    toml::from_str(&normalized(text)).unwrap_or_else(|error| {
        diagnostics.push(toml_error(TRACKS, text, &error));
        TracksFile::default()
    })
}

fn tracks(
    fields: Vec<TrackField>,
    loaded: &Loaded,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Track> {
    let exercises: Vec<Exercise> = loaded.exercises.iter().map(|(e, _)| e.clone()).collect();
    let mut tracks: Vec<Track> = fields
        .into_iter()
        .map(|track| Track {
            id: track.id,
            title: track.title,
            summary: track.summary,
            chain: track.chain,
        })
        .collect();
    // Tracks may be described before their first exercise is written.
    tracks.retain(|track| has_exercise(&exercises, &track.id));
    for exercise in &exercises {
        if !tracks.iter().any(|t| t.id == exercise.track) {
            diagnostics.push(Diagnostic::error(
                format!("{}/exercise.toml", exercise.dir),
                0,
                format!("there is no track `{}`", exercise.track),
                format!("add it to {TRACKS}, or name one that is there"),
            ));
            tracks.push(unnamed_track(&exercise.track));
        }
    }
    tracks
}

struct Reader<'a> {
    tree: &'a Tree,
    dir: &'a str,
    id: &'a str,
    diagnostics: &'a mut Vec<Diagnostic>,
    places: Places,
    texts: Vec<(String, Output)>,
}

impl Reader<'_> {
    fn exercise(&mut self, folder: &str) -> Option<Exercise> {
        let manifest = self.manifest()?;
        self.missing_files();
        let mut task = self.text("README.md").unwrap_or_default();
        if let Some(rest) = after_goal(&task.html, &manifest.goal) {
            task.html = String::from(rest);
        }
        let hints = self.hints();
        let after = self.text("after.md");
        let wrong = self.wrong();
        Some(Exercise {
            id: self.id.to_owned(),
            slug: Slug(links::slug(&folder[self.id.len()..])),
            title: manifest.title,
            track: manifest.track.into_inner(),
            minutes: manifest.minutes,
            level: manifest.level.into_inner(),
            core: manifest.core,
            requires: values(manifest.requires),
            goal: manifest.goal,
            real: real(manifest.real.as_ref()).unwrap_or(Real::No),
            diagram: manifest.diagram.map(Spanned::into_inner),
            nodes: values(manifest.nodes),
            recall: manifest
                .recall
                .into_iter()
                .map(|recall| recall.into_inner().into())
                .collect(),
            task,
            hints,
            after,
            file: "src/lib.rs".to_owned(),
            dir: self.dir.to_owned(),
            wrong,
        })
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    fn error(&mut self, name: &str, line: usize, message: String, cure: &str) {
        let path = self.path(name);
        self.diagnostics
            .push(Diagnostic::error(path, line, message, cure));
    }

    fn manifest(&mut self) -> Option<Manifest> {
        let path = self.path("exercise.toml");
        let Some(text) = self.tree.text(&path).map(normalized) else {
            self.error(
                "exercise.toml",
                0,
                "the file is missing; the exercise is left out".to_owned(),
                "write id, title, track, minutes, level, core, requires, goal, diagram, nodes, real",
            );
            return None;
        };
        let manifest: Manifest = match toml::from_str(&text) {
            Ok(manifest) => manifest,
            Err(error) => {
                self.diagnostics.push(toml_error(&path, &text, &error));
                return None;
            }
        };
        self.check_manifest(&manifest, &text).then_some(manifest)
    }

    /// Notes the lines of references, and checks what needs no other file.
    fn check_manifest(&mut self, manifest: &Manifest, text: &str) -> bool {
        let line = |span: Range<usize>| line_of(text.as_bytes(), span.start);
        self.places = Places {
            requires: manifest.requires.iter().map(|s| line(s.span())).collect(),
            diagram: manifest.diagram.as_ref().map_or(0, |s| line(s.span())),
            nodes: manifest.nodes.iter().map(|s| line(s.span())).collect(),
            recall: manifest.recall.iter().map(|s| line(s.span())).collect(),
        };
        let before = self.diagnostics.len();
        if manifest.id.as_ref() != self.id {
            let message = format!(
                "id is \"{}\", but the folder starts with {}",
                manifest.id.as_ref(),
                self.id
            );
            self.error(
                "exercise.toml",
                line(manifest.id.span()),
                message,
                "make them the same",
            );
        }
        if !(1..=5).contains(manifest.level.as_ref()) {
            let message = format!("level is {}, not 1 to 5", manifest.level.as_ref());
            let at = line(manifest.level.span());
            self.error("exercise.toml", at, message, "write 1 (easy) to 5 (hard)");
        }
        if real(manifest.real.as_ref()).is_none() {
            self.error(
                "exercise.toml",
                line(manifest.real.span()),
                "`real` is neither \"no\" nor limits".to_owned(),
                "write `real = \"no\"` or `real = { max_calls = 3, max_tokens = 200 }`, each at least 1",
            );
        }
        for recall in &manifest.recall {
            let at = line(recall.span());
            let recall = recall.as_ref();
            if recall.choices.len() < 2 || recall.answer >= recall.choices.len() {
                self.error(
                    "exercise.toml",
                    at,
                    "the recall question has no right choice".to_owned(),
                    "give two choices or more; `answer` is the index of the right one, from 0",
                );
            }
        }
        self.diagnostics.len() == before
    }

    fn missing_files(&mut self) {
        for (name, what) in FILES {
            if self.tree.text(&self.path(name)).is_none() {
                let cure = format!("add {name}: {what}");
                self.error(name, 0, "the file is missing".to_owned(), &cure);
            }
        }
    }

    /// A text of the exercise as HTML; its own first heading is left out.
    fn text(&mut self, name: &str) -> Option<Rendered> {
        let path = self.path(name);
        let document = Document::parse(self.tree.text(&path)?);
        Some(self.render(&path, &document.body))
    }

    fn render(&mut self, path: &str, part: &Part) -> Rendered {
        let mut output = markdown::render(
            part,
            Setting {
                tree: self.tree,
                file: path,
                slug: self.id,
                title: TitleRule::DropAny,
                part: None,
            },
        );
        let rendered = std::mem::take(&mut output.rendered);
        self.texts.push((path.to_owned(), output));
        rendered
    }

    fn hints(&mut self) -> Vec<Hint> {
        let path = self.path("hints.md");
        let Some(text) = self.tree.text(&path) else {
            return Vec::new();
        };
        let body = Document::parse(text).body;
        let hints: Vec<Hint> = sections(&body)
            .iter()
            .map(|part| Hint {
                html: self.render(&path, part).html,
                markdown: part.text.trim().to_owned(),
            })
            .collect();
        if hints.len() != HINTS {
            let message = format!("there are {} hints, not {HINTS}", hints.len());
            self.error(
                "hints.md",
                0,
                message,
                "put each under a heading `## …`: a question, the API's name, near-code",
            );
        }
        hints
    }

    /// File names in `wrong/` with the test, or tests, each must die in.
    fn wrong(&mut self) -> Vec<(String, String)> {
        let folder = self.path("wrong/");
        let tests = self.tree.text(&self.path("tests/check.rs"));
        let mut wrong = Vec::new();
        for (path, _) in self
            .tree
            .files
            .range(folder.clone()..)
            .take_while(|(path, _)| path.starts_with(&folder))
        {
            let name = &path[folder.len()..];
            if name.strip_suffix(".rs").is_none() {
                continue;
            }
            let first = self.tree.text(path).and_then(|t| t.lines().next());
            let test = first.and_then(|l| l.trim().strip_prefix("//! dies in:").map(str::trim));
            let Some(test) = test.filter(|t| !t.is_empty()) else {
                self.diagnostics.push(Diagnostic::error(
                    path,
                    1,
                    "the first line does not say which test catches this wrong answer",
                    "start the file with `//! dies in: name_of_the_test`",
                ));
                continue;
            };
            // One mistake may show in several tests: `a_test, another_test`.
            let named = test.split(',').map(|name| name.trim().trim_matches('`'));
            let unknown = named
                .filter(|name| tests.is_some_and(|tests| !tests.contains(&format!("fn {name}("))));
            self.diagnostics.extend(unknown.map(|name| {
                Diagnostic::error(
                    path,
                    1,
                    format!("tests/check.rs has no test `{name}`"),
                    "name a test of tests/check.rs",
                )
            }));
            wrong.push((name.to_owned(), test.to_owned()));
        }
        if wrong.is_empty() {
            self.error(
                "wrong",
                0,
                "there is no wrong answer".to_owned(),
                "add a plausible mistake, wrong/….rs, and name the test that catches it",
            );
        }
        wrong
    }
}

fn values(list: Vec<Spanned<String>>) -> Vec<String> {
    list.into_iter().map(Spanned::into_inner).collect()
}

/// The texts below each heading of level 2 (a `## ` inside a fence is none).
fn sections(body: &Part) -> Vec<Part> {
    let mut headings = Vec::new();
    let mut depth = 0_usize;
    for (event, range) in Parser::new(&body.text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                ..
            }) if depth == 0 => {
                headings.push(range);
                depth += 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let ends = headings
        .iter()
        .skip(1)
        .map(|next| next.start)
        .chain([body.text.len()]);
    headings
        .iter()
        .zip(ends)
        .map(|(heading, end)| Part {
            text: body.text[heading.end..end].to_owned(),
            first_line: body.line_at(heading.end),
        })
        .collect()
}

/// A task begins with the exercise's goal. Pages show the goal on its own, so it leaves the task.
fn after_goal<'h>(html: &'h str, goal: &str) -> Option<&'h str> {
    let (first, rest) = html.trim_start().strip_prefix("<p>")?.split_once("</p>")?;
    let goal = escape_text(goal);
    let same = first.split_whitespace().eq(goal.split_whitespace());
    same.then_some(rest.trim_start())
}

/// What a TOML file says that its form does not allow.
pub(crate) fn toml_error(path: &str, text: &str, error: &toml::de::Error) -> Diagnostic {
    let line = error
        .span()
        .map_or(0, |span| line_of(text.as_bytes(), span.start));
    Diagnostic::error(
        path,
        line,
        error.message().replace('\n', " "),
        "correct the file; another one of its kind shows the form",
    )
}
