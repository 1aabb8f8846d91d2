//! The course as it was read last. While its author writes, a file may say for a moment what cannot be
//! shown; its page then stays as it was, and the diagnostics say why.

use std::{collections::BTreeSet, io};

use workshop_course::{Course, Diagnostic, Post, Tree};

/// The course as it was read last.
#[derive(Debug, Clone, Default)]
pub struct Edition {
    /// Its pages.
    pub course: Course,
    /// Its files; the reference solutions are shown from them.
    pub tree: Tree,
    /// Files, or folders of exercises and find-the-bug pages, whose pages are of an earlier edition.
    kept: BTreeSet<String>,
}

impl Edition {
    /// What the files say.
    pub fn new(tree: Tree) -> Self {
        Self {
            course: Course::load(&tree),
            tree,
            kept: BTreeSet::new(),
        }
    }

    /// What the files say; pages that cannot be made from them any more, though their files are there,
    /// are taken from the edition before.
    pub fn after(before: &Self, tree: Tree) -> Self {
        let mut new = Self::new(tree);
        new.keep_posts(before);
        new.keep_diagrams(before);
        new.keep_exercises(before);
        new.keep_bugs(before);
        new
    }

    /// The files cannot be read at all: everything stays, with one more diagnostic.
    pub fn unread(before: &Self, error: &io::Error) -> Self {
        const PLACE: &str = "the course’s folder";
        let mut same = before.clone();
        same.course.diagnostics.retain(|d| d.file != PLACE);
        same.course.diagnostics.push(Diagnostic::error(
            PLACE,
            0,
            format!("it cannot be read: {error}"),
            "make its files readable again; all pages show what they said before",
        ));
        same
    }

    /// Whether the page made from that file is of an earlier edition.
    pub fn is_kept(&self, file: &str) -> bool {
        let folders = file.match_indices('/').map(|(at, _)| &file[..at]);
        folders.chain([file]).any(|part| self.kept.contains(part))
    }

    fn keep_posts(&mut self, before: &Self) {
        let posts = &mut self.course.posts;
        for post in &before.course.posts {
            let shown = posts.iter().any(|p| p.slug == post.slug);
            if !shown && self.tree.files.contains_key(&post.file) {
                self.kept.insert(post.file.clone());
                posts.push(post.clone());
            }
        }
        posts.sort_by_key(Post::place);
    }

    fn keep_diagrams(&mut self, before: &Self) {
        let pages = &mut self.course.diagrams;
        for page in &before.course.diagrams {
            let shown = pages.iter().any(|p| p.slug == page.slug);
            if !shown && self.tree.files.contains_key(&page.file) {
                self.kept.insert(page.file.clone());
                pages.push(page.clone());
            }
        }
        pages.sort_by(|a, b| a.file.cmp(&b.file));
    }

    fn keep_exercises(&mut self, before: &Self) {
        for exercise in &before.course.exercises {
            let shown = self.course.exercises.iter().any(|e| e.id == exercise.id);
            if !shown && self.has_folder(&exercise.dir) {
                self.kept.insert(exercise.dir.clone());
                self.course.exercises.push(exercise.clone());
            }
        }
        self.course.exercises.sort_by(|a, b| a.id.cmp(&b.id));
        // A track is only there with an exercise in it.
        for track in &before.course.tracks {
            let needed = self.course.exercises.iter().any(|e| e.track == track.id);
            if needed && !self.course.tracks.iter().any(|t| t.id == track.id) {
                self.course.tracks.push(track.clone());
            }
        }
    }

    fn keep_bugs(&mut self, before: &Self) {
        for page in &before.course.bugs {
            let shown = self.course.bugs.iter().any(|p| p.slug == page.slug);
            if !shown && self.has_folder(&page.dir) {
                self.kept.insert(page.dir.clone());
                self.course.bugs.push(page.clone());
            }
        }
        let bugs = &mut self.course.bugs;
        bugs.sort_by_key(|page| (page.order, page.slug.clone()));
    }

    fn has_folder(&self, dir: &str) -> bool {
        let inside = format!("{dir}/");
        let mut from = self.tree.files.range(inside.clone()..);
        from.next()
            .is_some_and(|(path, _)| path.starts_with(&inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let files = files.iter();
        Tree {
            files: files
                .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
                .collect(),
            ..Tree::default()
        }
    }

    const GOOD: &str = "---\ntitle: A\ndate: 2026-01-31\nauthor: B\nexcerpt: c\ncategory: D\n\
                        tags: [E]\npublished: true\n---\n\nText.\n";

    #[test]
    fn a_post_that_breaks_stays_as_it_was_until_it_is_mended_or_gone() {
        let file = "content/posts/a.md";
        let first = Edition::new(tree(&[(file, GOOD)]));
        let broken = Edition::after(&first, tree(&[(file, "---\ntitle: [\n---\n")]));
        assert_eq!(broken.course.posts, first.course.posts);
        assert!(broken.is_kept(file) && !broken.course.diagnostics.is_empty());
        // Also when it stays broken.
        let still = Edition::after(&broken, tree(&[(file, "---\ntitle: {\n---\n")]));
        assert_eq!(still.course.posts, first.course.posts);
        let mended = Edition::after(&still, tree(&[(file, GOOD)]));
        assert!(!mended.is_kept(file) && mended.course.diagnostics.is_empty());
        let gone = Edition::after(&mended, tree(&[]));
        assert!(gone.course.posts.is_empty());
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_one_diagnostic() {
        let first = Edition::new(tree(&[("content/posts/a.md", GOOD)]));
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        let twice = Edition::unread(&Edition::unread(&first, &error), &error);
        assert_eq!(twice.course.posts, first.course.posts);
        assert_eq!(twice.course.diagnostics.len(), 1);
    }
}
