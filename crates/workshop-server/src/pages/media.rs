//! Pictures that pages of the course show.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::AppState;

/// `GET /media/{path}`: a picture some page shows; no other file of the course.
pub async fn picture(State(state): State<AppState>, Path(path): Path<String>) -> Response {
    let edition = state.edition();
    let shown = edition.course.media.contains(&path);
    let bytes = edition.tree.files.get(&path).filter(|_| shown);
    let (Some(bytes), Some(mime)) = (bytes, mime(&path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = bytes.clone().into_response();
    let mut set = |name, value| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, mime);
    set(header::CACHE_CONTROL, "no-cache");
    response
}

fn mime(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}
