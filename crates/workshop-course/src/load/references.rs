//! Links between pages, and pages named in front matter.

use std::collections::BTreeSet;

use super::Loader;
use crate::{
    Diagnostic,
    links::{Page, Target},
    nearest::nearest,
};

impl Loader<'_> {
    pub(super) fn check_links(&mut self) {
        for text in &self.texts {
            for (line, target) in &text.links {
                let found = match target {
                    Target::Here(anchor) => check_anchor(&text.anchors, anchor, &text.file),
                    Target::Page(page, anchor) => {
                        self.check_page(page, anchor.as_deref(), text.published)
                    }
                    Target::File(path) if !self.has_file(path) => Err(Problem::error(
                        format!("there is no file {path}"),
                        "correct the path; it is relative to this text",
                    )),
                    _ => Ok(()),
                };
                if let Err(problem) = found {
                    self.course.diagnostics.push(problem.at(&text.file, *line));
                }
            }
        }
    }

    fn check_page(
        &self,
        page: &Page,
        anchor: Option<&str>,
        from_published: bool,
    ) -> Result<(), Problem> {
        let address = page.address();
        let Some(known) = self.pages.get(page) else {
            return Err(Problem::error(
                format!("there is no page {address}"),
                &self.suggestion(page),
            ));
        };
        let Some(anchors) = &known.anchors else {
            return Ok(());
        };
        if from_published && !known.published {
            return Err(Problem {
                warning: true,
                message: format!("{address} is not published; readers cannot follow this link"),
                cure: format!("publish {}, or take the link out", known.file),
            });
        }
        match anchor {
            Some(anchor) => check_anchor(anchors, anchor, &known.file),
            None => Ok(()),
        }
    }

    fn suggestion(&self, page: &Page) -> String {
        let address = page.address();
        let addresses: Vec<String> = self.pages.keys().map(Page::address).collect();
        match nearest(&address, addresses.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => match page {
                Page::Post(slug) => format!("write content/posts/{slug}.md, or take the link out"),
                Page::Diagram(slug) => format!("write diagrams/{slug}.md, or take the link out"),
                Page::Exercise(id) => {
                    format!("write exercises/{id}-…/, or take the link out")
                }
                Page::Bug(slug) => {
                    format!("write content/bugs/{slug}/bug.toml, or take the link out")
                }
            },
        }
    }

    /// A file or folder of the course.
    fn has_file(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.tree.files.contains_key(path)
            || self
                .tree
                .files
                .range(folder.clone()..)
                .next()
                .is_some_and(|(file, _)| file.starts_with(&folder))
    }

    pub(super) fn check_mentions(&mut self) {
        for mention in &self.mentions {
            if !self.pages.contains_key(&mention.page) {
                self.course.diagnostics.push(Diagnostic::error(
                    &*mention.file,
                    mention.line,
                    format!(
                        "{} names {}, which does not exist",
                        mention.by,
                        mention.page.address()
                    ),
                    self.suggestion(&mention.page),
                ));
            }
        }
    }
}

fn check_anchor(anchors: &BTreeSet<String>, anchor: &str, file: &str) -> Result<(), Problem> {
    if anchors.contains(anchor) || anchor.starts_with("fn-") {
        return Ok(());
    }
    let nearest = nearest(anchor, anchors.iter().map(String::as_str));
    let cure = match nearest {
        Some(nearest) => format!("did you mean `#{nearest}`?"),
        None => format!("link to the page, or add a heading `{{#{anchor}}}`"),
    };
    Err(Problem::error(
        format!("{file} has no heading with the anchor `#{anchor}`"),
        &cure,
    ))
}

/// A finding that does not know its place yet.
struct Problem {
    warning: bool,
    message: String,
    cure: String,
}

impl Problem {
    fn error(message: String, cure: &str) -> Self {
        Self {
            warning: false,
            message,
            cure: cure.to_owned(),
        }
    }

    fn at(self, file: &str, line: usize) -> Diagnostic {
        if self.warning {
            Diagnostic::warning(file, line, self.message, self.cure)
        } else {
            Diagnostic::error(file, line, self.message, self.cure)
        }
    }
}
