//! Find-the-bug pages from `content/bugs/`: a snippet, and what is wrong with its lines.

mod manifest;

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use self::manifest::{BugField, Manifest, RecordField};
use crate::{
    Bug, BugClass, BugPage, Diagnostic, Slug, Tree, WireRecord,
    document::{Part, line_of, normalized},
    exercise::toml_error,
    links::{self, Page, Target},
    markdown::{self, Output, Setting, TitleRule},
    nearest::nearest,
};

const FOLDER: &str = "content/bugs/";
const RECORDED: &str = "content/recorded/";

/// Endings of a snippet, and what its language is called in code blocks.
const LANGUAGES: [(&str, &str); 12] = [
    ("mjs", "javascript"),
    ("js", "javascript"),
    ("ts", "typescript"),
    ("rs", "rust"),
    ("json", "json"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("toml", "toml"),
    ("sh", "bash"),
    ("mmd", "mermaid"),
    ("md", "text"),
    ("txt", "text"),
];

/// What `content/bugs/` holds.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Each with the rendered texts whose links are to be checked.
    pub(crate) pages: Vec<(BugPage, Vec<Output>)>,
    /// Slugs of those that cannot be used.
    pub(crate) left_out: Vec<String>,
    /// Posts and exercises named: file, line, key, page.
    pub(crate) named: Vec<(String, usize, &'static str, Page)>,
}

/// Reads every page; what cannot be used is a diagnostic.
pub(crate) fn load(tree: &Tree, diagnostics: &mut Vec<Diagnostic>) -> Loaded {
    let mut loaded = Loaded::default();
    // Where each item of the register is told.
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for folder in folders(tree) {
        let mut reader = Reader {
            tree,
            file: format!("{FOLDER}{folder}/bug.toml"),
            slug: &folder,
            text: String::new(),
            diagnostics,
            named: &mut loaded.named,
            told: &mut told,
            texts: Vec::new(),
        };
        match reader.page() {
            Some(page) => loaded.pages.push((page, reader.texts)),
            None => loaded.left_out.push(folder),
        }
    }
    loaded
        .pages
        .sort_by_key(|(page, _)| (page.order, page.slug.clone()));
    loaded
}

/// Names of the folders directly in `content/bugs/`, in order.
fn folders(tree: &Tree) -> Vec<String> {
    let inside = tree
        .files
        .range(FOLDER.to_owned()..)
        .take_while(|(path, _)| path.starts_with(FOLDER));
    let mut folders: Vec<String> = inside
        .filter_map(|(path, _)| path[FOLDER.len()..].split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    folders.dedup();
    folders
}

/// The language of a snippet by its ending.
fn language(file: &str) -> Option<&'static str> {
    let (_, ending) = file.rsplit_once('.')?;
    let row = LANGUAGES.iter().find(|(known, _)| *known == ending);
    row.map(|(_, language)| *language)
}

struct Reader<'a> {
    tree: &'a Tree,
    /// The path of `bug.toml`.
    file: String,
    slug: &'a str,
    /// The text of `bug.toml`.
    text: String,
    diagnostics: &'a mut Vec<Diagnostic>,
    named: &'a mut Vec<(String, usize, &'static str, Page)>,
    told: &'a mut BTreeMap<String, String>,
    texts: Vec<Output>,
}

impl Reader<'_> {
    fn page(&mut self) -> Option<BugPage> {
        let manifest = self.manifest()?;
        let (path, language, lines) = self.snippet(&manifest.file)?;
        let post = Page::Post(manifest.post.as_ref().clone());
        self.name(&manifest.post, "post", post);
        let context = self.render(&manifest.context, "context");
        let mut bugs: Vec<Bug> = Vec::new();
        for field in manifest.bug {
            let at = self.line(&field.span());
            if let Some(bug) = self.bug(field.into_inner(), &path, lines.len()) {
                let same = |other: &&Bug| {
                    (other.first, other.last, other.class) == (bug.first, bug.last, bug.class)
                };
                if let Some(other) = bugs.iter().find(same) {
                    let message = format!(
                        "{} and {} have the same lines and the same class; readers cannot tell them apart",
                        other.id, bug.id
                    );
                    self.error(
                        at,
                        message,
                        "narrow the lines of one, or give it another class",
                    );
                }
                bugs.push(bug);
            }
        }
        if bugs.is_empty() {
            self.error(
                0,
                "the page has no bug to find; it is left out".to_owned(),
                "add a [[bug]] with id, lines, class, severity, wrong, right, and exercise or read",
            );
            return None;
        }
        bugs.sort_by(|a, b| (a.first, a.last, &a.id).cmp(&(b.first, b.last, &b.id)));
        Some(BugPage {
            slug: Slug(self.slug.to_owned()),
            title: manifest.title,
            summary: manifest.summary,
            order: manifest.order,
            file: path,
            language,
            post: manifest.post.into_inner(),
            context,
            lines,
            bugs,
            dir: format!("{FOLDER}{}", self.slug),
        })
    }

    fn manifest(&mut self) -> Option<Manifest> {
        if links::slug(self.slug) != self.slug {
            self.error(
                0,
                format!("`{}` cannot be an address; the page is left out", self.slug),
                "name the folder with lower-case letters, digits and hyphens",
            );
            return None;
        }
        let Some(text) = self.tree.text(&self.file).map(normalized) else {
            self.error(
                0,
                "the file is missing; the page is left out".to_owned(),
                "write title, summary, order, file, post, context and a [[bug]] for each mistake",
            );
            return None;
        };
        self.text = text;
        match toml::from_str(&self.text) {
            Ok(manifest) => Some(manifest),
            Err(error) => {
                let found = toml_error(&self.file, &self.text, &error);
                self.diagnostics.push(found);
                None
            }
        }
    }

    /// Path, language and lines of the snippet.
    fn snippet(&mut self, name: &Spanned<String>) -> Option<(String, &'static str, Vec<String>)> {
        let at = self.line(&name.span());
        let name = name.as_ref();
        let Some(language) = language(name).filter(|_| !name.contains('/')) else {
            let endings = LANGUAGES.map(|(ending, _)| ending).join(", ");
            self.error(
                at,
                format!("`{name}` is not a snippet beside bug.toml"),
                &format!("name a file in the same folder that ends in one of {endings}"),
            );
            return None;
        };
        let path = format!("{FOLDER}{}/{name}", self.slug);
        let lines: Vec<String> = self
            .tree
            .text(&path)
            .map(|text| normalized(text).lines().map(str::to_owned).collect())
            .unwrap_or_default();
        if lines.is_empty() {
            let message = format!("there is no snippet {path}; the page is left out");
            self.error(at, message, "write the file, or correct its name");
            return None;
        }
        Some((path, language, lines))
    }

    fn bug(&mut self, field: BugField, snippet: &str, lines: usize) -> Option<Bug> {
        let before = self.diagnostics.len();
        let class = self.class(&field.class);
        self.check_id(&field.id);
        self.check_lines(&field.lines, snippet, lines);
        if !(1..=3).contains(field.severity.as_ref()) {
            let message = format!("severity is {}, not 1 to 3", field.severity.as_ref());
            let at = self.line(&field.severity.span());
            self.error(
                at,
                message,
                "write 1 (a flaw) to 3 (it does not work at all)",
            );
        }
        let at = self.line(&field.id.span());
        if field.exercise.is_none() && field.read.is_none() {
            self.error(
                at,
                format!("{} leads nowhere", field.id.as_ref()),
                "add `exercise = \"010\"`, or `read = \"/posts/…\"`",
            );
        }
        if let Some(exercise) = &field.exercise {
            let page = Page::Exercise(exercise.as_ref().clone());
            self.name(exercise, "exercise", page);
        }
        let read = field.read.and_then(|read| self.read(&read));
        let record = field.record.and_then(|record| self.record(record));
        let wrong = self.render(&field.wrong, &format!("{}-wrong", field.id.as_ref()));
        let right = self.render(&field.right, &format!("{}-right", field.id.as_ref()));
        let [first, last] = field.lines.into_inner();
        // What was found wrong with links and records does not hide the bug itself.
        let usable = class.is_some() && first >= 1 && first <= last && last <= lines;
        debug_assert!(usable || self.diagnostics.len() > before);
        Some(Bug {
            id: field.id.into_inner(),
            first,
            last,
            class: class.filter(|_| usable)?,
            severity: field.severity.into_inner(),
            wrong,
            right,
            exercise: field.exercise.map(Spanned::into_inner),
            read,
            record,
        })
    }

    fn class(&mut self, word: &Spanned<String>) -> Option<BugClass> {
        let found = BugClass::of_word(word.as_ref());
        if found.is_none() {
            let words = BugClass::ALL.map(BugClass::word);
            let cure = match nearest(word.as_ref(), words.into_iter()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("write one of {}", words.join(", ")),
            };
            let message = format!("there is no class `{}`", word.as_ref());
            let at = self.line(&word.span());
            self.error(at, message, &cure);
        }
        found
    }

    fn check_id(&mut self, id: &Spanned<String>) {
        let at = self.line(&id.span());
        let text = id.as_ref();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if text.is_empty() || !text.chars().all(fits) {
            let message = format!("`{text}` cannot be the id of a bug");
            self.error(at, message, "write the item of the register, like \"P-08\"");
        } else if let Some(first) = self.told.get(text) {
            let message = format!("{text} is told already, in {first}");
            self.error(at, message, "tell each item of the register once");
        } else {
            self.told
                .insert(text.to_owned(), format!("{}:{at}", self.file));
        }
    }

    fn check_lines(&mut self, range: &Spanned<[usize; 2]>, snippet: &str, lines: usize) {
        let [first, last] = *range.as_ref();
        let at = self.line(&range.span());
        if first == 0 || first > last {
            let message = format!("[{first}, {last}] are not the lines of anything");
            self.error(
                at,
                message,
                "write the first and the last line, counted from 1",
            );
        } else if last > lines {
            let message = format!("{snippet} has {lines} lines, so none is line {last}");
            self.error(at, message, "correct the lines; they are counted from 1");
        }
    }

    /// Where a further link leads, if it can be one.
    fn read(&mut self, link: &Spanned<String>) -> Option<String> {
        let at = self.line(&link.span());
        let target = links::resolve(link.as_ref(), &self.file);
        let href = match &target {
            Target::External(url) => return Some(url.clone()),
            Target::Page(page, None) => page.address(),
            Target::Page(page, Some(anchor)) => format!("{}#{anchor}", page.address()),
            _ => {
                self.error(
                    at,
                    format!("`{}` is not a page to read", link.as_ref()),
                    "link to a page like \"/posts/at-least-once\", or to one on the web",
                );
                return None;
            }
        };
        self.texts.push(Output {
            links: vec![(at, target)],
            ..Output::default()
        });
        Some(href)
    }

    fn record(&mut self, field: RecordField) -> Option<WireRecord> {
        let at = self.line(&field.file.span());
        let file = format!("{RECORDED}{}", field.file.as_ref());
        let Some(text) = self.tree.text(&file) else {
            self.error(
                at,
                format!("there is no record {file}"),
                "name a file below content/recorded/, which a test made",
            );
            return None;
        };
        Some(WireRecord {
            text: normalized(text),
            says: field.says,
            file,
        })
    }

    /// Remembers a page that has to exist.
    fn name(&mut self, value: &Spanned<String>, key: &'static str, page: Page) {
        let at = self.line(&value.span());
        self.named.push((self.file.clone(), at, key, page));
    }

    /// Markdown in a value as HTML.
    fn render(&mut self, value: &Spanned<String>, part_of_page: &str) -> String {
        let start = value.span().start;
        // The text of `"""` starts on the line below it.
        let below = self
            .text
            .get(start..)
            .is_some_and(|rest| rest.starts_with("\"\"\"\n") || rest.starts_with("'''\n"));
        let part = Part {
            text: value.as_ref().clone(),
            first_line: self.line(&value.span()) + usize::from(below),
        };
        let mut output = markdown::render(
            &part,
            Setting {
                tree: self.tree,
                file: &self.file,
                slug: self.slug,
                title: TitleRule::DropAny,
                part: Some(part_of_page),
            },
        );
        let html = std::mem::take(&mut output.rendered.html);
        self.texts.push(output);
        html
    }

    fn line(&self, span: &Range<usize>) -> usize {
        line_of(self.text.as_bytes(), span.start)
    }

    fn error(&mut self, line: usize, message: String, cure: &str) {
        let found = Diagnostic::error(&*self.file, line, message, cure);
        self.diagnostics.push(found);
    }
}
