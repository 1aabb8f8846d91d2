//! What Bedrock and Claude refuse about what was said: a table of rules over the neutral
//! [`Conversation`], one row each, in the order in which they are checked.
//!
//! A row says to which requests it applies, looks, and has the sentence to answer with; the first
//! row that finds something wins. Bedrock's own rows come before the model's. Converse passes the
//! model's complaints on with a prefix, `InvokeModel` passes them bare (recorded). Complaints about
//! the shape of a body are not here: they are made where it is read.

mod bedrock;
mod claude;
mod media;
mod thinking;
mod tools;

use crate::{
    catalogue::Model,
    conversation::{Block, Conversation, Role},
    error::{ApiError, Code},
};

pub use crate::refusal::Evidence;

/// Which API the caller used; decides who checks and how a complaint is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Converse and `ConverseStream`.
    Converse,
    /// A body that goes to the model as it is.
    Messages,
}

impl Surface {
    /// A complaint of the model.
    pub(crate) fn model(self, message: impl AsRef<str>) -> ApiError {
        ApiError::validation(format!("{}{}", self.prefix(), message.as_ref()))
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Converse => "The model returned the following errors: ",
            Self::Messages => "",
        }
    }
}

/// One thing that is refused.
#[derive(Debug)]
pub struct Rule {
    /// What this project calls it.
    pub name: &'static str,
    /// The row of the catalogue of errors that it is, if it is one.
    pub row: Option<u8>,
    /// The only API it applies to, if it does not apply to both.
    pub surface: Option<Surface>,
    /// The only provider whose models it applies to, if it does not apply to all.
    pub provider: Option<&'static str>,
    /// Who complains.
    pub by: By,
    /// The error's code.
    pub code: Code,
    /// The sentence; `{}` stands for what the request adds to it.
    pub text: &'static str,
    /// How well the sentence is known.
    pub evidence: Evidence,
    /// What fills the sentence, if the request breaks the rule.
    check: Check,
}

type Check = fn(&Case<'_>) -> Option<Vec<String>>;

/// Who complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Bedrock, before the model sees the request.
    Bedrock,
    /// The model's provider.
    Model,
}

/// The parts of the table, in order.
const TABLE: &[&[Rule]] = &[
    bedrock::RULES,
    claude::BEFORE,
    tools::RULES,
    thinking::RULES,
    media::RULES,
    claude::AFTER,
];

/// Every rule, in the order in which they are checked.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    TABLE.iter().copied().flatten()
}

/// A request that is checked.
pub(crate) struct Case<'c> {
    pub(crate) surface: Surface,
    pub(crate) streams: bool,
    pub(crate) model: &'c Model,
    pub(crate) conversation: &'c Conversation,
    /// How long the body was: a text has no more tokens than bytes.
    pub(crate) body_length: usize,
    has: Has,
}

/// What a conversation holds at all, found in one pass, so that most rules need not look.
#[derive(Debug, Default)]
struct Has {
    tools: bool,
    media: bool,
    system_role: bool,
    cache_points: usize,
}

impl<'c> Case<'c> {
    pub(crate) fn new(
        surface: Surface,
        streams: bool,
        model: &'c Model,
        conversation: &'c Conversation,
        body_length: usize,
    ) -> Self {
        let mut has = Has {
            cache_points: conversation.cache_points(),
            ..Has::default()
        };
        for turn in &conversation.turns {
            has.system_role |= turn.role == Role::System;
            for block in &turn.blocks {
                match block {
                    Block::ToolUse { .. } => has.tools = true,
                    Block::ToolResult { .. } => {
                        has.tools = true;
                        has.media = true;
                    }
                    Block::Image(_) | Block::Document(_) | Block::Video(_) | Block::Audio(_) => {
                        has.media = true;
                    }
                    _ => {}
                }
            }
        }
        Self {
            surface,
            streams,
            model,
            conversation,
            body_length,
            has,
        }
    }

    /// Bedrock's checks, then the model's.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        // Neighbours are about the same provider, whose name need not be compared again.
        let (mut last, mut ours) = ("", false);
        for rule in rules() {
            if rule.surface.is_some_and(|surface| surface != self.surface) {
                continue;
            }
            if let Some(provider) = rule.provider {
                if !std::ptr::eq(provider, last) {
                    (last, ours) = (provider, provider == self.model.provider);
                }
                if !ours {
                    continue;
                }
            }
            if let Some(found) = (rule.check)(self) {
                return Err(rule.error(self.surface, &found));
            }
        }
        Ok(())
    }
}

impl Rule {
    fn error(&self, surface: Surface, found: &[String]) -> ApiError {
        let mut message = match self.by {
            By::Bedrock => String::new(),
            By::Model => surface.prefix().to_owned(),
        };
        let mut found = found.iter();
        for (i, part) in self.text.split("{}").enumerate() {
            if i > 0 {
                message.push_str(found.next().map_or("", String::as_str));
            }
            message.push_str(part);
        }
        ApiError::bedrock(self.code, message)
    }
}

/// Nothing to fill in.
const BROKEN: Option<Vec<String>> = Some(Vec::new());

/// [`BROKEN`] if it is so.
fn when(broken: bool) -> Option<Vec<String>> {
    if broken { BROKEN } else { None }
}

/// What fills a sentence.
macro_rules! fill {
    ($($part:expr),+ $(,)?) => { Some(vec![$($part.to_string()),+]) };
}
use fill;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{By, rules};

    #[test]
    fn rules_have_names_of_their_own_and_bedrocks_come_first() {
        let names: Vec<_> = rules().map(|rule| rule.name).collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        let by: Vec<By> = rules().map(|rule| rule.by).collect();
        assert!(by.is_sorted(), "Bedrock checks before it asks the model");
    }
}
