//! `GET /rustc/{code}`: what `rustc --explain` says about an error's number, offline.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Parser, Tag, html::push_html};
use workshop_runner::tools::{self, ToolError};

use super::{Frame, Section, Visitor, errors, page as answer};
use crate::AppState;

/// Explanations that rustc gave; they do not change while the site runs.
#[derive(Debug, Default)]
pub struct Explained(Mutex<BTreeMap<String, String>>);

#[derive(Template)]
#[template(path = "rustc.html")]
struct Page {
    frame: Frame,
    code: String,
    html: String,
}

/// The page; it needs the token because it starts rustc.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Response {
    if !tools::is_code(&code) {
        return errors::missing(&state, &visitor, &code);
    }
    match explained(&state, &code).await {
        Ok(markdown) => {
            let title = format!("What rustc says about {code}");
            let mut frame = Frame::new(&state, visitor, Section::Elsewhere, title);
            frame.code = true;
            let html = html(&markdown);
            answer(&Page { frame, code, html })
        }
        Err(ToolError::Unknown(_)) => errors::missing(&state, &visitor, &code),
        Err(error) => errors::sorry(&state, &visitor, StatusCode::CONFLICT, &format!("{error}.")),
    }
}

async fn explained(state: &AppState, code: &str) -> Result<String, ToolError> {
    let Explained(known) = state.explained();
    let before = {
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(code).cloned()
    };
    if let Some(text) = before {
        return Ok(text);
    }
    let there = ToolError::NotThere("there is no checkout of the workshop here".to_owned());
    let workspace = state.workspace().ok_or(there)?.clone();
    let asked = code.to_owned();
    let work = tokio::task::spawn_blocking(move || tools::explain(&workspace, &asked));
    let failed = |_| Err(ToolError::NotThere("rustc could not be run".to_owned()));
    let text = work.await.unwrap_or_else(failed)?;
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(code.to_owned(), text.clone());
    Ok(text)
}

/// Its examples are Rust unless they say otherwise (`compile_fail,E0308` does not); HTML in it is text.
fn html(markdown: &str) -> String {
    let events = Parser::new(markdown).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
            let language = match info.as_ref() {
                "text" | "toml" | "sh" => info.to_string(),
                _ => "rust".to_owned(),
            };
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(CowStr::from(
                language,
            ))))
        }
        other => other,
    });
    let mut out = String::new();
    push_html(&mut out, events);
    out
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn examples_are_rust_and_html_is_text() {
        let text = "a <script>x</script>\n\n```compile_fail,E0308\nlet x: i32 = \"\";\n```\n";
        let page = html(text);
        assert!(page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("<code class=\"language-rust\">"), "{page}");
    }
}
