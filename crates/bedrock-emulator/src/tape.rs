//! Recorded exchanges, and how a request finds the one that answers it.
//!
//! A request is the same as a recorded one when method, percent-decoded path, query and body are. Two
//! JSON bodies are the same when they differ in the order of keys, in white space, in how a whole
//! number is written (`1` or `1.0`), in the account id of an ARN, or in members that a client makes
//! up anew each time ([`VOLATILE`]). The n-th time of a request gets its n-th recording; after the
//! last one, the last one again.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::{
    json,
    route::decode,
    wire::{Body, Due, Frame, Header, Request},
};

/// Members of a JSON body that do not tell two requests apart: idempotency tokens, metadata for
/// logs, and the user id of Anthropic's Messages (Claude Code puts its session there).
pub const VOLATILE: &[&str] = &["clientRequestToken", "requestMetadata", "metadata.user_id"];

/// What an account id in an ARN is compared as.
const ANY_ACCOUNT: &str = "*";

/// What happens to a request that no recording answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// An error that names the nearest recording and the difference.
    Refuse,
    /// The emulator answers by itself.
    Answer,
}

/// One recorded exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// What people find it by: the name of its folder or file.
    pub name: String,
    /// `POST`, …
    pub method: String,
    /// Path and query, percent-encoded.
    pub target: String,
    /// The request's body.
    pub request: bytes::Bytes,
    /// The status answered.
    pub status: u16,
    /// The headers answered, without those that belong to one connection or one moment.
    pub headers: Vec<(String, String)>,
    /// The body answered, with the recorded times.
    pub body: Body,
}

/// Recordings to answer from.
pub struct Tape {
    recordings: Vec<Played>,
    by_request: BTreeMap<String, Slot>,
    miss: Miss,
}

/// A recording, with what the wire needs.
struct Played {
    recording: Recording,
    headers: Vec<Header>,
}

/// The recordings of one request, in order.
#[derive(Default)]
struct Slot {
    recordings: Vec<usize>,
    asked: AtomicUsize,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("recordings", &self.recordings.len())
            .field("miss", &self.miss)
            .finish_non_exhaustive()
    }
}

/// The answer that a tape has for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay<'t> {
    pub(crate) name: &'t str,
    pub(crate) status: u16,
    pub(crate) headers: &'t [Header],
    pub(crate) body: &'t Body,
}

impl Tape {
    /// A tape of these recordings, in the order in which they were made.
    pub fn new(recordings: impl IntoIterator<Item = Recording>, miss: Miss) -> Self {
        let mut by_request = BTreeMap::<String, Slot>::new();
        let recordings = recordings
            .into_iter()
            .enumerate()
            .map(|(number, recording)| {
                let key = Asked::of(&recording.method, &recording.target, &recording.request).key();
                by_request.entry(key).or_default().recordings.push(number);
                let headers = recording.headers.iter();
                let headers =
                    headers.map(|(name, value)| (Cow::Owned(name.clone()), value.clone()));
                Played {
                    headers: headers.collect(),
                    recording,
                }
            });
        Self {
            recordings: recordings.collect(),
            by_request,
            miss,
        }
    }

    /// How many recordings it holds.
    pub fn len(&self) -> usize {
        self.recordings.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.recordings.is_empty()
    }

    /// Begins again with the first recording of every request.
    pub fn rewind(&self) {
        for slot in self.by_request.values() {
            slot.asked.store(0, Ordering::Relaxed);
        }
    }

    /// What happens to a request that no recording answers.
    pub(crate) fn miss(&self) -> Miss {
        self.miss
    }

    /// The answer to this request, the n-th to the n-th; or why there is none.
    pub(crate) fn find(&self, request: &Request) -> Result<Replay<'_>, String> {
        let asked = Asked::of(&request.method, &request.target, &request.body);
        let Some(slot) = self.by_request.get(&asked.key()) else {
            return Err(self.nearest(&asked));
        };
        let nth = slot.asked.fetch_add(1, Ordering::Relaxed);
        let number = slot.recordings[nth.min(slot.recordings.len() - 1)];
        let Played { recording, headers } = &self.recordings[number];
        Ok(Replay {
            name: &recording.name,
            status: recording.status,
            headers,
            body: &recording.body,
        })
    }

    /// Says which recording comes nearest, and how it differs.
    fn nearest(&self, asked: &Asked<'_>) -> String {
        let all = self.recordings.iter().map(|played| {
            let r = &played.recording;
            let difference = asked.difference(&Asked::of(&r.method, &r.target, &r.request));
            (difference, &r.name)
        });
        let nearest = all.min_by_key(|(difference, _)| (difference.elsewhere, difference.count));
        let none = format!("no recording answers {} {}", asked.method, asked.target);
        match nearest {
            None => format!("{none}: there are no recordings"),
            Some((difference, name)) => {
                let more = match difference.count {
                    0 | 1 => String::new(),
                    n => format!(" (and {} more)", n - 1),
                };
                format!("{none}; the nearest is {name}: {}{more}", difference.first)
            }
        }
    }
}

/// A request as far as it is compared.
#[derive(Debug)]
struct Asked<'r> {
    method: &'r str,
    target: Cow<'r, str>,
    body: Compared,
}

#[derive(Debug, PartialEq)]
enum Compared {
    Json(Value),
    Other(String),
}

/// How two requests differ.
#[derive(Debug)]
struct Difference {
    /// Method or path differ: the bodies hardly matter.
    elsewhere: bool,
    count: usize,
    first: String,
}

impl<'r> Asked<'r> {
    fn of(method: &'r str, target: &'r str, body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = decode(path).unwrap_or_else(|| path.to_owned());
        let mut target = without_account(&path).into_owned();
        let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let body = match serde_json::from_slice(body) {
            Ok(mut value) => {
                settle(&mut value, "");
                Compared::Json(value)
            }
            Err(_) => Compared::Other(String::from_utf8_lossy(body).into_owned()),
        };
        Self {
            method,
            target: target.into(),
            body,
        }
    }

    fn key(&self) -> String {
        let body = match &self.body {
            Compared::Json(value) => json::sorted(value),
            Compared::Other(text) => text.clone(),
        };
        format!("{} {}\n{body}", self.method, self.target)
    }

    fn difference(&self, recorded: &Self) -> Difference {
        let mut difference = Difference {
            elsewhere: false,
            count: 0,
            first: String::new(),
        };
        if self.method != recorded.method || self.target != recorded.target {
            difference.elsewhere = true;
            let (method, target) = (recorded.method, &recorded.target);
            difference.add(|| format!("it was {method} {target}"));
        }
        match (&self.body, &recorded.body) {
            (Compared::Json(here), Compared::Json(there)) => {
                compare(here, there, "", &mut difference);
            }
            (here, there) if here == there => {}
            _ => {
                difference.add(|| "its body is another, and one of the two is not JSON".to_owned());
            }
        }
        difference
    }
}

impl Difference {
    fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.count == 1 {
            self.first = text();
        }
    }
}

/// Takes out what does not tell two requests apart.
fn settle(value: &mut Value, path: &str) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !VOLATILE.contains(&&*join(path, key)));
            for (key, value) in map {
                settle(value, &join(path, key));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settle(item, path)),
        Value::String(text) => {
            if let Cow::Owned(masked) = without_account(text) {
                *text = masked;
            }
        }
        Value::Number(number) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "only what is whole and small enough for an f64 to count one by one"
            )]
            if let Some(float) = number.as_f64().filter(|_| number.is_f64())
                && float.fract() == 0.0
                && float.abs() < 9_007_199_254_740_992.0
            {
                *number = (float as i64).into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn compare(here: &Value, there: &Value, path: &str, difference: &mut Difference) {
    match (here, there) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = join(path, key);
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(a, b, &path, difference),
                    (Some(_), None) => difference.add(|| format!("it had no {path}")),
                    _ => difference.add(|| format!("it had {path}, this request has not")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(a, b, &format!("{path}[{index}]"), difference);
            }
            if a.len() != b.len() {
                let (now, then) = (a.len(), b.len());
                difference.add(|| format!("{path} had {then} items, this request has {now}"));
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let place = if path.is_empty() { "its body" } else { path };
            difference.add(|| format!("{place} was {}, this request has {}", short(b), short(a)));
        }
    }
}

/// Enough of a value to recognise it.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// `arn:aws:bedrock:us-east-1:123456789012:…` with another account.
pub fn with_account<'t>(text: &'t str, account: &str) -> Cow<'t, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut search = 0;
    while let Some(found) = text[search..].find("arn:aws") {
        let start = search + found;
        search = start + "arn:aws".len();
        // arn:partition:service:region:account:resource
        let mut colons = text[start..].match_indices(':').map(|(at, _)| start + at);
        let (Some(before), Some(after)) = (colons.nth(3), colons.next()) else {
            break;
        };
        let id = &text[before + 1..after];
        if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str(&text[copied..=before]);
            out.push_str(account);
            copied = after;
            search = after;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn without_account(text: &str) -> Cow<'_, str> {
    with_account(text, ANY_ACCOUNT)
}

/// The body without its times.
pub(crate) fn at_once(body: &Body) -> Body {
    let at_once = Due::After(Duration::ZERO);
    let now = |due: &Due| match due {
        Due::Never => Due::Never,
        _ => at_once.clone(),
    };
    match body {
        Body::Whole { due, bytes } => Body::Whole {
            due: now(due),
            bytes: bytes.clone(),
        },
        Body::Disconnect { due } => Body::Disconnect { due: now(due) },
        Body::Frames { frames, end } => {
            let frames = frames.iter().map(|frame| Frame {
                due: now(&frame.due),
                bytes: frame.bytes.clone(),
            });
            Body::Frames {
                frames: frames.collect(),
                end: *end,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(name: &str, target: &str, request: &str) -> Recording {
        Recording {
            name: name.to_owned(),
            method: "POST".to_owned(),
            target: target.to_owned(),
            request: request.to_owned().into(),
            status: 200,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: Body::Whole {
                due: Due::After(Duration::from_millis(5)),
                bytes: name.to_owned().into(),
            },
        }
    }

    fn request(target: &str, body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: crate::Headers::default(),
            body: body.to_owned().into(),
            connection: 0,
        }
    }

    #[test]
    fn spelling_does_not_matter() {
        let arn = "/model/arn:aws:bedrock:us-east-1:111122223333:inference-profile%2Fx/converse";
        let tape = Tape::new(
            [
                recording(
                    "one",
                    "/model/a%3A0/converse?b=2&a=1",
                    r#"{"x":1,"y":{"b":2,"a":[1.0]}}"#,
                ),
                recording(
                    "arn",
                    arn,
                    r#"{"clientRequestToken":"1","metadata":{"user_id":"u","k":1}}"#,
                ),
                recording("text", "/text", "not JSON"),
            ],
            Miss::Refuse,
        );
        for (target, body, name) in [
            (
                "/model/a%3A0/converse?b=2&a=1",
                r#"{"x":1,"y":{"b":2,"a":[1.0]}}"#,
                "one",
            ),
            (
                "/model/a:0/converse?a=1&b=2",
                r#"{ "y": {"a": [1], "b": 2.0}, "x": 1 }"#,
                "one",
            ),
            (
                &arn.replace("111122223333", "123456789012"),
                r#"{"metadata":{"k":1}}"#,
                "arn",
            ),
            ("/text", "not JSON", "text"),
        ] {
            let found = tape.find(&request(target, body)).map(|found| found.name);
            assert_eq!(found, Ok(name), "{target} {body}");
        }
    }

    #[test]
    fn a_miss_names_the_nearest_and_the_difference() {
        let tape = Tape::new(
            [
                recording(
                    "0001",
                    "/model/a/converse",
                    r#"{"m":[{"text":"Hello"}],"n":1}"#,
                ),
                recording(
                    "0002",
                    "/model/b/converse",
                    r#"{"m":[{"text":"Hallo"}],"n":1}"#,
                ),
            ],
            Miss::Refuse,
        );
        for (target, body, says) in [
            (
                "/model/a/converse",
                r#"{"m":[{"text":"Hallo"}],"n":1}"#,
                r#"the nearest is 0001: m[0].text was "Hello", this request has "Hallo""#,
            ),
            (
                "/model/a/converse",
                r#"{"m":[{"text":"Hallo"},{}],"o":1}"#,
                r#"0001: m[0].text was "Hello", this request has "Hallo" (and 3 more)"#,
            ),
            (
                "/model/c/converse",
                r#"{"m":[{"text":"Hallo"}],"n":1}"#,
                "no recording answers POST /model/c/converse; the nearest is 0002: it was POST /model/b/converse",
            ),
            ("/model/a/converse", "no JSON", "one of the two is not JSON"),
        ] {
            let missed = tape.find(&request(target, body)).unwrap_err();
            assert!(missed.ends_with(says) || missed.contains(says), "{missed}");
        }
        let empty = Tape::new([], Miss::Refuse);
        assert!(
            empty
                .find(&request("/", ""))
                .unwrap_err()
                .ends_with("there are no recordings")
        );
    }

    #[test]
    fn the_nth_time_gets_the_nth_recording() {
        let tape = Tape::new(
            [recording("1", "/x", "{}"), recording("2", "/x", "{ }")],
            Miss::Refuse,
        );
        let next = || tape.find(&request("/x", "{}")).unwrap().name;
        assert_eq!([next(), next(), next()], ["1", "2", "2"]);
        tape.rewind();
        assert_eq!(next(), "1");
    }

    #[test]
    fn account_ids_are_found_in_arns_only() {
        for (text, masked) in [
            (
                "arn:aws:bedrock:us-east-1:111122223333:guardrail/x",
                "arn:aws:bedrock:us-east-1:0:guardrail/x",
            ),
            (
                "a arn:aws:x:y:111122223333:z arn:aws-cn:x:y:444455556666:z b",
                "a arn:aws:x:y:0:z arn:aws-cn:x:y:0:z b",
            ),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/x",
                "arn:aws:bedrock:us-east-1::foundation-model/x",
            ),
            ("call 111122223333", "call 111122223333"),
            ("arn:aws", "arn:aws"),
            (
                "arn:aws:arn:aws:x:y:111122223333:z",
                "arn:aws:arn:aws:x:y:0:z",
            ),
        ] {
            assert_eq!(with_account(text, "0"), masked);
        }
    }
}
