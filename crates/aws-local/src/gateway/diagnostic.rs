//! What is wrong with an API's document or settings: where, what, and the cure.

use std::fmt;

/// One thing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The document, or `settings`.
    pub file: String,
    /// Where in it: a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub problem: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            pointer,
            problem,
            cure,
        } = self;
        write!(f, "{file}#{pointer}: {problem}; {cure}")
    }
}

/// Everything that keeps an API from being deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Collects what is wrong with one file.
#[derive(Debug)]
pub(super) struct Findings {
    file: String,
    pub(super) found: Vec<Diagnostic>,
}

impl Findings {
    pub(super) fn in_file(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            found: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        pointer: &str,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.found.push(Diagnostic {
            file: self.file.clone(),
            pointer: pointer.to_owned(),
            problem: problem.into(),
            cure: cure.into(),
        });
    }
}

/// A pointer to a member, escaped as RFC 6901 says.
pub(super) fn member(pointer: &str, name: &str) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{name}")
}
