//! The keys of `bug.toml`.

use serde::Deserialize;
use toml::Spanned;

/// `bug.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) order: i64,
    pub(super) file: Spanned<String>,
    pub(super) post: Spanned<String>,
    pub(super) context: Spanned<String>,
    #[serde(default)]
    pub(super) bug: Vec<Spanned<BugField>>,
}

/// A `[[bug]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BugField {
    pub(super) id: Spanned<String>,
    pub(super) lines: Spanned<[usize; 2]>,
    pub(super) class: Spanned<String>,
    pub(super) severity: Spanned<u8>,
    pub(super) wrong: Spanned<String>,
    pub(super) right: Spanned<String>,
    pub(super) exercise: Option<Spanned<String>>,
    pub(super) read: Option<Spanned<String>>,
    pub(super) record: Option<RecordField>,
}

/// A `[bug.record]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordField {
    pub(super) file: Spanned<String>,
    pub(super) says: String,
}
