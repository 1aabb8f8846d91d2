//! What goes into the emulator and what comes out: HTTP as plain data.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::headers::Headers;

/// One HTTP request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query exactly as they stood on the wire, still percent-encoded: SigV4 signs
    /// them that way and an ARN's `%2F` must not split a path segment.
    pub target: String,
    /// Names in lower case, in order of arrival. HTTP/2's `:authority` is given as `host`.
    pub headers: Headers,
    /// The whole body.
    pub body: Bytes,
    /// Number of the TCP connection, counted by the endpoint; lets tests see reuse.
    pub connection: u64,
}

impl Request {
    /// The first header of that lower-case `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

/// One header of an answer.
pub type Header = (Cow<'static, str>, String);

/// A header whose name is known beforehand.
pub(crate) fn header(name: &'static str, value: impl Into<String>) -> Header {
    (Cow::Borrowed(name), value.into())
}

/// The emulator's answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Names as Bedrock spells them on HTTP/1.1 (`x-amzn-RequestId`), in Bedrock's order. `Date`,
    /// `Connection`, `Content-Length` and `Transfer-Encoding` are the endpoint's to add.
    pub headers: Vec<Header>,
    /// The body and when its parts are due.
    pub body: Body,
    /// Number of the journal entry of this request, from 1.
    pub seq: u64,
    /// The account whose journal holds it.
    pub account: Arc<str>,
}

/// A reply's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Sent at once, when due.
    Whole {
        /// When headers and body go out.
        due: Due,
        /// The body's bytes.
        bytes: Bytes,
    },
    /// Headers go out at once, then one HTTP chunk (HTTP/2: DATA frame) for each event-stream
    /// message, each when it is due.
    Frames {
        /// The messages in order.
        frames: Vec<Frame>,
        /// How the stream ends.
        end: End,
    },
    /// Nothing is sent, not even a status line: the connection is closed (HTTP/2: the stream is
    /// reset) when due. `status` and `headers` of the [`Reply`] stay unused.
    Disconnect {
        /// When the connection goes.
        due: Due,
    },
}

impl Body {
    /// All bytes, whatever their time: what a client that reads to the end gets.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Whole { bytes, .. } => bytes.clone(),
            Self::Frames { frames, .. } => frames
                .iter()
                .flat_map(|f| f.bytes.iter().copied())
                .collect(),
            Self::Disconnect { .. } => Bytes::new(),
        }
    }
}

/// One event-stream message and the moment it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it leaves.
    pub due: Due,
    /// The encoded message, with prelude and both checksums.
    pub bytes: Bytes,
}

/// When something leaves the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// That long after the request arrived, or after the last gate before it opened; already past
    /// means now.
    After(Duration),
    /// That long after the last of these gates opened.
    Gates(Vec<Gate>, Duration),
    /// Never: the request hangs until the client gives up.
    Never,
}

/// A point that a test opens; never passed by time alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Not passed earlier than this after the gate before it (the first: after the request arrived).
    pub after: Duration,
    /// Its name.
    pub name: String,
}

/// How a stream of frames ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The body ends as HTTP says.
    Clean,
    /// The connection is cut after the last frame, in the middle of the body.
    Cut,
}
