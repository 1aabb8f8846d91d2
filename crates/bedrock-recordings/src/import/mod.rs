//! Recordings of other tools, told apart by their shape.
//!
//! | format | told by |
//! |---|---|
//! | nock (JavaScript) | a JSON list of objects with `scope` |
//! | vcrpy (Python), also with pydantic's `parsed_body` | `interactions` |
//! | VCR (Ruby, R) | `http_interactions` |
//! | `WireMock` | a mapping with `request` and `response`, the request with `url…` |
//! | dd-apm-test-agent | one `request` and `response`, the request with a whole URL |
//!
//! None of them knows times, so what is imported answers at once.

mod nock;
mod node;
mod vcr;
mod wiremock;

use std::time::Duration;

use bedrock_emulator::{
    tape::Recording,
    wire::{Body, Due, End, Frame},
};
use bytes::Bytes;

use crate::{Exchange, scrub, stream};
use node::Node;

/// What a file gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The exchanges, in order.
    pub exchanges: Vec<Exchange>,
    /// What was passed over, and why: requests to other services.
    pub skipped: Vec<String>,
}

/// A file holds no recordings in a format known here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Neither JSON nor YAML.
    #[error("neither JSON nor YAML: {0}")]
    Unreadable(String),
    /// Another format.
    #[error(
        "none of the known formats: nock, vcrpy, VCR (Ruby, R), WireMock mapping, dd-apm-test-agent"
    )]
    Unknown,
    /// The format is known, but an exchange in it is not complete.
    #[error("exchange number {number}: {problem}")]
    Incomplete {
        /// From 1.
        number: usize,
        /// What is missing or wrong.
        problem: String,
    },
}

/// One exchange as another tool wrote it.
#[derive(Debug, Default)]
struct Raw {
    method: String,
    /// A whole URL, or path and query.
    url: String,
    request_headers: Vec<(String, String)>,
    request: Vec<u8>,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Reads the recordings in the text of a file.
pub fn read(text: &str) -> Result<Imported, ImportError> {
    let unreadable = |error| ImportError::Unreadable(error);
    let tree = if text.trim_start().starts_with(['{', '[']) {
        Node::json(text).or_else(|_| Node::yaml(text))
    } else {
        Node::yaml(text)
    };
    let tree = tree.map_err(unreadable)?;
    let raw = if let Some(definitions) = tree.list() {
        each(definitions, nock::exchange)?
    } else if let Some(interactions) = interactions(&tree) {
        each(interactions, vcr::exchange)?
    } else if let Some(mappings) = tree.get("mappings").and_then(Node::list) {
        each(mappings, wiremock::exchange)?
    } else if tree.get("request").is_some() && tree.get("response").is_some() {
        let one = std::slice::from_ref(&tree);
        if vcr::names_a_whole_url(&tree) {
            each(one, vcr::exchange)?
        } else {
            each(one, wiremock::exchange)?
        }
    } else {
        return Err(ImportError::Unknown);
    };
    let mut imported = Imported::default();
    for raw in raw {
        if let Some(reason) = foreign(&raw) {
            imported.skipped.push(reason);
        } else {
            imported.exchanges.push(raw.exchange());
        }
    }
    Ok(imported)
}

fn interactions(tree: &Node) -> Option<&[Node]> {
    let list = tree
        .get("interactions")
        .or_else(|| tree.get("http_interactions"));
    list.and_then(Node::list)
}

fn each(nodes: &[Node], read: fn(&Node) -> Result<Raw, String>) -> Result<Vec<Raw>, ImportError> {
    let numbered = nodes.iter().enumerate();
    numbered
        .map(|(index, node)| {
            read(node).map_err(|problem| ImportError::Incomplete {
                number: index + 1,
                problem,
            })
        })
        .collect()
}

/// Cassettes also hold what the client fetched elsewhere, pictures for example.
fn foreign(raw: &Raw) -> Option<String> {
    let host = raw.url.split("://").nth(1)?.split('/').next()?;
    let host = host.split(':').next().unwrap_or(host);
    let aws = host.contains("bedrock") || host.ends_with("amazonaws.com");
    (!aws).then(|| format!("{} {}: not a request to AWS", raw.method, raw.url))
}

impl Raw {
    fn exchange(self) -> Exchange {
        let target = match self.url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &self.url,
        };
        let at_once = || Due::After(Duration::ZERO);
        let body = Bytes::from(self.body);
        // Some cassettes have no headers; checksums tell a stream from anything else.
        let messages = stream::messages(&body).filter(|messages| !messages.is_empty());
        let content_type = match messages {
            Some(_) => "application/vnd.amazon.eventstream",
            None => "application/json",
        };
        let mut headers = scrub::response_headers(self.headers);
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.insert(0, ("Content-Type".to_owned(), content_type.to_owned()));
        }
        let body = match messages {
            Some(messages) => {
                let frames = messages.into_iter();
                let frames = frames.map(|bytes| Frame {
                    due: at_once(),
                    bytes,
                });
                Body::Frames {
                    frames: frames.collect(),
                    end: End::Clean,
                }
            }
            None => Body::Whole {
                due: at_once(),
                bytes: body,
            },
        };
        Exchange {
            recording: Recording {
                name: String::new(),
                method: self.method.to_ascii_uppercase(),
                target: target.to_owned(),
                request: self.request.into(),
                status: self.status,
                headers,
                body,
            },
            request_headers: scrub::request_headers(self.request_headers),
        }
    }
}

/// Headers written as an object, each value alone or in a list.
fn headers(node: Option<&Node>) -> Vec<(String, String)> {
    let Some(Node::Map(members)) = node else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (name, value) in members {
        match value {
            Node::List(values) => {
                headers.extend(
                    values
                        .iter()
                        .filter_map(|v| Some((name.clone(), v.text()?))),
                );
            }
            one => headers.extend(one.text().map(|value| (name.clone(), value))),
        }
    }
    headers
}
