//! The emulator beside the site: where it is, how to point tools at it, what it answered.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Frame, Section, Visitor, page as answer, words};
use crate::AppState;

/// Requests shown.
const REQUESTS: usize = 50;

#[derive(Template)]
#[template(path = "emulator.html")]
struct Page {
    frame: Frame,
    url: Option<String>,
    region: String,
    exports: String,
    requests: Vec<Row>,
}

/// One request of the journal.
struct Row {
    seq: u64,
    class: &'static str,
    status: u16,
    operation: String,
    model: String,
    error: String,
    tokens: String,
    time: String,
}

/// `GET /emulator`.
pub async fn page(State(state): State<AppState>, visitor: Visitor) -> Response {
    let endpoint = state.emulator();
    let config = endpoint.map(|e| e.emulator().config());
    let journal = endpoint.filter(|_| visitor.signed_in);
    let journal = journal.map(|e| e.emulator().journal()).unwrap_or_default();
    let start = journal.first().map_or(0, |entry| entry.t);
    let mut frame = Frame::new(&state, visitor, Section::Emulator, "Emulator");
    frame.code = true;
    answer(&Page {
        frame,
        url: endpoint.map(|e| e.url()),
        region: config.map_or_else(String::new, |c| c.region.clone()),
        exports: endpoint.map_or_else(String::new, |e| exports(e)),
        requests: journal
            .iter()
            .rev()
            .take(REQUESTS)
            .map(|entry| Row {
                seq: entry.seq,
                class: match entry.status {
                    429 | 503 => "wait",
                    400.. => "bad",
                    _ => "ok",
                },
                status: entry.status,
                operation: entry
                    .operation
                    .clone()
                    .unwrap_or_else(|| entry.target.clone()),
                model: entry.model.clone().unwrap_or_default(),
                error: entry.error.clone().unwrap_or_default(),
                tokens: entry
                    .usage
                    .map_or_else(String::new, |u| format!("{} in, {} out", u.input, u.output)),
                time: words::since(start, entry.t),
            })
            .collect(),
    })
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
