//! What the emulated model says: pure functions of a seed and the conversation.
//!
//! Order of reading: [`tokens`] (one count for usage, headers, logs, metrics and cost),
//! [`text`] (sentences that mention the prompt), [`intent`] (which tools a prompt asks for),
//! [`schema`] (JSON that satisfies a tool's schema), [`report`] (words about a tool's result),
//! [`cite`] (what an answer cites), [`thought`] (what comes before an answer), [`chunks`] (how an
//! answer is cut into stream deltas).
//!
//! Nothing here imitates a model's knowledge. The words have the right form, length and subject,
//! so that a program around them can be built and tested; no test may depend on their wording,
//! and [`text::scramble`] is there to prove it.

pub mod tokens;

mod ask;
pub mod text;

pub mod intent;
pub mod schema;

pub mod cite;
pub mod report;
pub mod thought;

pub mod chunks;

mod rng;
