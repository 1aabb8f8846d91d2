//! The playground: one request to the emulator beside the site, and its answer as it comes.

use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    body::Body,
    extract::{Form as Posted, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bedrock_emulator::{Emulator, catalogue::LifecycleState};
use bedrock_endpoint::Endpoint;
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use time::OffsetDateTime;

use super::{Frame, Section, Visitor, emulator::picture, page as answer, words};
use crate::{
    AppState,
    events::{Lit, Seen},
    guard::no_store,
    playground::{Form, Inject, Operation, Piece, run},
};

/// What the form holds when nobody has filled it in.
const PROMPT: &str = "In two sentences: what is a queue good for?";

/// A tool to begin with.
const TOOLS: &str = r#"[{"toolSpec": {"name": "get_weather", "description": "The weather of a city", "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}]"#;

#[derive(Template)]
#[template(path = "playground.html")]
struct Page {
    frame: Frame,
    tab: &'static str,
    running: bool,
    form: Form,
    models: Vec<Models>,
    /// A model that no list has, if one was written.
    other: Option<String>,
    operations: Vec<(&'static str, bool)>,
    injections: Vec<(&'static str, &'static str, bool)>,
    tools: &'static str,
    svg: Option<String>,
    lit: String,
    outcome: Option<Outcome>,
}

/// The models of one provider.
struct Models {
    provider: String,
    models: Vec<(String, String, bool)>,
}

/// What happened, for a page without scripts.
struct Outcome {
    class: &'static str,
    title: String,
    sentence: String,
    request: String,
    text: String,
    body: String,
    frames: Vec<(u64, String, String)>,
    href: Option<String>,
}

/// `GET /playground`.
pub async fn page(State(state): State<AppState>, visitor: Visitor) -> Response {
    let form = Form {
        operation: Operation::ConverseStream.name().to_owned(),
        prompt: PROMPT.to_owned(),
        max_tokens: "256".to_owned(),
        ..Form::default()
    };
    answer(&Page::of(&state, visitor, form, None))
}

/// `POST /playground`: the same with what happened, for a page without scripts.
pub async fn send(
    State(state): State<AppState>,
    visitor: Visitor,
    Posted(form): Posted<Form>,
) -> Response {
    let outcome = match state.emulator() {
        Some(endpoint) => Some(wait(endpoint, &form).await),
        None => None,
    };
    let mut response = answer(&Page::of(&state, visitor, form, outcome));
    no_store(&mut response);
    response
}

/// `POST /api/playground`: the pieces as lines of JSON, each as soon as it is there.
pub async fn pieces(State(state): State<AppState>, Json(form): Json<Form>) -> Response {
    let Some(endpoint) = state.emulator() else {
        let message = "No emulator runs beside this site.";
        let body = Json(serde_json::json!({ "message": message }));
        return (StatusCode::CONFLICT, body).into_response();
    };
    let lines = stream::unfold(run(endpoint, &form), async |mut pieces| {
        let piece = pieces.recv().await?;
        let mut line = serde_json::to_vec(&piece).unwrap_or_default();
        line.push(b'\n');
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(line)), pieces))
    });
    let mut response = Body::from_stream(lines).into_response();
    let kind = header::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    no_store(&mut response);
    response
}

impl Page {
    fn of(state: &AppState, visitor: Visitor, form: Form, outcome: Option<Outcome>) -> Self {
        let endpoint = state.emulator();
        let emulator = endpoint.map(|endpoint| endpoint.emulator());
        let models = emulator.map_or_else(Vec::new, |e| models(e, &form.model));
        let listed = models.iter().flat_map(|m| &m.models);
        let listed = listed.clone().any(|(id, ..)| *id == form.model);
        // What this page sent last is lit.
        let last = endpoint.filter(|_| visitor.signed_in && outcome.is_some());
        let last = last.and_then(|e| e.emulator().journal().pop());
        let lit = Lit::by(last.as_ref().map(Seen::by_hand).iter());
        let mut frame = Frame::new(state, visitor, Section::Emulator, "Playground");
        frame.code = true;
        Self {
            frame,
            tab: "playground",
            running: endpoint.is_some(),
            other: Some(form.model.clone()).filter(|id| !id.is_empty() && !listed),
            models,
            operations: Operation::ALL
                .map(|o| (o.name(), o.name() == form.operation))
                .into(),
            injections: Inject::ALL
                .map(|i| (i.name(), i.words(), i.name() == form.inject))
                .into(),
            tools: TOOLS,
            svg: picture(&state.edition(), &lit),
            lit: serde_json::to_string(&lit).unwrap_or_default(),
            form,
            outcome,
        }
    }
}

/// What can be called from the emulator's region today, by provider.
fn models(emulator: &Emulator, chosen: &str) -> Vec<Models> {
    let (catalogue, region) = (emulator.catalogue(), &emulator.config().region);
    let today = emulator.dials().today;
    let today = today.unwrap_or_else(|| OffsetDateTime::now_utc().date());
    let mut providers: Vec<Models> = Vec::new();
    for model in &catalogue.models {
        let state = catalogue.state(model, today);
        let alive = matches!(state, LifecycleState::Active | LifecycleState::Legacy);
        if !alive || !catalogue.has_in_region(model, region) {
            continue;
        }
        let legacy = match state {
            LifecycleState::Legacy => ", legacy",
            _ => "",
        };
        let mut ids = Vec::new();
        if model.on_demand_in(region) {
            ids.push((model.id.clone(), format!("{}{legacy}", model.name)));
        }
        for prefix in catalogue.prefixes(model, region) {
            let name = format!("{} ({prefix} profile{legacy})", model.name);
            ids.push((format!("{prefix}.{}", model.id), name));
        }
        let ids = ids.into_iter().map(|(id, name)| {
            let is_it = id == chosen;
            (id, name, is_it)
        });
        let provider = model.provider_name();
        match providers.iter_mut().find(|p| p.provider == provider) {
            Some(known) => known.models.extend(ids),
            None => providers.push(Models {
                provider,
                models: ids.collect(),
            }),
        }
    }
    // Nobody has chosen: the smallest model that the course uses.
    if chosen.is_empty() {
        let first = catalogue.id_to_call("haiku", region);
        let all = providers.iter_mut().flat_map(|p| &mut p.models);
        for model in all {
            model.2 = Some(&model.0) == first.as_ref();
        }
    }
    providers
}

/// Collects the pieces.
async fn wait(endpoint: &Arc<Endpoint>, form: &Form) -> Outcome {
    let mut outcome = Outcome {
        class: "bad",
        title: "Not sent".to_owned(),
        sentence: String::new(),
        request: String::new(),
        text: String::new(),
        body: String::new(),
        frames: Vec::new(),
        href: None,
    };
    let mut pieces = run(endpoint, form);
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Request { text } => {
                outcome.request = text;
                "No answer".clone_into(&mut outcome.title);
            }
            Piece::Head { status, .. } => {
                outcome.title = format!("Answered with {status}");
                outcome.class = match status {
                    429 | 503 => "wait",
                    400.. => "bad",
                    _ => "ok",
                };
            }
            Piece::Frame {
                ms, event, payload, ..
            } => {
                outcome.text.push_str(delta(&payload));
                outcome.frames.push((ms, event, payload.to_string()));
            }
            Piece::Body { value, .. } => {
                outcome.body = match value {
                    Value::String(text) => text,
                    value => serde_json::to_string_pretty(&value).unwrap_or_default(),
                };
            }
            Piece::End {
                ms,
                complete,
                sentence,
                seq,
            } => {
                outcome.sentence = sentence;
                if !complete {
                    outcome.class = "bad";
                }
                outcome.title = format!("{} in {}", outcome.title, words::took(ms));
                outcome.href = seq.map(|seq| format!("/requests/emulator/{seq}"));
            }
            Piece::Refused { sentence } => outcome.sentence = sentence,
        }
    }
    outcome
}

/// The text that one message of a stream adds.
fn delta(payload: &Value) -> &str {
    let text = payload
        .pointer("/delta/text")
        .or_else(|| payload.get("outputText"));
    text.and_then(Value::as_str).unwrap_or_default()
}
