//! Pages that are made of the course alone, kept as they were sent.
//!
//! A post is the same for everybody until the course changes, but for the theme and for what a page
//! tells its owner. So it is put together, named by its hash and compressed once, and then costs what a
//! file costs. What depends on the student (progress, requests, files) is never kept.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use workshop_course::map::COURSE_MAP;

use crate::{
    AppState,
    assets::{Coding, coding_for},
    pages::{Visitor, caching},
};

/// Bodies kept at most. A course of a thousand posts needs half of it in one theme and one coding.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Far more than any page.
const PAGE_MAX: usize = 16 * 1024 * 1024;

/// What is kept; empty at the start, and whenever the course changes.
#[derive(Debug, Default)]
pub struct Shelf(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    moment: Moment,
    bytes: usize,
    /// By path; the few forms of one page beside each other.
    pages: HashMap<String, Vec<Page>>,
}

/// What all kept pages have in common: the course they show, the day, which some compare with a date of
/// the course, and whether they warn of real Bedrock.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Moment {
    edition: u64,
    day: u64,
    bedrock: bool,
}

impl Moment {
    fn now(state: &AppState) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            edition: state.edition_number(),
            day: since.map_or(0, |time| time.as_secs() / 86_400),
            bedrock: state.bedrock().is_on(),
        }
    }
}

/// What tells the forms of a page apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    visitor: Visitor,
    coding: Option<Coding>,
    /// The last event the page includes; 0 for those who are shown none.
    at: u64,
}

#[derive(Debug, Clone)]
struct Page {
    form: Form,
    headers: HeaderMap,
    body: Bytes,
}

/// Which page, in which form, is asked for; none if such an answer is never kept.
fn asked(state: &AppState, request: &Request) -> Option<(Moment, Form)> {
    let uri = request.uri();
    let changes_by_itself = uri.path().strip_prefix("/diagrams/") == Some(COURSE_MAP);
    let plain = *request.method() == Method::GET && uri.query().is_none();
    if !plain || changes_by_itself || state.exported() {
        return None;
    }
    let visitor = Visitor::of(state, request.headers());
    let form = Form {
        visitor,
        coding: coding_for(request.headers()),
        at: if visitor.signed_in {
            state.hub().last()
        } else {
            0
        },
    };
    Some((Moment::now(state), form))
}

/// The answer, if it lies on the shelf.
pub fn find(state: &AppState, request: &Request) -> Option<Response> {
    let (moment, form) = asked(state, request)?;
    let page = state.shelf().find(moment, request.uri().path(), form)?;
    Some(page.answer(request.headers()))
}

/// Puts the answer on the shelf.
pub async fn keep(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some((moment, form)) = asked(&state, &request) else {
        return next.run(request).await;
    };
    let path = request.uri().path().to_owned();
    let known = request.headers().clone();
    let headers = request.headers_mut();
    headers.remove(header::IF_NONE_MATCH);
    let coding = form.coding.map_or("identity", Coding::name);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
    let (parts, body) = next.run(request).await.into_parts();
    if parts.status != StatusCode::OK {
        return Response::from_parts(parts, body);
    }
    let Ok(body) = to_bytes(body, PAGE_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = parts.headers;
    let page = Page {
        form,
        headers,
        body,
    };
    // Not if the course or the events went on while the page was put together.
    let same = moment == Moment::now(&state);
    if same && (!form.visitor.signed_in || form.at == state.hub().last()) {
        state.shelf().put(moment, path, page.clone());
    }
    page.answer(&known)
}

impl Shelf {
    fn find(&self, moment: Moment, path: &str, form: Form) -> Option<Page> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let forms = kept.pages.get(path).filter(|_| kept.moment == moment)?;
        forms.iter().find(|page| page.form == form).cloned()
    }

    fn put(&self, moment: Moment, path: String, page: Page) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.moment != moment || kept.bytes + page.body.len() > BYTES_MAX {
            *kept = Kept {
                moment,
                ..Kept::default()
            };
        }
        let Kept { bytes, pages, .. } = &mut *kept;
        let forms = pages.entry(path).or_default();
        // The same form after another event takes the older one's place.
        forms.retain(|old| {
            let stays =
                (old.form.visitor, old.form.coding) != (page.form.visitor, page.form.coding);
            *bytes -= if stays { 0 } else { old.body.len() };
            stays
        });
        *bytes += page.body.len();
        forms.push(page);
    }
}

impl Page {
    fn answer(self, asked: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers;
        let headers = response.headers_mut();
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        if let Some(seen) = tag.and_then(|tag| caching::seen(asked, tag)) {
            headers.insert(header::ETAG, seen);
            headers.remove(header::CONTENT_TYPE);
            headers.remove(header::CONTENT_ENCODING);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            headers.insert(header::CONTENT_LENGTH, self.body.len().into());
            *response.body_mut() = Body::from(self.body);
        }
        response
    }
}
