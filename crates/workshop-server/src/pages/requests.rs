//! One request: what was sent, who sent it and why that was allowed, what was answered and when, what
//! it cost, and how to send it again.

use std::fmt::Write as _;

use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use bedrock_emulator::{
    Request,
    journal::{Again, Entry, redacted},
    policy::{Access, Decision, Effect, Explanation, Layer, StatementSeen},
    trace::TraceEvent,
};
use bytes::Bytes;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Frame, Section, Visitor, errors, page as answer, words};
use crate::{
    AppState, ask,
    events::{Lit, Seen, Status},
    explained::explained,
};

/// Longer texts are cut on the page; the journal has them whole.
const TEXT_MAX: usize = 128 * 1024;

/// Frames shown.
const FRAMES_MAX: usize = 300;

#[derive(Template)]
#[template(path = "request.html")]
struct Page {
    frame: Frame,
    back: (String, String),
    detail: Detail,
}

/// What a page says about one request.
#[derive(Template)]
#[template(path = "request-detail.html")]
pub(super) struct Detail {
    href: String,
    operation: String,
    title: String,
    class: &'static str,
    status: String,
    when: String,
    test: Option<String>,
    error: Option<String>,
    message: Option<String>,
    explained: Option<&'static str>,
    facts: Vec<(&'static str, String)>,
    verdict: String,
    asked: Vec<Asked>,
    reached: Vec<Reached>,
    line: String,
    headers: Vec<(String, String)>,
    body: Option<Shown>,
    body_bytes: usize,
    answered: Option<Shown>,
    frames: Vec<FrameRow>,
    frames_left_out: usize,
    cut: bool,
    copies: Vec<Copy>,
    replay: Replay,
}

/// One action that IAM was asked about.
struct Asked {
    action: String,
    resource: String,
    sentence: String,
    allowed: bool,
    statements: Vec<Statement>,
}

/// A statement and what it said.
struct Statement {
    name: String,
    effect: &'static str,
    applies: bool,
    why: String,
}

/// A node that the request reached.
struct Reached {
    node: String,
    class: &'static str,
    word: &'static str,
    note: String,
}

/// A text, and whether its end is missing.
struct Shown {
    text: String,
    cut: bool,
}

/// One message of a stream.
struct FrameRow {
    number: usize,
    at: String,
    /// Where it is on the way from the first to the last, of 1000.
    place: u64,
    event: String,
    bytes: usize,
    payload: String,
}

/// A form to take away.
struct Copy {
    id: &'static str,
    name: &'static str,
    language: &'static str,
    text: String,
    hint: &'static str,
}

/// Whether and how the request can be sent again from here.
enum Replay {
    /// With this remark.
    Possible(&'static str),
    /// For this reason it cannot.
    Impossible(&'static str),
}

/// A request that was found.
struct Found {
    entry: Entry,
    again: Again,
    test: Option<String>,
}

/// The address's first part for requests to the emulator beside the site.
const BY_HAND: &str = "emulator";

fn find(state: &AppState, whose: &str, number: &str) -> Option<Found> {
    let number = number.parse().ok()?;
    if whose == BY_HAND {
        let emulator = state.emulator()?.emulator();
        return Some(Found {
            entry: emulator.entry(number)?,
            again: emulator.again(number)?,
            test: None,
        });
    }
    let (test, entry) = state.hub().entry(whose, number)?;
    Some(Found {
        again: Again::from(&entry),
        entry,
        test: Some(test).filter(|test| !test.is_empty()),
    })
}

/// `GET /requests/{exercise|emulator}/{n}`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((whose, number)): Path<(String, String)>,
) -> Response {
    let Some(found) = find(&state, &whose, &number) else {
        return gone(&state, &visitor);
    };
    let detail = Detail::of(&state, &whose, &number, &found);
    let mut frame = Frame::new(&state, visitor, Section::Emulator, detail.title.clone());
    frame.code = true;
    answer(&Page {
        back: back(&state, &whose),
        frame,
        detail,
    })
}

/// Where the list is that the request stands in.
fn back(state: &AppState, whose: &str) -> (String, String) {
    let edition = state.edition();
    match edition.course.exercise(whose) {
        Some(exercise) => (
            format!("{} {}", exercise.id, exercise.title),
            format!("{}#trace", super::exercises::address(exercise)),
        ),
        None => ("Emulator".to_owned(), "/emulator".to_owned()),
    }
}

fn gone(state: &AppState, visitor: &Visitor) -> Response {
    let sentence = "This request is not held any more. The site keeps the last requests of \
                    exercises until it is stopped, and the emulator keeps the last ones sent to it.";
    errors::sorry(state, visitor, StatusCode::NOT_FOUND, sentence)
}

/// `GET /requests/{exercise|emulator}/{n}/lit`: what it lights.
pub async fn lit(
    State(state): State<AppState>,
    Path((whose, number)): Path<(String, String)>,
) -> Response {
    match find(&state, &whose, &number) {
        Some(found) => Json(Lit::by(&[Seen::by_hand(&found.entry)])).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `POST /requests/{exercise|emulator}/{n}/replay`: the same bytes once more, to the emulator beside
/// the site. What it answers is a request of its own.
pub async fn replay(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((whose, number)): Path<(String, String)>,
) -> Response {
    let Some(found) = find(&state, &whose, &number) else {
        return gone(&state, &visitor);
    };
    let Some(endpoint) = state.emulator() else {
        let sentence = "No emulator runs beside this site, so there is nobody to ask.";
        return errors::sorry(&state, &visitor, StatusCode::CONFLICT, sentence);
    };
    if let Replay::Impossible(sentence) = Replay::of(&state, &whose, &found.entry) {
        return errors::sorry(&state, &visitor, StatusCode::CONFLICT, sentence);
    }
    let seq = if whose == BY_HAND {
        // The emulator has the bytes and the caller; it does not ask for the signature again.
        let request = Request {
            method: "POST".to_owned(),
            target: format!("/_workshop/requests/{number}/replay"),
            headers: [("host", "127.0.0.1")].into_iter().collect(),
            body: Bytes::new(),
            connection: 0,
        };
        ask::whole(endpoint, &request).await.map(|(_, body)| {
            let told: Value = serde_json::from_slice(&body).unwrap_or_default();
            told["seq"].as_u64()
        })
    } else {
        let again = &found.again;
        let request = ask::signed(
            endpoint,
            again.method(),
            again.target(),
            again.headers(),
            Bytes::copy_from_slice(again.body()),
            (again.region(), again.service()),
        );
        ask::whole(endpoint, &request).await.map(|_| {
            let journal = endpoint.emulator().journal();
            let body = found.entry.body.as_ref();
            let mut newest = journal.iter().rev();
            let same = newest.find(|e| e.target == again.target() && e.body.as_ref() == body);
            same.map(|entry| entry.seq)
        })
    };
    match seq {
        Ok(Some(seq)) => Redirect::to(&format!("/requests/{BY_HAND}/{seq}")).into_response(),
        Ok(None) => Redirect::to("/emulator").into_response(),
        Err(error) => {
            let sentence = format!("The request was sent, but {error}.");
            errors::sorry(&state, &visitor, StatusCode::BAD_GATEWAY, &sentence)
        }
    }
}

impl Replay {
    fn of(state: &AppState, whose: &str, entry: &Entry) -> Self {
        if state.emulator().is_none() {
            return Self::Impossible("No emulator runs beside this site to send it to.");
        }
        if whose == BY_HAND {
            return Self::Possible(
                "The emulator answers as if the same caller had sent the same bytes now.",
            );
        }
        if entry.method.is_empty() {
            return Self::Impossible("This is light between parts of a system, not a request.");
        }
        if entry.body.is_none() && entry.body_bytes > 0 {
            return Self::Impossible(
                "Its body was too long for the log, or was no JSON, so it cannot be sent again.",
            );
        }
        Self::Possible(
            "It goes to the emulator beside the site, signed anew. What the test scripted is not \
             there, so the answer may differ.",
        )
    }
}

impl Detail {
    fn of(state: &AppState, whose: &str, number: &str, found: &Found) -> Self {
        let entry = &found.entry;
        let alias = state
            .emulator()
            .map(|endpoint| endpoint.emulator())
            .and_then(|emulator| {
                let catalogue = emulator.catalogue();
                let resolved = catalogue.find(entry.model.as_deref()?, &entry.region)?;
                resolved.model.alias.clone()
            });
        let status = match entry.status {
            0 => "no answer".to_owned(),
            status => status.to_string(),
        };
        let operation = entry.operation.as_deref().unwrap_or("Request");
        let last = entry.frames.iter().filter_map(|f| f.offset_ms).max();
        Self {
            href: format!("/requests/{whose}/{number}"),
            operation: operation.to_owned(),
            title: format!("{operation}, {status}"),
            class: match entry.status {
                429 | 503 => "wait",
                0 | 400.. => "bad",
                _ if entry.error.is_some() => "bad",
                _ => "ok",
            },
            status,
            when: moment(entry.t),
            test: found.test.clone(),
            error: entry.error.clone(),
            message: entry.message.clone(),
            explained: entry.error.as_deref().and_then(explained),
            facts: facts(entry),
            verdict: verdict(entry),
            asked: entry.access.iter().flat_map(asked).collect(),
            reached: entry.trace.iter().map(reached).collect(),
            line: format!("{} {}", entry.method, found.again.target()),
            headers: entry
                .headers
                .iter()
                .map(|(name, value)| redacted((name, value)))
                .collect(),
            body: entry.body.as_ref().map(Shown::json),
            body_bytes: entry.body_bytes,
            answered: entry.answer.as_ref().map(Shown::json),
            frames: entry
                .frames
                .iter()
                .take(FRAMES_MAX)
                .enumerate()
                .map(|(at, frame)| FrameRow {
                    number: at + 1,
                    at: frame.offset_ms.map_or("held".to_owned(), words::took),
                    place: place(
                        frame.offset_ms.unwrap_or_default(),
                        last.unwrap_or_default(),
                    ),
                    event: frame.event.clone(),
                    bytes: frame.bytes,
                    payload: Shown::line(&frame.payload),
                })
                .collect(),
            frames_left_out: entry.frames.len().saturating_sub(FRAMES_MAX),
            cut: entry.cut,
            copies: copies(&found.again, entry, alias.as_deref()),
            replay: Replay::of(state, whose, entry),
        }
    }
}

impl Shown {
    fn json(value: &Value) -> Self {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        Self::of(text)
    }

    fn of(mut text: String) -> Self {
        let cut = text.len() > TEXT_MAX;
        if cut {
            let end = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or_default());
        }
        Self { text, cut }
    }

    fn line(value: &Value) -> String {
        let shown = Self::of(value.to_string());
        if shown.cut {
            return format!("{} …", shown.text);
        }
        shown.text
    }
}

fn place(at: u64, last: u64) -> u64 {
    u64::try_from(u128::from(at) * 994 / u128::from(last.max(1))).unwrap_or(994)
}

/// `2026-11-22 21:14:05.120 UTC`.
fn moment(t: i64) -> String {
    let nanos = i128::from(t) * 1_000_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    let text = at
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default();
    text.replace('T', " ").replace('Z', " UTC")
}

fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |name, value: Option<String>| {
        facts.extend(value.filter(|v| !v.is_empty()).map(|v| (name, v)));
    };
    add("Model", entry.model.clone());
    add("Caller", entry.identity.clone());
    let caller = &entry.caller;
    add(
        "Signed with",
        match (&caller.access_key_id, caller.bearer) {
            (_, true) => Some("an API key".to_owned()),
            (Some(key), _) => Some(format!(
                "{key}{} for {} in {}",
                if caller.session {
                    ", a temporary key,"
                } else {
                    ""
                },
                caller.service.as_deref().unwrap_or("an unnamed service"),
                caller.region.as_deref().unwrap_or("no region"),
            )),
            (None, _) if entry.method.is_empty() => None,
            (None, _) => Some("nothing: it carries no signature".to_owned()),
        },
    );
    if let Some(usage) = entry.usage {
        let mut text = format!(
            "{} in, {} out",
            words::grouped(usage.input.into()),
            words::grouped(usage.output.into())
        );
        if usage.cache_read > 0 {
            let _ = write!(text, ", {} read from the cache", usage.cache_read);
        }
        if usage.cache_write() > 0 {
            let _ = write!(text, ", {} written to the cache", usage.cache_write());
        }
        add("Tokens", Some(text));
    }
    add("Cost", entry.cost_micro_usd.map(words::dollars));
    add("First token after", entry.first_token_ms.map(words::took));
    add("Answered after", entry.latency_ms.map(words::took));
    add("Stopped because", entry.stop_reason.clone());
    let attempt = entry.attempt.map(|n| match entry.max_attempts {
        Some(max) => format!("{n} of at most {max}"),
        None => n.to_string(),
    });
    add("The SDK’s attempt", attempt);
    add("Fault injected", entry.fault.clone());
    add("Answered by the script’s rule", entry.script.clone());
    add("Repeats request", entry.replay_of.map(|n| n.to_string()));
    add("Note", entry.note.clone());
    add("Account", Some(entry.account.clone()));
    add("Request id", Some(entry.request_id.clone()));
    facts
}

/// Why it was let through or not, in a sentence.
fn verdict(entry: &Entry) -> String {
    let refused_before = matches!(entry.status, 400..=499);
    match &entry.access {
        None if refused_before => {
            "No policy was asked: the request was refused before it came to that.".to_owned()
        }
        None => "No policy is in force, so nothing was asked and everything is allowed. On AWS a caller \
                 without a policy may do nothing."
            .to_owned(),
        Some(access) if access.unrestricted => format!(
            "No policy is attached to {}, so everything is allowed here. On AWS nothing would be.",
            access.principal
        ),
        Some(access) if access.decision == Decision::Allow => {
            "Allowed: every action that the request needs is allowed by a statement, and none denies \
             it."
                .to_owned()
        }
        Some(access) if access.decision == Decision::ExplicitDeny => {
            "Denied: a statement denies it, whatever others allow.".to_owned()
        }
        Some(_) => "Denied: no statement allows it.".to_owned(),
    }
}

fn asked(access: &Access) -> Vec<Asked> {
    if access.unrestricted {
        return Vec::new();
    }
    let asked = access.asked.iter().map(|asked| Asked {
        action: asked.action.clone(),
        resource: asked.resource.clone(),
        sentence: sentence(asked),
        allowed: asked.decision == Decision::Allow,
        statements: asked.statements.iter().map(statement).collect(),
    });
    asked.collect()
}

fn sentence(asked: &Explanation) -> String {
    let of = |effect| {
        let mut found = asked.statements.iter();
        found.find(|s| s.applies && s.effect == effect).map(name)
    };
    match asked.decision {
        Decision::Allow => match of(Effect::Allow) {
            Some(name) => format!("allowed by {name}"),
            None => "allowed".to_owned(),
        },
        Decision::ExplicitDeny => match of(Effect::Deny) {
            Some(name) => format!("denied by {name}"),
            None => "denied".to_owned(),
        },
        Decision::ImplicitDeny => match asked.decided_by {
            Some(by) => format!("not allowed by any statement of {}", layer(by)),
            None => "not allowed by any statement".to_owned(),
        },
    }
}

fn name(statement: &StatementSeen) -> String {
    format!(
        "{} of {} ({})",
        statement.statement,
        statement.policy,
        layer(statement.layer)
    )
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::ServiceControl => "the organization’s policies",
        Layer::VpcEndpoint => "the VPC endpoint’s policy",
        Layer::Identity => "the caller’s policies",
        Layer::Session => "the session’s policy",
    }
}

fn statement(seen: &StatementSeen) -> Statement {
    let mut why = Vec::new();
    if !seen.action {
        why.push("it names other actions".to_owned());
    }
    if !seen.resource {
        why.push("it names other resources".to_owned());
    }
    for condition in seen.conditions.iter().filter(|c| !c.holds) {
        let was = match condition.seen.as_slice() {
            [] => "absent".to_owned(),
            seen => seen.join(", "),
        };
        why.push(format!(
            "{} {} wants {}, and it was {was}",
            condition.operator,
            condition.key,
            condition.wanted.join(", ")
        ));
    }
    Statement {
        name: name(seen),
        effect: match seen.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        },
        applies: seen.applies,
        why: why.join("; "),
    }
}

fn reached(event: &TraceEvent) -> Reached {
    let (class, word) = match Status::from(event.status) {
        Status::Ok => ("ok", "passed"),
        Status::Throttled => ("wait", "turned away for now"),
        Status::Denied => ("bad", "refused"),
    };
    Reached {
        node: event.node.clone(),
        class,
        word,
        note: event.note.clone(),
    }
}

fn copies(again: &Again, entry: &Entry, alias: Option<&str>) -> Vec<Copy> {
    if entry.method.is_empty() {
        return Vec::new();
    }
    let forms = [
        (
            "curl",
            "curl",
            "bash",
            Some(again.curl()),
            "Address and keys come from the shell: eval \"$(workshop env)\" first.",
        ),
        (
            "boto3",
            "Python, boto3",
            "python",
            again.boto3(),
            "Address and keys come from the environment.",
        ),
        (
            "rust",
            "Rust",
            "rust",
            again.rust(),
            "A whole main.rs for the AWS SDK for Rust.",
        ),
        (
            "script",
            "Script for the emulator",
            "toml",
            entry.script(),
            "Save it, and start workshop emulator --script with the file: it answers the same way.",
        ),
        (
            "test",
            "Test",
            "rust",
            entry.test(alias),
            "A test with workshop-testkit that expects this answer.",
        ),
    ];
    let forms = forms
        .into_iter()
        .filter_map(|(id, name, language, text, hint)| {
            Some(Copy {
                id,
                name,
                language,
                text: text?,
                hint,
            })
        });
    forms.collect()
}
