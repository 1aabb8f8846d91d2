//! What the emulated model says: pure functions of a seed and the conversation.
//!
//! Order of reading: [`tokens`] (one count for usage, headers, logs, metrics and cost),
//! [`text`] (sentences that mention the prompt), [`schema`] (JSON that satisfies a tool's schema),
//! [`chunks`] (how an answer is cut into stream deltas).

pub mod chunks;
pub mod schema;
pub mod text;
pub mod tokens;
