//! The pages as files, for any web server: `workshop build`.
//!
//! The router is asked for every page that can be reached from the first ones, so that what is written
//! is what is served. Then links are made relative, so that the folder may lie below any address, and
//! checked: each must lead to a page that was written, and to an id that is on it.

mod folder;
mod links;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use futures_util::{StreamExt as _, stream};
use tower::ServiceExt as _;

use self::links::{Links, Place};
use crate::{AppState, SiteConfig, StartError, assets, router};

pub use self::folder::{FolderError, Written};

/// Where the router believes to be; exported pages do not show it.
const ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3000);

/// Pages from which all others can be reached, and those that nothing links to.
const FIRST: [&str; 5] = ["/", "/posts", "/diagrams", "/exercises", "/search"];

/// What a web server shows for addresses that do not exist.
const NOT_FOUND: &str = "/404.html";

/// Pages rendered at the same time.
const AT_ONCE: usize = 8;

/// The largest page or file.
const FILE_MAX: usize = 64 * 1024 * 1024;

/// What to write, and where.
#[derive(Debug)]
pub struct Export {
    /// The course, and what of it is shown; nothing else of it is used.
    pub site: SiteConfig,
    /// The folder: empty, or one that was written before.
    pub out: PathBuf,
}

/// What was written.
#[derive(Debug)]
pub struct Exported {
    /// HTML pages.
    pub pages: usize,
    /// What happened to files.
    pub written: Written,
    /// Links that lead nowhere. The pages are written all the same.
    pub broken: Vec<Broken>,
}

/// A link that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The page's address.
    pub page: String,
    /// The link as it stands there.
    pub link: String,
    /// What is wrong.
    pub why: String,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The course could not be read.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The folder is not ours, or cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A page could not be put together.
    #[error("{address} answers {status}")]
    Page {
        /// The page's address.
        address: String,
        /// Its status.
        status: StatusCode,
    },
}

/// What the router answered to one address.
enum Answer {
    Page(String),
    File(Vec<u8>),
    Elsewhere(String),
    Failed(StatusCode),
}

/// Renders, checks, and writes what changed.
pub async fn export(export: Export) -> Result<Exported, ExportError> {
    folder::check(&export.out)?;
    let base_url = export.site.base_url.clone();
    let site = SiteConfig {
        exported: true,
        workspace: None,
        emulator: None,
        beside: None,
        ..export.site
    };
    let state = AppState::new(site, ADDR)?;
    let answers = crawl(&router(state), base_url.is_some()).await?;
    let (pages, elsewhere) = places(&answers);
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (address, answer) in answers {
        match answer {
            Answer::Page(html) => {
                let links = Links {
                    address: &address,
                    // Shown at any depth, so its links begin at the root.
                    absolute: (address == NOT_FOUND).then(|| root_of(base_url.as_deref())),
                    pages: &pages,
                    elsewhere: &elsewhere,
                };
                let html = links.rewrite(&html, &mut broken);
                files.insert(links::file_of(&address), html.into_bytes());
            }
            Answer::File(bytes) => {
                files.insert(address.trim_start_matches('/').to_owned(), bytes);
            }
            Answer::Elsewhere(_) | Answer::Failed(_) => {}
        }
    }
    for (address, bytes) in assets::all() {
        files.insert(address.trim_start_matches('/').to_owned(), bytes.to_vec());
    }
    let written = folder::write(&export.out, &files)?;
    Ok(Exported {
        pages: pages.values().filter(|place| place.is_page).count(),
        written,
        broken: broken.into_iter().collect(),
    })
}

/// Asks for the first pages, for what they link to, and so on.
async fn crawl(router: &Router, public: bool) -> Result<BTreeMap<String, Answer>, ExportError> {
    let mut answers = BTreeMap::new();
    let mut next: BTreeSet<String> = FIRST.iter().map(|&page| page.to_owned()).collect();
    next.insert(NOT_FOUND.to_owned());
    next.insert("/search.json".to_owned());
    if public {
        next.insert("/sitemap.xml".to_owned());
        next.insert("/feed.xml".to_owned());
    }
    while !next.is_empty() {
        let asked = std::mem::take(&mut next).into_iter();
        let mut came = stream::iter(asked)
            .map(|address| tokio::spawn(ask(router.clone(), address)))
            .buffer_unordered(AT_ONCE);
        while let Some(joined) = came.next().await {
            let Ok((address, answer)) = joined else {
                continue;
            };
            match &answer {
                Answer::Page(html) => next.extend(links::addresses(html)),
                Answer::Elsewhere(to) => {
                    next.insert(links::path_of(to).to_owned());
                }
                Answer::Failed(status) if status.is_server_error() => {
                    let status = *status;
                    return Err(ExportError::Page { address, status });
                }
                Answer::File(_) | Answer::Failed(_) => {}
            }
            answers.insert(address, answer);
        }
        next.retain(|address| !answers.contains_key(address) && !address.starts_with("/assets/"));
    }
    Ok(answers)
}

async fn ask(router: Router, address: String) -> (String, Answer) {
    let request = Request::get(&address).header(header::HOST, ADDR.to_string());
    let Ok(request) = request.body(Body::empty()) else {
        return (address, Answer::Failed(StatusCode::BAD_REQUEST));
    };
    let Ok(response) = router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, FILE_MAX).await else {
        return (address, Answer::Failed(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let told = |name| text_of(&parts.headers, name);
    let is_page = told(header::CONTENT_TYPE).is_some_and(|mime| mime.starts_with("text/html"));
    let answer = match (parts.status, told(header::LOCATION)) {
        (status, Some(to)) if status.is_redirection() => Answer::Elsewhere(to),
        (StatusCode::NOT_FOUND, _) if address == NOT_FOUND => page(&body),
        (StatusCode::OK, _) if is_page => page(&body),
        (StatusCode::OK, _) => Answer::File(body.to_vec()),
        (status, _) => Answer::Failed(status),
    };
    (address, answer)
}

fn page(body: &[u8]) -> Answer {
    Answer::Page(String::from_utf8_lossy(body).into_owned())
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// What was answered, for links to find, and where redirected addresses lead.
fn places(
    answers: &BTreeMap<String, Answer>,
) -> (BTreeMap<String, Place>, BTreeMap<String, String>) {
    let mut pages = BTreeMap::new();
    let mut elsewhere = BTreeMap::new();
    for (address, answer) in answers {
        match answer {
            Answer::Page(html) => {
                let ids = links::ids(html);
                pages.insert(address.clone(), Place { is_page: true, ids });
            }
            Answer::File(_) => {
                pages.insert(address.clone(), Place::default());
            }
            Answer::Elsewhere(to) => {
                elsewhere.insert(address.clone(), to.clone());
            }
            Answer::Failed(_) => {}
        }
    }
    for (address, _) in assets::all() {
        pages.insert(address, Place::default());
    }
    (pages, elsewhere)
}

/// The path of the site's root on its web server: `/` or `/course/`.
fn root_of(base_url: Option<&str>) -> String {
    let path = base_url
        .and_then(|url| url.split_once("://"))
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path.trim_matches('/'));
    if path.is_empty() {
        "/".to_owned()
    } else {
        format!("/{path}/")
    }
}
