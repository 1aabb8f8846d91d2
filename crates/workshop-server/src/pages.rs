//! One module per kind of page: extract, ask the course, render a template.

pub mod bedrock;
pub mod beside;
pub mod bugs;
pub mod caching;
pub(crate) mod checks;
pub mod conflict;
pub mod dashboards;
pub mod diagnostics;
pub mod diagrams;
pub mod difference;
pub mod emulator;
pub mod errors;
pub mod exercises;
pub mod feed;
pub mod home;
pub mod map;
pub mod media;
pub mod playground;
pub mod posts;
pub(crate) mod reached;
pub mod requests;
pub mod rustc;
pub mod search;
pub mod tags;
pub mod teach;

mod chart;
mod near;
mod trace;
mod words;

use std::convert::Infallible;

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
};
use workshop_course::{Diagnostic, Severity};

use crate::{AppState, assets, guard::cookie, state::Edition};

/// The cookie that holds the person's choice of theme; `site.js` writes it.
const THEME_COOKIE: &str = "workshop-theme";

/// What a request says about the person who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// `light` or `dark` if chosen; otherwise the system decides.
    pub theme: Option<&'static str>,
    /// Whether the request carries the token's cookie.
    pub signed_in: bool,
}

impl Visitor {
    /// From the request's cookies.
    pub fn of(state: &AppState, headers: &HeaderMap) -> Self {
        let theme = match cookie(headers, THEME_COOKIE) {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        };
        Self {
            theme,
            signed_in: state.token().is_in(headers),
        }
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(state, &parts.headers))
    }
}

/// The entry of the main menu that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The course map.
    Track,
    /// Posts.
    Blog,
    /// Diagrams.
    Diagrams,
    /// Exercises.
    Exercises,
    /// The emulator.
    Emulator,
    /// None of them.
    Elsewhere,
}

/// What every page needs around its content.
#[derive(Debug)]
pub struct Frame {
    title: String,
    section: Section,
    visitor: Visitor,
    assets: &'static str,
    emulator: Option<String>,
    /// Findings about this page's files, shown on top.
    findings: Vec<Finding>,
    /// How many findings there are in the whole course.
    findings_all: usize,
    /// In preview: all of them, those about this page first.
    panel: Option<Vec<Finding>>,
    /// Whether the page has code to highlight.
    code: bool,
    /// Seconds after which a page without scripts loads itself anew.
    refresh: Option<u8>,
    /// The last event the page includes.
    at: String,
    /// The exercise whose events the page follows.
    exercise: Option<String>,
    /// Whether checks go to real Bedrock.
    bedrock: bool,
    /// Whether the page becomes a file, without a server behind it.
    exported: bool,
    /// What the page is about, for search engines and previews.
    description: Option<String>,
    /// The page's place on the web, if the site has one.
    public: Option<Public>,
}

/// A page's place on the web.
#[derive(Debug)]
pub struct Public {
    href: String,
    feed: String,
    /// `website` or `article`.
    kind: &'static str,
    /// The day an article appeared, as a machine reads it.
    published: Option<String>,
}

/// A diagnostic as pages show it.
#[derive(Debug)]
pub struct Finding {
    place: String,
    message: String,
    cure: String,
    error: bool,
    /// Whether its page is shown as it was before.
    kept: bool,
    file: String,
}

impl Finding {
    /// Everything that is wrong with the course.
    fn all(state: &AppState) -> Vec<Self> {
        let edition = state.edition();
        let all = state.diagnostics();
        all.iter().map(|d| Self::of(d, &edition)).collect()
    }

    fn of(diagnostic: &Diagnostic, edition: &Edition) -> Self {
        let place = match diagnostic.line {
            0 => diagnostic.file.clone(),
            line => format!("{}:{line}", diagnostic.file),
        };
        Self {
            place,
            message: diagnostic.message.clone(),
            cure: diagnostic.cure.clone(),
            error: diagnostic.severity == Severity::Error,
            kept: diagnostic.severity == Severity::Error && edition.is_kept(&diagnostic.file),
            file: diagnostic.file.clone(),
        }
    }
}

impl Frame {
    fn new(state: &AppState, visitor: Visitor, section: Section, title: impl Into<String>) -> Self {
        let panel = (state.preview() && !state.exported()).then(|| {
            let mut all = Finding::all(state);
            all.sort_by_key(|finding| !finding.error);
            all
        });
        Self {
            title: title.into(),
            section,
            visitor,
            assets: assets::base(),
            emulator: state.emulator().map(|e| e.url()),
            findings: Vec::new(),
            findings_all: state.diagnostics().len(),
            panel,
            code: false,
            refresh: None,
            at: state.hub().last_id(),
            exercise: None,
            bedrock: state.bedrock().is_on(),
            exported: state.exported(),
            description: None,
            public: None,
        }
    }

    /// Shows what is wrong with the files that `concerns` picks.
    fn with_findings(mut self, state: &AppState, concerns: impl Fn(&str) -> bool) -> Self {
        if let Some(all) = &mut self.panel {
            all.sort_by_key(|finding| !concerns(&finding.file));
            return self;
        }
        let mut all = Finding::all(state);
        all.retain(|finding| concerns(&finding.file));
        self.findings = all;
        self
    }

    /// Says what the page at that path is about; where the site stands for the public, it says also
    /// where that is. `published` is the day of an article.
    fn about(
        mut self,
        state: &AppState,
        path: &str,
        description: &str,
        published: Option<String>,
    ) -> Self {
        let text = description.trim();
        self.description = (!text.is_empty()).then(|| text.to_owned());
        let places = state.public(path).zip(state.public("/feed.xml"));
        self.public = places.map(|(href, feed)| Public {
            href,
            feed,
            kind: if published.is_some() {
                "article"
            } else {
                "website"
            },
            published,
        });
        self
    }

    /// Highlights the code in that HTML, if there is any.
    fn with_code(mut self, html: &str) -> Self {
        self.code |= html.contains("class=\"language-");
        self
    }

    fn is(&self, section: Section) -> bool {
        self.section == section
    }
}

/// A template as an answer.
fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            let text = format!("This page could not be put together: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

/// A template as a page that exists.
fn page(template: &impl Template) -> Response {
    html(StatusCode::OK, template)
}
