//! What is wrong with the course, for its authors.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Finding, Frame, Section, Visitor, page as answer};
use crate::AppState;

#[derive(Template)]
#[template(path = "diagnostics.html")]
struct Page {
    frame: Frame,
    all: Vec<Finding>,
    rendering: Vec<String>,
}

/// `GET /diagnostics`.
pub async fn page(State(state): State<AppState>, visitor: Visitor) -> Response {
    let mut frame = Frame::new(&state, visitor, Section::Elsewhere, "Diagnostics");
    // The page itself is the panel.
    frame.panel = None;
    answer(&Page {
        frame,
        all: Finding::all(&state),
        rendering: state.rendering().busy.into_iter().collect(),
    })
}
