//! Loading in two steps: every file by itself, then what they say about each other.

mod references;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    Course, Diagnostic, DiagramPage, Exercise, Fence, Post, Slug, Track, Tree, agenda, bug,
    document::Document,
    exercise,
    front_matter::{FrontMatter, Located},
    links::{self, Page, Target},
    markdown::{self, Output, Setting, TitleRule},
};

/// Keys that a post cannot do without.
const POST_KEYS: [&str; 7] = [
    "title",
    "date",
    "author",
    "excerpt",
    "category",
    "tags",
    "published",
];

const POSTS: &str = "content/posts/";
const DIAGRAMS: &str = "diagrams/";

/// See [`Course::load`].
pub(crate) fn load(tree: &Tree) -> Course {
    let mut loader = Loader {
        tree,
        course: Course::default(),
        pages: BTreeMap::new(),
        texts: Vec::new(),
        mentions: Vec::new(),
    };
    loader.course.diagnostics.clone_from(&tree.diagnostics);
    loader.diagrams();
    loader.posts();
    loader.exercises();
    loader.bugs();
    loader.agendas();
    loader.check_links();
    loader.check_mentions();
    let mut course = loader.course;
    course.posts.sort_by_key(Post::place);
    course.diagnostics.sort_by(|a, b| {
        (&a.file, a.line, Reverse(a.severity)).cmp(&(&b.file, b.line, Reverse(b.severity)))
    });
    course
}

/// Every Mermaid fence of the course's posts and diagram pages, with the page's file.
pub fn fences(tree: &Tree) -> Vec<(String, Fence)> {
    let mut fences = Vec::new();
    for folder in [DIAGRAMS, POSTS] {
        for (file, slug) in markdown_files(tree, folder) {
            let Some(text) = tree.text(&file) else {
                continue;
            };
            let body = Document::parse(text).body;
            for fence in markdown::mermaid_fences(&body, &file, &slug) {
                fences.push((file.clone(), fence));
            }
        }
    }
    fences
}

/// Path and page slug of the Markdown files directly in `folder`.
fn markdown_files(tree: &Tree, folder: &str) -> Vec<(String, String)> {
    tree.files
        .range(folder.to_owned()..)
        .take_while(|(path, _)| path.starts_with(folder))
        .filter_map(|(path, _)| Some((path.clone(), links::page_slug(&path[folder.len()..])?)))
        .collect()
}

/// What is known of a page when links are checked.
struct Known {
    file: String,
    /// `None` for a page that was left out because of an error that is reported already.
    anchors: Option<BTreeSet<String>>,
    published: bool,
}

/// A rendered text whose links are to be checked.
struct Text {
    file: String,
    published: bool,
    anchors: BTreeSet<String>,
    links: Vec<(usize, Target)>,
}

/// A page named in front matter or `bug.toml`.
struct Mention {
    file: String,
    line: usize,
    /// What names it: "the front matter", "`post`".
    by: String,
    page: Page,
}

struct Loader<'a> {
    tree: &'a Tree,
    course: Course,
    pages: BTreeMap<Page, Known>,
    texts: Vec<Text>,
    mentions: Vec<Mention>,
}

/// A document that can be shown.
struct Loaded {
    front: FrontMatter,
    title: String,
    output: Output,
}

impl Loader<'_> {
    fn posts(&mut self) {
        for (file, slug) in self.files(POSTS) {
            let page = Page::Post(slug.clone());
            let Some(loaded) = self.document(&file, &slug, &page, &POST_KEYS) else {
                continue;
            };
            let Loaded {
                front,
                title,
                output,
            } = loaded;
            let published = front.published.unwrap_or(true);
            self.known(page, &file, &output, published);
            self.mention(&file, &front.exercises, Page::Exercise);
            self.mention(&file, &front.diagrams, Page::Diagram);
            let mut output = output;
            let recall = std::mem::take(&mut output.recall);
            let (body, diagrams, excerpt) = self.take(&file, output, published, front.excerpt);
            self.course.posts.push(Post {
                slug: Slug(slug),
                title,
                date: front.date,
                author: front.author,
                excerpt,
                category: front.category,
                tags: front.tags,
                published,
                body,
                exercises: names(front.exercises),
                related_diagrams: names(front.diagrams),
                diagrams,
                recall,
                series: front.series,
                order: front.order,
                reviewed: front.reviewed,
                expires: front.expires,
                other: front.other,
                file,
            });
        }
    }

    fn diagrams(&mut self) {
        for (file, slug) in self.files(DIAGRAMS) {
            let page = Page::Diagram(slug.clone());
            let Some(loaded) = self.document(&file, &slug, &page, &[]) else {
                continue;
            };
            let Loaded {
                front,
                title,
                output,
            } = loaded;
            let published = front.published.unwrap_or(true);
            self.known(page, &file, &output, published);
            self.mention(&file, &front.exercises, Page::Exercise);
            self.mention(&file, &front.diagrams, Page::Diagram);
            let (body, diagrams, excerpt) = self.take(&file, output, published, front.excerpt);
            if diagrams.is_empty() {
                self.course.diagnostics.push(Diagnostic::warning(
                    &*file,
                    0,
                    "the diagram page has no diagram",
                    "add a fence that starts with ```mermaid",
                ));
            }
            self.course.diagrams.push(DiagramPage {
                slug: Slug(slug),
                title,
                excerpt,
                tags: front.tags,
                published,
                body,
                diagrams,
                file,
            });
        }
    }

    /// The Markdown files of `folder`; of two with the same slug, the first one.
    fn files(&mut self, folder: &str) -> Vec<(String, String)> {
        for path in self.tree.files.keys() {
            let Some(name) = path.strip_prefix(folder) else {
                continue;
            };
            let text = ["md", "mdx"].iter().any(|e| {
                name.rsplit_once('.')
                    .is_some_and(|(_, ending)| ending == *e)
            });
            let readme = name.to_lowercase().starts_with("readme.");
            if text && !readme && links::page_slug(name).is_none() {
                self.course.diagnostics.push(Diagnostic::warning(
                    path,
                    0,
                    "the file is no page: its name gives no address, or it lies in a subfolder",
                    format!("name it with letters, digits and hyphens, directly in {folder}"),
                ));
            }
        }
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let mut files = Vec::new();
        for (file, slug) in markdown_files(self.tree, folder) {
            if let Some(first) = seen.get(&slug) {
                self.course.diagnostics.push(Diagnostic::error(
                    &*file,
                    0,
                    format!("the slug `{slug}` is taken by {first}; this file is left out"),
                    "rename one of the two files",
                ));
            } else {
                seen.insert(slug.clone(), file.clone());
                files.push((file, slug));
            }
        }
        files
    }

    fn document(
        &mut self,
        file: &str,
        slug: &str,
        page: &Page,
        required: &[&str],
    ) -> Option<Loaded> {
        let loaded = self.readable_document(file, slug, required);
        if loaded.is_none() {
            // Links to it are not broken: mending the page mends them.
            let known = Known {
                file: file.to_owned(),
                anchors: None,
                published: true,
            };
            self.pages.insert(page.clone(), known);
        }
        loaded
    }

    fn readable_document(&mut self, file: &str, slug: &str, required: &[&str]) -> Option<Loaded> {
        let diagnostics = &mut self.course.diagnostics;
        let Some(text) = self.tree.text(file) else {
            diagnostics.push(Diagnostic::error(
                file,
                0,
                "the file is not UTF-8 text and is left out",
                "save it as UTF-8",
            ));
            return None;
        };
        let document = Document::parse(text);
        if document.unclosed {
            diagnostics.push(Diagnostic::error(
                file,
                1,
                "the front matter never ends",
                "add a line `---` after its last key",
            ));
            return None;
        }
        if document.front.is_none() && !required.is_empty() {
            diagnostics.push(Diagnostic::warning(
                file,
                1,
                "there is no front matter; the first heading is the title",
                "start the file with a line `---`, the keys, and another `---`",
            ));
        }
        let front = match &document.front {
            Some(part) => FrontMatter::parse(part, file, required, diagnostics)?,
            None => FrontMatter::default(),
        };
        let mut output = markdown::render(
            &document.body,
            Setting {
                tree: self.tree,
                file,
                slug,
                title: front
                    .title
                    .as_deref()
                    .map_or(TitleRule::Take, TitleRule::Drop),
                part: None,
            },
        );
        let title = front.title.clone().or_else(|| output.title.take());
        let title = title.filter(|t| !t.is_empty()).unwrap_or_else(|| {
            diagnostics.push(Diagnostic::warning(
                file,
                1,
                "the text has no title",
                "add `title: …` to the front matter, or start with a heading",
            ));
            slug.to_owned()
        });
        Some(Loaded {
            front,
            title,
            output,
        })
    }

    /// Makes a page known to links from elsewhere.
    fn known(&mut self, page: Page, file: &str, output: &Output, published: bool) {
        let known = Known {
            file: file.to_owned(),
            anchors: Some(output.anchors.clone()),
            published,
        };
        self.pages.insert(page, known);
    }

    fn mention(&mut self, file: &str, list: &[Located], page: fn(String) -> Page) {
        for located in list {
            self.mentions.push(Mention {
                file: file.to_owned(),
                line: located.line,
                by: "the front matter".to_owned(),
                page: page(located.name.clone()),
            });
        }
    }

    /// Keeps what is left to check, and hands out the parts of the page. The excerpt falls back
    /// to the first paragraph.
    fn take(
        &mut self,
        file: &str,
        mut output: Output,
        published: bool,
        excerpt: String,
    ) -> (crate::Rendered, Vec<crate::Diagram>, String) {
        self.course.diagnostics.append(&mut output.diagnostics);
        self.course.media.append(&mut output.media);
        self.texts.push(Text {
            file: file.to_owned(),
            published,
            anchors: output.anchors,
            links: output.links,
        });
        let excerpt = if excerpt.is_empty() {
            output.first_paragraph.trim().to_owned()
        } else {
            excerpt
        };
        (output.rendered, output.diagrams, excerpt)
    }

    /// The links of a file that is no page.
    fn links_of(&mut self, file: &str, links: Vec<(usize, Target)>) {
        self.texts.push(Text {
            file: file.to_owned(),
            published: true,
            anchors: BTreeSet::new(),
            links,
        });
    }

    fn exercises(&mut self) {
        let loaded = exercise::load(self.tree, &mut self.course.diagnostics);
        for (exercise, texts) in loaded.exercises {
            let readme = format!("{}/README.md", exercise.dir);
            let page = Page::Exercise(exercise.id.clone());
            let anchors = texts.first().map(|(_, o)| o.anchors.clone());
            self.pages.insert(
                page,
                Known {
                    file: readme,
                    anchors: Some(anchors.unwrap_or_default()),
                    published: true,
                },
            );
            for (file, output) in texts {
                self.take(&file, output, true, String::new());
            }
            self.course.exercises.push(exercise);
        }
        for id in loaded.left_out {
            let known = Known {
                file: String::new(),
                anchors: None,
                published: true,
            };
            self.pages.entry(Page::Exercise(id)).or_insert(known);
        }
        self.course.tracks = loaded.tracks;
        self.course.patterns = loaded.patterns;
        self.links_of("exercises/tracks.toml", loaded.track_links);
        exercise::check_references(
            &mut self.course,
            &loaded.places,
            &|slug| self.pages.contains_key(&Page::Diagram(slug.to_owned())),
            &|id| self.pages.contains_key(&Page::Exercise(id.to_owned())),
        );
    }

    /// After the exercises: these pages name them.
    fn agendas(&mut self) {
        for (agenda, links) in agenda::load(self.tree, &mut self.course.diagnostics) {
            self.links_of(&agenda.file.clone(), links);
            self.course.agendas.push(agenda);
        }
    }

    fn bugs(&mut self) {
        let loaded = bug::load(self.tree, &mut self.course.diagnostics);
        for (page, texts) in loaded.pages {
            let file = format!("{}/bug.toml", page.dir);
            let anchors = (1..=page.lines.len())
                .map(|n| format!("line-{n}"))
                .collect();
            self.pages.insert(
                Page::Bug(page.slug.as_str().to_owned()),
                Known {
                    file: file.clone(),
                    anchors: Some(anchors),
                    published: true,
                },
            );
            for output in texts {
                self.take(&file, output, true, String::new());
            }
            self.course.bugs.push(page);
        }
        for slug in loaded.left_out {
            let known = Known {
                file: String::new(),
                anchors: None,
                published: true,
            };
            self.pages.insert(Page::Bug(slug), known);
        }
        for (file, line, key, page) in loaded.named {
            let by = format!("`{key}`");
            self.mentions.push(Mention {
                file,
                line,
                by,
                page,
            });
        }
    }
}

fn names(list: Vec<Located>) -> Vec<String> {
    list.into_iter().map(|located| located.name).collect()
}

/// A track with only its id, for an exercise whose track is not described.
pub(crate) fn unnamed_track(id: &str) -> Track {
    Track {
        id: id.to_owned(),
        title: format!("Track {}", id.to_uppercase()),
        summary: String::new(),
        chain: Vec::new(),
    }
}

/// Whether an exercise belongs to a track.
pub(crate) fn has_exercise(exercises: &[Exercise], track: &str) -> bool {
    exercises.iter().any(|e| e.track == track)
}
