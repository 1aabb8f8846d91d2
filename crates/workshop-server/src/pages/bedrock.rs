//! The switch to real Bedrock: what it would do and cost, before anybody agrees.

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use workshop_course::{Exercise, RealLimits};

use super::{Frame, Section, Visitor, errors, exercises, page as answer, words};
use crate::{
    AppState,
    bedrock::{self, Aws, PROMPT_TOKENS},
};

/// Where the switch is.
pub const ADDRESS: &str = "/bedrock";

#[derive(Template)]
#[template(path = "bedrock.html")]
struct Page {
    frame: Frame,
    on: bool,
    can_run: bool,
    aws: Aws,
    as_of: String,
    prompt_tokens: u32,
    rows: Vec<Row>,
    /// Exercises that stay on the emulator.
    emulated: Vec<(String, String)>,
    /// The dearest run.
    dearest: Option<String>,
}

/// One exercise that may run against real Bedrock.
struct Row {
    title: String,
    href: String,
    limits: RealLimits,
    cost: Option<String>,
}

/// `GET /bedrock`.
pub async fn page(State(state): State<AppState>, visitor: Visitor) -> Response {
    let edition = state.edition();
    let aws = Aws::from_env();
    let (real, emulated) = bedrock::exercises(&edition.course);
    let costs = real
        .iter()
        .map(|(_, limits)| aws.ceiling_micro_usd(*limits));
    let dearest = costs.max().flatten();
    let link = |e: &Exercise| (format!("{} {}", e.id, e.title), exercises::address(e));
    let rows = real.iter().map(|(exercise, limits)| {
        let (title, href) = link(exercise);
        Row {
            title,
            href,
            limits: *limits,
            cost: aws.ceiling_micro_usd(*limits).map(words::dollars),
        }
    });
    answer(&Page {
        frame: Frame::new(&state, visitor, Section::Elsewhere, "Real Bedrock"),
        on: state.bedrock().is_on(),
        can_run: state.workspace().is_some(),
        as_of: bedrock::prices_as_of().map_or_else(String::new, words::day),
        prompt_tokens: PROMPT_TOKENS,
        rows: rows.collect(),
        emulated: emulated.into_iter().map(link).collect(),
        dearest: dearest.map(words::dollars),
        aws,
    })
}

/// What the confirmation sends.
#[derive(Deserialize)]
pub struct Agreed {
    /// The ticked box.
    #[serde(default)]
    understood: Option<String>,
}

/// `POST /bedrock`: from now on, until the workshop ends, checks go to real Bedrock.
pub async fn on(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(agreed): Form<Agreed>,
) -> Response {
    if state.workspace().is_none() {
        let sentence = "There is no checkout of the workshop here, so there is nothing to run.";
        return errors::sorry(&state, &visitor, StatusCode::CONFLICT, sentence);
    }
    if agreed.understood.as_deref() != Some("yes") {
        let sentence = "Nothing was changed. To let checks call real Bedrock, go back and tick the box that \
                        says what it can cost.";
        return errors::sorry(&state, &visitor, StatusCode::UNPROCESSABLE_ENTITY, sentence);
    }
    let edition = state.edition();
    let (_, emulated) = bedrock::exercises(&edition.course);
    let emulated: Vec<String> = emulated.into_iter().map(|e| e.id.clone()).collect();
    // A save must not cost anything: what is checked on every save ends here.
    state.runs().only_watch(&emulated);
    state.bedrock().set(true);
    state.hub().publish_everywhere();
    Redirect::to(ADDRESS).into_response()
}

/// `POST /bedrock/off`: back to the emulator; checks that are under way at AWS are stopped.
pub async fn off(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.bedrock().set(false);
    let edition = state.edition();
    for (exercise, _) in bedrock::exercises(&edition.course).0 {
        state.runs().cancel(&exercise.id);
    }
    state.hub().publish_everywhere();
    Redirect::to(&page_before(&headers).unwrap_or_else(|| ADDRESS.to_owned())).into_response()
}

/// The path of the page whose button was pressed. The browser sends it to us alone.
fn page_before(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let path = referer.strip_prefix("http://")?.strip_prefix(host)?;
    // One slash at its start: `//host` would lead elsewhere.
    let plain = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    plain.then(|| path.to_owned())
}
