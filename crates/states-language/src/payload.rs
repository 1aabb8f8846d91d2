//! JSON on its way from state to state, with its text: every transition needs the text for the
//! history and its length for the limit, so it is made once.

use std::sync::Arc;

use serde_json::Value;

use crate::limits::{PAYLOAD_BYTES, PAYLOAD_DEPTH};

/// A value within the limits, and its text. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) value: Arc<Value>,
    pub(crate) text: Arc<str>,
}

/// Why a value is no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    TooLong,
    TooDeep,
}

impl Payload {
    pub(crate) fn new(value: Value) -> Result<Self, Refused> {
        Self::shared(Arc::new(value))
    }

    pub(crate) fn shared(value: Arc<Value>) -> Result<Self, Refused> {
        // Depth first: writing is recursive.
        if deeper_than(&value, PAYLOAD_DEPTH) {
            return Err(Refused::TooDeep);
        }
        let text = value.to_string();
        if text.len() > PAYLOAD_BYTES {
            return Err(Refused::TooLong);
        }
        Ok(Self {
            value,
            text: text.into(),
        })
    }

    /// The payload with that value, which is mostly the one it has.
    pub(crate) fn with(&self, value: Arc<Value>) -> Result<Self, Refused> {
        if Arc::ptr_eq(&self.value, &value) {
            return Ok(self.clone());
        }
        Self::shared(value)
    }
}

/// Whether arrays and objects stand within each other more than `limit` times.
pub(crate) fn deeper_than(value: &Value, limit: usize) -> bool {
    let below = limit.checked_sub(1);
    match value {
        Value::Array(items) => {
            below.is_none_or(|limit| items.iter().any(|item| deeper_than(item, limit)))
        }
        Value::Object(members) => {
            below.is_none_or(|limit| members.values().any(|item| deeper_than(item, limit)))
        }
        _ => false,
    }
}

/// About the length of the value's text: for a budget, where escapes and digits do not matter.
pub(crate) fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().fold(2, |sum, item| sum + length(item) + 1),
        Value::Object(members) => members
            .iter()
            .fold(2, |sum, (name, item)| sum + name.len() + 4 + length(item)),
    }
}
