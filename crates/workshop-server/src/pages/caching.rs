//! Pages are asked for anew each time, and sent only when they changed.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{assets::hex, guard::no_store};

/// Pages are far smaller; the bound only keeps a mistake from eating the memory.
const PAGE_MAX: usize = 16 * 1024 * 1024;

/// Codings whose bodies get a tag of their own: a strong tag names exact bytes.
const CODINGS: [&str; 2] = ["br", "gzip"];

/// Gives a page its `ETag`, and answers 304 when the browser has it already.
pub async fn validate(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // The index that scripts search is as large as many pages.
    let is_index = request.uri().path() == "/search.json";
    let known = known_tags(request.headers());
    let response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"text/html") || is_index);
    if !reads || !is_page || response.status() != StatusCode::OK {
        return uncached(response);
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, PAGE_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let digest = hex(&Sha256::digest(&body)[..16]);
    let seen = known.iter().find(|tag| base_of(tag) == digest);
    let tag = format!("\"{}\"", seen.unwrap_or(&digest));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    let no_cache = HeaderValue::from_static("no-cache");
    parts.headers.insert(header::CACHE_CONTROL, no_cache);
    if seen.is_some() {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// After compression: `"abc"` becomes `"abc-br"`.
pub async fn name_the_encoding(mut response: Response) -> Response {
    let coding = response.headers().get(header::CONTENT_ENCODING);
    let tag = response.headers().get(header::ETAG);
    if let (Some(Ok(coding)), Some(Ok(tag))) = (
        coding.map(HeaderValue::to_str),
        tag.map(HeaderValue::to_str),
    ) {
        let tag = format!("\"{}-{coding}\"", tag.trim_matches('"'));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
    }
    response
}

/// The tag among those the browser knows that names the same text as ours, as it is to be answered.
pub(crate) fn seen(asked: &HeaderMap, ours: &str) -> Option<HeaderValue> {
    let ours = base_of(ours.trim_matches('"'));
    let known = known_tags(asked);
    let tag = known.iter().find(|tag| base_of(tag) == ours)?;
    HeaderValue::from_str(&format!("\"{tag}\"")).ok()
}

fn uncached(mut response: Response) -> Response {
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        no_store(&mut response);
    }
    response
}

fn known_tags(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|tag| {
            tag.trim()
                .trim_start_matches("W/")
                .trim_matches('"')
                .to_owned()
        })
        .collect()
}

/// The tag of the text that a coding's tag was made from.
pub(crate) fn base_of(tag: &str) -> &str {
    match tag.rsplit_once('-') {
        Some((base, coding)) if CODINGS.contains(&coding) => base,
        _ => tag,
    }
}
