//! The expression language: conditions, key conditions, updates and projections.
//!
//! Read in this order: `token`, `parser` (what all expressions share: the place in the text, paths,
//! placeholders, findings), `path`, `condition` and `condition_parser`, `key_condition`, `update` and
//! `update_parser`, `projection`, `placeholders` (the front: texts in, expressions out).
//!
//! Errors are in the service's words. Syntax is judged first; then of all other mistakes the one
//! that the service names first ([`parser::Rank`]).

mod condition;
mod condition_parser;
mod key_condition;
mod parser;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod token;
mod update;
mod update_parser;

#[cfg(test)]
mod tests;

pub(super) use condition::Condition;
pub(super) use key_condition::{KeyCondition, SortCondition};
pub(super) use placeholders::{Given, Placeholders};
pub(super) use projection::Projection;
pub(super) use update::Update;
