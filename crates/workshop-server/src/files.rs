//! The student's file for the page's editor: read, save, reset, format.
//!
//! One fixed file for each exercise; no address and no body names a path. A save says which version
//! it replaces (`If-Match`), and is refused with what is there instead (412) when that is another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::{
    Form, Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use workshop_course::{Exercise, Tree};
use workshop_runner::{
    ResetError, Workspace,
    student_file::{self, Expected, FILE_MAX, FileError, StudentFile, Written},
    tools::{self, ToolError},
};

use crate::{
    AppState,
    pages::{Visitor, caching, conflict, difference, errors, exercises},
    runs,
};

/// Lets the site's own writers take turns; see [`student_file::write`].
#[derive(Debug, Default)]
pub struct Turns(Mutex<()>);

impl Turns {
    fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a file cannot be had or written, as an answer.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    sentence: String,
}

impl Refusal {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
        }
    }

    fn json(&self) -> Response {
        runs::problem(self.status, &self.sentence)
    }
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Self {
        let status = match &error {
            FileError::Workspace(_) | FileError::Missing => StatusCode::NOT_FOUND,
            FileError::NotOurs => StatusCode::FORBIDDEN,
            FileError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            FileError::NotText => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, sentence(&error))
    }
}

/// What is wrong and the cure, for people.
pub(crate) fn sentence(error: &FileError) -> String {
    let cure = match error {
        FileError::Missing => " Reset puts the starter there.",
        FileError::NotOurs => " Replace the link by a file, then load this page again.",
        FileError::TooLarge | FileError::NotText => " Open it in your own editor.",
        _ => "",
    };
    format!("{error}.{cure}")
}

/// An exercise of the course in the student's checkout.
struct Desk<'s> {
    state: &'s AppState,
    workspace: &'s Workspace,
    id: String,
}

impl<'s> Desk<'s> {
    fn of(state: &'s AppState, id: &str) -> Result<Self, Refusal> {
        if state.edition().course.exercise(id).is_none() {
            let sentence = "The course has no exercise of that number.";
            return Err(Refusal::new(StatusCode::NOT_FOUND, sentence));
        }
        let Some(workspace) = state.workspace() else {
            let sentence = "There is no checkout of the workshop here, so there is no file. Start \
                            the site in the folder you cloned.";
            return Err(Refusal::new(StatusCode::CONFLICT, sentence));
        };
        Ok(Self {
            state,
            workspace,
            id: id.to_owned(),
        })
    }

    fn read(&self) -> Result<StudentFile, Refusal> {
        Ok(student_file::read(self.workspace, &self.id)?)
    }

    fn write(&self, text: &str, expected: &Expected, keep: bool) -> Result<Written, Refusal> {
        let _turn = self.state.turns().take();
        if keep && let Ok(found) = student_file::read(self.workspace, &self.id) {
            self.keep(&found.text)?;
        }
        Ok(student_file::write(
            self.workspace,
            &self.id,
            text,
            expected,
        )?)
    }

    /// A copy of `text` beside the backups of resets; where it is, relative to the checkout.
    fn keep(&self, text: &str) -> Result<String, Refusal> {
        let now = OffsetDateTime::now_utc();
        let path = student_file::keep_copy(self.workspace, &self.id, text, now)?;
        Ok(self.short(&path))
    }

    fn short(&self, path: &std::path::Path) -> String {
        let short = path.strip_prefix(self.workspace.root()).unwrap_or(path);
        short.to_string_lossy().replace('\\', "/")
    }

    /// Puts the starter back; where the text before is kept, if it was another.
    fn reset(&self) -> Result<Option<String>, Refusal> {
        let edition = self.state.edition();
        let exercise = edition.course.exercise(&self.id);
        let starter = exercise.and_then(|e| Some((e, starter(&edition.tree, e)?)));
        let Some((exercise, starter)) = starter else {
            let sentence = "The course has no starter for this exercise.";
            return Err(Refusal::new(StatusCode::NOT_FOUND, sentence));
        };
        let only_this = Tree {
            files: [(format!("{}/{}", exercise.dir, exercise.file), starter)].into(),
            ..Tree::default()
        };
        let _turn = self.state.turns().take();
        // Whatever is there may be replaced, except what lies elsewhere.
        if let Err(error @ FileError::NotOurs) = student_file::read(self.workspace, &self.id) {
            return Err(error.into());
        }
        let now = OffsetDateTime::now_utc();
        let done = workshop_runner::reset(self.workspace, &only_this, &self.id, now);
        let done = done.map_err(|error: ResetError| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}."))
        })?;
        Ok(done.backup.map(|folder| self.short(&folder)))
    }
}

/// What the student's file begins as.
pub(crate) fn starter(tree: &Tree, exercise: &Exercise) -> Option<Vec<u8>> {
    tree.files
        .get(&format!("{}/starter/lib.rs", exercise.dir))
        .cloned()
}

fn with_tag(version: &str, mut response: Response) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn file_json(file: &StudentFile) -> Value {
    json!({ "text": file.text, "version": file.version })
}

/// `GET /api/exercises/{id}/file`.
pub async fn get(State(state): State<AppState>, Path(id): Path<String>) -> Response {
    match Desk::of(&state, &id).and_then(|desk| desk.read()) {
        Ok(file) => with_tag(&file.version, Json(file_json(&file)).into_response()),
        Err(refusal) => refusal.json(),
    }
}

/// A text from the page.
#[derive(Deserialize)]
struct Sent {
    text: String,
    /// Whether what is replaced was shown and rejected: then a copy of it is kept.
    #[serde(default)]
    keep_copy: bool,
}

/// The body of a JSON request, or why it is none.
fn sent(headers: &HeaderMap, body: &Bytes) -> Result<Sent, Refusal> {
    if !runs::is_json(headers) {
        let sentence = "Send Content-Type: application/json.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let sent: Sent = serde_json::from_slice(body).map_err(|_| {
        let sentence = "Send {\"text\": \"…\"} as UTF-8.";
        Refusal::new(StatusCode::BAD_REQUEST, sentence)
    })?;
    if sent.text.len() > FILE_MAX {
        return Err(FileError::TooLarge.into());
    }
    Ok(sent)
}

/// The version that a save replaces: `If-Match: "…"`, or `If-None-Match: *` for none.
fn expected(headers: &HeaderMap) -> Result<Expected, Refusal> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (Some(tag), None) => {
            let tag = tag.trim().trim_matches('"');
            Ok(Expected::Version(caching::base_of(tag).to_owned()))
        }
        (None, Some("*")) => Ok(Expected::Missing),
        _ => {
            let sentence = "Say which version you replace: If-Match with its ETag, or \
                            If-None-Match: * if there is no file.";
            Err(Refusal::new(StatusCode::PRECONDITION_REQUIRED, sentence))
        }
    }
}

/// `PUT /api/exercises/{id}/file`: 200 with the new version, or 412 with what is there instead.
pub async fn put(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let written = Desk::of(&state, &id).and_then(|desk| {
        let sent = sent(&headers, &body)?;
        desk.write(&sent.text, &expected(&headers)?, sent.keep_copy)
    });
    match written {
        Ok(Written::Done(version)) => {
            let answer = Json(json!({ "version": version })).into_response();
            with_tag(&version, answer)
        }
        Ok(Written::Conflict(found)) => {
            let found = found.as_ref();
            let message = match found {
                Some(_) => "The file was changed since you loaded it.",
                None => "The file was removed since you loaded it.",
            };
            let body = json!({
                "message": message,
                "text": found.map(|f| &f.text),
                "version": found.map(|f| &f.version),
            });
            (StatusCode::PRECONDITION_FAILED, Json(body)).into_response()
        }
        Err(refusal) => refusal.json(),
    }
}

/// `POST /api/exercises/{id}/file/copy`: keeps a text that the page is about to let go of.
pub async fn copy(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kept = Desk::of(&state, &id).and_then(|desk| desk.keep(&sent(&headers, &body)?.text));
    match kept {
        Ok(path) => Json(json!({ "path": path })).into_response(),
        Err(refusal) => refusal.json(),
    }
}

/// `POST /api/exercises/{id}/file/difference`: from the file on the disk to the text sent.
pub async fn compare(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let both = Desk::of(&state, &id).and_then(|desk| {
        let sent = sent(&headers, &body)?;
        let disk = match desk.read() {
            Ok(file) => file.text,
            Err(refusal) if refusal.status == StatusCode::NOT_FOUND => String::new(),
            Err(refusal) => return Err(refusal),
        };
        Ok((disk, sent.text))
    });
    match both {
        Ok((disk, mine)) => difference::part(&disk, &mine, "on disk", "in this page"),
        Err(refusal) => refusal.json(),
    }
}

/// `POST /api/exercises/{id}/reset`: the starter, and where the text before is kept.
pub async fn reset(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !runs::is_json(&headers) {
        return runs::not_json();
    }
    let done = Desk::of(&state, &id).and_then(|desk| Ok((desk.reset()?, desk.read()?)));
    match done {
        Ok((backup, file)) => {
            let mut body = file_json(&file);
            body["backup"] = json!(backup);
            with_tag(&file.version, Json(body).into_response())
        }
        Err(refusal) => refusal.json(),
    }
}

/// `POST /api/exercises/{id}/format`: the text as rustfmt writes it; nothing is saved.
pub async fn format(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Desk::of(&state, &id).and_then(|_| sent(&headers, &body));
    let formatted = match asked {
        Ok(sent) => formatted(&state, sent.text).await,
        Err(refusal) => Err(refusal),
    };
    match formatted {
        Ok(text) => Json(json!({ "text": text })).into_response(),
        Err(refusal) => refusal.json(),
    }
}

async fn formatted(state: &AppState, text: String) -> Result<String, Refusal> {
    let Some(workspace) = state.workspace().cloned() else {
        let sentence = "There is no checkout of the workshop here.";
        return Err(Refusal::new(StatusCode::CONFLICT, sentence));
    };
    let work = tokio::task::spawn_blocking(move || tools::format(&workspace, &text));
    let done = work
        .await
        .unwrap_or_else(|_| Err(ToolError::NotThere("rustfmt could not be run.".to_owned())));
    done.map_err(|error| match &error {
        ToolError::Refused(_) => Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        _ => Refusal::new(StatusCode::CONFLICT, error.to_string()),
    })
}

/// What the page's form sends when there are no scripts.
#[derive(Deserialize)]
pub struct Filled {
    text: String,
    /// Empty when there was no file.
    version: String,
    act: Act,
    #[serde(default)]
    target: runs::Target,
}

/// The form's buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    Save,
    Check,
    Format,
    Reset,
    /// Save, after a conflict was shown: a copy of what is replaced is kept.
    Keep,
}

/// `POST /exercises/{slug}/file`: save, check, format or reset without scripts.
pub async fn form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Form(filled): Form<Filled>,
) -> Response {
    let edition = state.edition();
    let Some(exercise) = exercises::find(&edition, &slug) else {
        return errors::missing(&state, &visitor, &slug);
    };
    match fill(&state, visitor, exercise, filled).await {
        Ok(response) => response,
        Err(refusal) => errors::sorry(&state, &visitor, refusal.status, &refusal.sentence),
    }
}

async fn fill(
    state: &AppState,
    visitor: Visitor,
    exercise: &Exercise,
    filled: Filled,
) -> Result<Response, Refusal> {
    let desk = Desk::of(state, &exercise.id)?;
    let back = |part: &str| Redirect::to(&format!("{}#{part}", exercises::address(exercise)));
    if filled.act == Act::Reset {
        desk.reset()?;
        return Ok(back("code").into_response());
    }
    let mut text = filled.text;
    if filled.act == Act::Format {
        text = formatted(state, text).await?;
    }
    let text = with_the_ends_of(desk.read().ok(), &text);
    let expected = match filled.version.as_str() {
        "" => Expected::Missing,
        version => Expected::Version(version.to_owned()),
    };
    match desk.write(&text, &expected, filled.act == Act::Keep)? {
        Written::Done(_) if filled.act == Act::Check => Ok(runs::start_and_show(
            state,
            visitor,
            exercise,
            filled.target,
        )),
        Written::Done(_) => Ok(back("code").into_response()),
        Written::Conflict(found) => {
            let kept = desk.keep(&text)?;
            Ok(conflict::page(state, visitor, exercise, found, text, kept))
        }
    }
}

/// A form sends every line's end as CR LF; a file keeps those it had.
fn with_the_ends_of(file: Option<StudentFile>, text: &str) -> String {
    let unix = text.replace("\r\n", "\n");
    match file {
        Some(file) if file.text.contains("\r\n") => unix.replace('\n', "\r\n"),
        _ => unix,
    }
}
