//! A site over the fixture course, and requests to it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use tempfile::TempDir;
use tower::ServiceExt;
use workshop_course::Tree;
use workshop_runner::{CheckOptions, Workspace};
use workshop_server::{AppState, SiteConfig, Source, router};

pub(crate) const PORT: u16 = 3000;
pub(crate) const HOST: &str = "127.0.0.1:3000";

pub(crate) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture")
}

/// The fixture course in a folder of its own, which is also the student's workspace.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn config(source: Source) -> SiteConfig {
    SiteConfig {
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        source,
        workspace: None,
        check: CheckOptions::default(),
        emulator: None,
        beside: None,
        renderer: None,
        preview: false,
        exported: false,
        base_url: None,
    }
}

/// A site that is asked without a port.
pub(crate) struct Site {
    pub(crate) state: AppState,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

impl Site {
    /// The fixture, built in, without a workspace.
    pub(crate) fn new() -> Self {
        Self::with(config(Source::Embedded(Tree::read(&fixture()).unwrap())))
    }

    pub(crate) fn with(config: SiteConfig) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], PORT));
        Self {
            state: AppState::new(config, addr).unwrap(),
        }
    }

    /// With that folder as course and as workspace.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::with(SiteConfig {
            workspace: Some(Workspace::at(folder)),
            ..config(Source::Folder(folder.to_path_buf()))
        })
    }

    /// The cookie of somebody who opened the printed link.
    pub(crate) fn cookie(&self) -> String {
        format!("workshop-{PORT}={}", self.state.token().as_str())
    }

    /// Sends `METHOD /path` with those headers; `Host` is ours unless given.
    pub(crate) async fn send(&self, request: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_with(request, headers, Body::empty()).await
    }

    /// The same with a body.
    pub(crate) async fn send_with(
        &self,
        request: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let (method, path) = request.split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            builder = builder.header("host", HOST);
        }
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(body.into()).unwrap();
        let response = router(self.state.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    /// The same with a body.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut builder = Request::builder().method("POST").uri(path);
        builder = builder.header("host", HOST);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::from(body.to_owned())).unwrap();
        let response = router(self.state.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[]).await
    }

    /// The same as the owner of the token.
    pub(crate) async fn get_as_owner(&self, path: &str) -> Answer {
        let cookie = self.cookie();
        self.send(&format!("GET {path}"), &[("cookie", &cookie)])
            .await
    }
}
