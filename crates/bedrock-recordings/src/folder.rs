//! A folder of recordings on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use bedrock_emulator::{
    tape::Recording,
    wire::{Body, Due, End},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    Exchange,
    layout::{compact, is_compact_json, pretty},
    stream,
};

const EXCHANGE_FILE: &str = "exchange.json";
const STREAM_FILE: &str = "stream.jsonl";

/// A folder cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The system refuses.
    #[error("{path} cannot be {action}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `exchange.json` is not what it should be.
    #[error("{path} is not a description of an exchange")]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A line of a stream is not what it should be.
    #[error("{path}, line {line}: not a message of a stream")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// `exchange.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    request: RequestPart,
    response: ResponsePart,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestPart {
    method: String,
    target: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Stored>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponsePart {
    status: u16,
    #[serde(default)]
    headers: Vec<Header>,
    /// Milliseconds until the answer began.
    #[serde(default)]
    after_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Stored>,
    /// The connection was cut before the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// `Name: value`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[derive(Clone)]
struct Header(String, String);

impl From<String> for Header {
    fn from(line: String) -> Self {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        Self(name.trim().to_owned(), value.trim().to_owned())
    }
}

impl From<Header> for String {
    fn from(Header(name, value): Header) -> Self {
        format!("{name}: {value}")
    }
}

/// Where a body is, and how its file becomes its bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stored {
    /// JSON laid out for people; the bytes have no white space between tokens.
    CompactJson(String),
    /// The bytes are the file's.
    Exact(String),
    /// One event-stream message a line.
    Stream(String),
}

/// Writes an exchange as the next one of the folder; returns its name.
pub fn append(folder: &Path, exchange: &Exchange) -> Result<String, FolderError> {
    let written = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Io {
            path,
            action: "written",
            source,
        }
    };
    fs::create_dir_all(folder).map_err(written(folder))?;
    let mut number = names(folder)?
        .iter()
        .filter_map(|name| name.split('-').next()?.parse::<u32>().ok())
        .max()
        .unwrap_or_default();
    // Two exchanges may be written at the same time: a folder can be made only once.
    let (name, path) = loop {
        number += 1;
        let name = format!("{number:04}-{}", label(&exchange.recording.target));
        let path = folder.join(&name);
        match fs::create_dir(&path) {
            Ok(()) => break (name, path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(written(&path)(error)),
        }
    };
    let recording = &exchange.recording;
    let write = |file: &str, content: &[u8]| {
        let path = path.join(file);
        fs::write(&path, content).map_err(written(&path))
    };
    let request_body = stored("request", &recording.request, &write)?;
    let (after_ms, response_body, cut) = match &recording.body {
        Body::Whole { due, bytes } => (millis(due), stored("response", bytes, &write)?, false),
        Body::Frames { frames, end } => {
            write(STREAM_FILE, stream::to_lines(frames).as_bytes())?;
            let first = frames.first().map_or(0, |frame| millis(&frame.due));
            let stored = Stored::Stream(STREAM_FILE.to_owned());
            (first, Some(stored), *end == End::Cut)
        }
        Body::Disconnect { due } => (millis(due), None, true),
    };
    let description = Description {
        request: RequestPart {
            method: recording.method.clone(),
            target: recording.target.clone(),
            headers: headers(&exchange.request_headers),
            body: request_body,
        },
        response: ResponsePart {
            status: recording.status,
            headers: headers(&recording.headers),
            after_ms,
            body: response_body,
            cut,
        },
    };
    // Last: a folder without it was not finished and is passed over.
    let text = serde_json::to_string_pretty(&description).unwrap_or_default() + "\n";
    write(EXCHANGE_FILE, text.as_bytes())?;
    Ok(name)
}

fn headers(headers: &[(String, String)]) -> Vec<Header> {
    let headers = headers.iter();
    headers.map(|(n, v)| Header(n.clone(), v.clone())).collect()
}

fn millis(due: &Due) -> u64 {
    match due {
        Due::After(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        Due::Gates(..) | Due::Never => 0,
    }
}

/// Writes one file of an exchange.
type Write<'w> = dyn Fn(&str, &[u8]) -> Result<(), FolderError> + 'w;

fn stored(name: &str, body: &Bytes, write: &Write<'_>) -> Result<Option<Stored>, FolderError> {
    if body.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(body);
    if let Ok(json) = text
        && is_compact_json(body)
    {
        let file = format!("{name}.json");
        write(&file, pretty(json).as_bytes())?;
        return Ok(Some(Stored::CompactJson(file)));
    }
    let extension = match text {
        Ok(_) if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => "json",
        Ok(_) => "txt",
        Err(_) => "bin",
    };
    let file = format!("{name}.{extension}");
    write(&file, body)?;
    Ok(Some(Stored::Exact(file)))
}

/// `converse-claude-x`, of `/model/claude-x/converse`.
fn label(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let mut parts = match segments.as_slice() {
        ["model", model, action] => vec![*action, *model],
        other => other.to_vec(),
    };
    parts.truncate(3);
    let text = parts.join("-").replace("%3A", ":").replace("%2F", "/");
    let text = text
        .rsplit_once('/')
        .map_or(text.clone(), |(before, last)| {
            // The resource of an ARN says enough.
            let action = before.split('-').next().unwrap_or_default();
            format!("{action}-{last}")
        });
    let tame = |c: char| match c {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '.' | '_' => c,
        _ => '_',
    };
    let label: String = text.chars().map(tame).take(80).collect();
    if label.is_empty() {
        "root".to_owned()
    } else {
        label
    }
}

/// The names of the folder's exchanges, in order.
fn names(folder: &Path) -> Result<Vec<String>, FolderError> {
    let read = |source| FolderError::Io {
        path: folder.to_owned(),
        action: "read",
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads all recordings of a folder, in order. Folders without `exchange.json` are passed over.
pub fn read(folder: &Path) -> Result<Vec<Recording>, FolderError> {
    let mut recordings = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        if path.join(EXCHANGE_FILE).is_file() {
            recordings.push(read_one(&path, name)?);
        }
    }
    Ok(recordings)
}

fn read_one(folder: &Path, name: String) -> Result<Recording, FolderError> {
    let path = folder.join(EXCHANGE_FILE);
    let description: Description = serde_json::from_slice(&read_file(&path)?)
        .map_err(|source| FolderError::Description { path, source })?;
    let Description { request, response } = description;
    let after = Due::After(Duration::from_millis(response.after_ms));
    let body = match response.body {
        None if response.cut => Body::Disconnect { due: after },
        Some(Stored::Stream(file)) => {
            let path = inside(folder, &file);
            let lines = String::from_utf8_lossy(&read_file(&path)?).into_owned();
            let frames =
                stream::from_lines(&lines).map_err(|line| FolderError::Line { path, line })?;
            let end = if response.cut { End::Cut } else { End::Clean };
            Body::Frames { frames, end }
        }
        stored => Body::Whole {
            due: after,
            bytes: bytes(folder, stored)?,
        },
    };
    let headers = response.headers.into_iter();
    Ok(Recording {
        name,
        method: request.method,
        target: request.target,
        request: bytes(folder, request.body)?,
        status: response.status,
        headers: headers.map(|Header(n, v)| (n, v)).collect(),
        body,
    })
}

fn bytes(folder: &Path, stored: Option<Stored>) -> Result<Bytes, FolderError> {
    Ok(match stored {
        None => Bytes::new(),
        Some(Stored::CompactJson(file)) => {
            let text = read_file(&inside(folder, &file))?;
            compact(&String::from_utf8_lossy(&text)).into()
        }
        Some(Stored::Exact(file) | Stored::Stream(file)) => {
            read_file(&inside(folder, &file))?.into()
        }
    })
}

/// A recording's files stand beside its description, and nowhere else.
fn inside(folder: &Path, file: &str) -> PathBuf {
    folder.join(Path::new(file).file_name().unwrap_or_default())
}

fn read_file(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|source| FolderError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    })
}
