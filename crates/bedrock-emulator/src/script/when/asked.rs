//! The request that rules look at.

use std::cell::OnceCell;

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    catalogue::Resolved,
    conversation::{Block, Conversation, Role, texts},
    script::text::fits,
    wire::Request,
};

/// The request that a rule may be about.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    /// As sent: an id, a profile's id or an ARN.
    pub(crate) model: Option<&'a str>,
    pub(crate) resolved: Option<&'a Resolved<'a>>,
    pub(crate) conversation: Option<&'a Conversation>,
    pub(crate) request: &'a Request,
    pub(crate) now: OffsetDateTime,
    /// Read when a rule looks at it.
    body: OnceCell<Value>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(operation: &'a str, request: &'a Request, now: OffsetDateTime) -> Self {
        Self {
            operation,
            model: None,
            resolved: None,
            conversation: None,
            request,
            now,
            body: OnceCell::new(),
        }
    }

    pub(super) fn body(&self) -> &Value {
        let read = || serde_json::from_slice(&self.request.body).unwrap_or(Value::Null);
        self.body.get_or_init(read)
    }

    pub(super) fn model_fits(&self, pattern: &str) -> bool {
        let resolved = self.resolved.map(|r| r.model);
        let names = [
            self.model,
            resolved.map(|m| m.id.as_str()),
            resolved.and_then(|m| m.alias.as_deref()),
        ];
        names.iter().flatten().any(|name| fits(pattern, name))
    }

    /// How many messages of the user there are.
    pub(super) fn turn(&self) -> u64 {
        let turns = self.conversation.map_or(&[][..], |c| &c.turns);
        let users = turns.iter().filter(|turn| turn.role == Role::User);
        users.count() as u64
    }

    pub(super) fn system(&self) -> String {
        let blocks = self.conversation.map_or(&[][..], |c| &c.system);
        let texts = blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Name and text of each tool result in the last message.
    pub(super) fn tool_results(&self) -> Vec<(&str, String)> {
        let Some(conversation) = self.conversation else {
            return Vec::new();
        };
        let last = conversation
            .turns
            .last()
            .map_or(&[][..], |turn| &turn.blocks);
        let name_of = |wanted: &str| {
            let mut all = conversation
                .blocks()
                .filter_map(|(_, _, block)| match block {
                    Block::ToolUse { id, name, .. } if id == wanted => Some(name.as_str()),
                    _ => None,
                });
            all.next().unwrap_or_default()
        };
        let results = last.iter().filter_map(|block| match block {
            Block::ToolResult { id, parts, .. } => Some((name_of(id), texts(parts))),
            _ => None,
        });
        results.collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<Value> {
        self.request.header(name).map(Value::from)
    }
}
