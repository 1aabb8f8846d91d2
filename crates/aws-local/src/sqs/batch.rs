//! What the three batch operations share: up to ten entries with ids, each with its own success or
//! failure.

use bedrock_emulator::error::{ApiError, Code};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::{
    EMPTY_BATCH, IDS_NOT_DISTINCT, INVALID_BATCH_ENTRY_ID, TOO_MANY_ENTRIES, missing,
};

/// The most entries of a batch.
const ENTRIES_MAX: usize = 10;

/// A batch of one queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch<T> {
    pub(super) queue_url: Option<String>,
    #[serde(default = "Vec::new")]
    pub(super) entries: Vec<Entry<T>>,
}

/// One entry.
#[derive(Debug, Deserialize)]
pub(super) struct Entry<T> {
    #[serde(rename = "Id", default)]
    pub(super) id: Option<String>,
    #[serde(flatten)]
    pub(super) rest: T,
}

/// The entries, each with its id; `name`: what AWS calls one.
pub(super) fn checked<T>(entries: Vec<Entry<T>>, name: &str) -> Result<Vec<(String, T)>, ApiError> {
    if entries.is_empty() {
        return Err(EMPTY_BATCH.error(format!(
            "There should be at least one {name} in the request."
        )));
    }
    if entries.len() > ENTRIES_MAX {
        return Err(TOO_MANY_ENTRIES.error(format!(
            "Maximum number of entries per request are {ENTRIES_MAX}. You have sent {}.",
            entries.len()
        )));
    }
    let mut named: Vec<(String, T)> = Vec::new();
    for Entry { id, rest } in entries {
        let id = id.ok_or_else(|| missing(&format!("{name}.{}.Id", named.len() + 1)))?;
        let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if id.is_empty() || id.len() > 80 || !id.bytes().all(letters) {
            return Err(INVALID_BATCH_ENTRY_ID.error(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                 It can be at most 80 letters long.",
            ));
        }
        if named.iter().any(|(other, _)| *other == id) {
            return Err(IDS_NOT_DISTINCT.error(format!("Id {id} repeated.")));
        }
        named.push((id, rest));
    }
    Ok(named)
}

/// What became of the entries. A list without members is not written (observed).
#[derive(Debug, Default)]
pub(super) struct Results {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Results {
    /// What became of the next; `success` has what is said beside its id.
    pub(super) fn push(&mut self, id: &str, result: Result<Map<String, Value>, ApiError>) {
        match result {
            Ok(mut success) => {
                success.insert("Id".to_owned(), id.into());
                self.successful.push(success.into());
            }
            Err(error) => self.failed.push(json!({
                "Id": id,
                "Code": code(&error),
                "Message": error.message(),
                "SenderFault": true,
            })),
        }
    }

    pub(super) fn json(self) -> Value {
        let mut body = Map::new();
        for (name, list) in [("Successful", self.successful), ("Failed", self.failed)] {
            if !list.is_empty() {
                body.insert(name.to_owned(), list.into());
            }
        }
        body.into()
    }
}

/// Entries fail with the older names (observed: `InvalidParameterValue`).
fn code(error: &ApiError) -> &'static str {
    match error.code() {
        Code::Own(own) => own.query_name,
        other => other.name(),
    }
}
