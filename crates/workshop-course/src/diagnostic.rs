//! What is wrong with the course, where, and how to mend it.

use std::fmt;

/// One finding about one place in the course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether something is missing from the site because of it.
    pub severity: Severity,
    /// The file, relative to the course's root, with `/`.
    pub file: String,
    /// Its line, from 1; 0 when the finding is about the whole file.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Shown, nothing is lost.
    Warning,
    /// Something is not served, or is shown broken.
    Error,
}

impl Diagnostic {
    /// Something is not served, or is shown broken.
    pub fn error(
        file: impl Into<String>,
        line: usize,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line,
            message: message.into(),
            cure: cure.into(),
        }
    }

    /// Worth mending, but nothing is lost.
    pub fn warning(
        file: impl Into<String>,
        line: usize,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(file, line, message, cure)
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(
            f,
            "{}:{}: {severity}: {}",
            self.file, self.line, self.message
        )?;
        if self.cure.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  cure: {}", self.cure)
        }
    }
}
