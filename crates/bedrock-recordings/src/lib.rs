//! Recorded exchanges with Bedrock: one folder each, readable, comparable, fit to be committed.
//!
//! ```text
//! recordings/
//!   0001-converse-claude/
//!     exchange.json    method, path, status, headers, time of the first byte
//!     request.json     the body, laid out for people
//!     response.json    the body; or stream.jsonl: one event-stream message a line, with its time
//! ```
//!
//! What is laid out for people gives back the recorded bytes: white space between JSON tokens is the
//! only thing added, and bodies for which that is not enough are stored as they are.
//!
//! Read in this order: [`Exchange`], [`folder`] (writing and reading), `stream` and `layout` (how
//! bytes become text and back), [`scrub`] (what is never stored), [`import`] (other tools' formats), [`recorder`] (the
//! proxy that makes recordings) and [`credentials`] (what it signs with).

pub mod credentials;
pub mod folder;
pub mod import;
pub mod recorder;
pub mod scrub;

mod layout;
mod stream;

use bedrock_emulator::tape::Recording;

/// A recorded exchange. [`Recording`] is the part that a replay needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Request and answer; its name is given when it is written to a folder.
    pub recording: Recording,
    /// The request's headers, for people.
    pub request_headers: Vec<(String, String)>,
}
