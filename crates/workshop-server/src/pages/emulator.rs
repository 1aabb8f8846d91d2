//! The emulator beside the site: where it is, how to point tools at it, what it answered.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Frame, Section, Visitor, diagrams, page as answer, trace::Requests};
use crate::{
    AppState,
    events::{Lit, Seen},
    state::Edition,
};

/// Requests shown.
const REQUESTS: usize = 50;

#[derive(Template)]
#[template(path = "emulator.html")]
struct Page {
    frame: Frame,
    tab: &'static str,
    url: Option<String>,
    region: String,
    exports: String,
    svg: Option<String>,
    requests: Requests,
}

/// `GET /emulator`.
pub async fn page(State(state): State<AppState>, visitor: Visitor) -> Response {
    let endpoint = state.emulator();
    let config = endpoint.map(|e| e.emulator().config());
    let journal = endpoint.filter(|_| visitor.signed_in);
    let journal = journal.map(|e| e.emulator().journal()).unwrap_or_default();
    let last = journal.len().saturating_sub(REQUESTS);
    let requests: Vec<_> = journal[last..].iter().map(Seen::by_hand).collect();
    let lit = Lit::by(&requests);
    let mut frame = Frame::new(&state, visitor, Section::Emulator, "Emulator");
    frame.code = true;
    answer(&Page {
        frame,
        tab: "emulator",
        url: endpoint.map(|e| e.url()),
        region: config.map_or_else(String::new, |c| c.region.clone()),
        exports: endpoint.map_or_else(String::new, |e| exports(e)),
        svg: picture(&state.edition(), &lit),
        requests: Requests::by_hand(visitor, &requests),
    })
}

/// The diagram that the course starts with: the one most exercises light.
pub(super) fn picture(edition: &Edition, lit: &Lit) -> Option<String> {
    let course = &edition.course;
    let lights = |slug: &str| {
        let exercises = course.exercises.iter();
        let lighting = exercises.filter(|e| e.diagram.as_deref() == Some(slug));
        lighting.count()
    };
    let pages = course.diagrams.iter();
    // Of several, the last greatest is taken; the order of the files must not decide.
    let page =
        pages.max_by_key(|page| (lights(page.slug.as_str()), std::cmp::Reverse(&page.title)))?;
    let svg = page.diagrams.first()?.svg.as_ref()?;
    Some(diagrams::lit_svg(svg, lit))
}

/// The variables that every AWS SDK and the AWS CLI read.
fn exports(endpoint: &bedrock_endpoint::Endpoint) -> String {
    let config = endpoint.emulator().config();
    let mut lines = vec![
        format!("export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={}", endpoint.url()),
        format!("export AWS_REGION={}", config.region),
    ];
    if let Some(pair) = config.credentials.first() {
        lines.push(format!("export AWS_ACCESS_KEY_ID={}", pair.access_key_id));
        lines.push(format!(
            "export AWS_SECRET_ACCESS_KEY={}",
            pair.secret_access_key
        ));
        let token = pair.session_token.iter();
        lines.extend(token.map(|token| format!("export AWS_SESSION_TOKEN={token}")));
    }
    lines.join("\n")
}
