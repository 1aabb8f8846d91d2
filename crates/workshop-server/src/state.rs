//! What every handler sees: the course as it is now, the live events, who may ask.

mod edition;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bedrock_endpoint::Endpoint;
use workshop_course::{Diagnostic, Tree};
use workshop_runner::{CancelToken, CheckOptions, Progress, Workspace};

pub use self::edition::Edition;
use crate::{
    bedrock,
    events::Hub,
    files::Turns,
    guard::{Hosts, Token},
    pages::rustc::Explained,
    presence::Presence,
    runs::Runs,
    shelf::Shelf,
    site::{SiteConfig, Source, StartError},
};

/// A cheap handle. The locks inside are `std`'s and are never held across an await.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    edition: RwLock<Arc<Edition>>,
    rendering: Mutex<Rendering>,
    /// Counts changes of the two above.
    edition_number: AtomicU64,
    shelf: Shelf,
    folder: Option<PathBuf>,
    workspace: Option<Workspace>,
    renderer: Option<PathBuf>,
    check: CheckOptions,
    emulator: Option<Arc<Endpoint>>,
    preview: bool,
    exported: bool,
    base_url: Option<String>,
    addr: SocketAddr,
    hosts: Hosts,
    token: Token,
    hub: Hub,
    runs: Runs,
    bedrock: bedrock::Switch,
    turns: Turns,
    presence: Presence,
    explained: Explained,
}

/// What the background renderer of diagrams is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendering {
    /// Diagrams being rendered now.
    pub busy: BTreeSet<String>,
    /// Why the last run failed.
    pub failure: Option<Diagnostic>,
}

impl AppState {
    /// Reads the course; `addr` is the address really bound.
    pub fn new(config: SiteConfig, addr: SocketAddr) -> Result<Self, StartError> {
        let (folder, tree) = match config.source {
            Source::Embedded(tree) => (None, tree),
            Source::Folder(folder) => match Tree::read(&folder) {
                Ok(tree) => (Some(folder), tree),
                Err(source) => return Err(StartError::Course { folder, source }),
            },
        };
        let edition = Edition::new(tree);
        let workspace = config.workspace.as_ref().map(|w| w.root().to_path_buf());
        let draws = |checkout: &PathBuf| checkout.join("crates/workshop-diagrams").is_dir();
        let renderer = [workspace, config.renderer]
            .into_iter()
            .flatten()
            .find(draws);
        Ok(Self(Arc::new(Inner {
            edition: RwLock::new(Arc::new(edition)),
            rendering: Mutex::default(),
            edition_number: AtomicU64::new(0),
            shelf: Shelf::default(),
            folder,
            workspace: config.workspace,
            renderer,
            check: config.check,
            emulator: config.emulator,
            preview: config.preview,
            exported: config.exported,
            base_url: config.base_url,
            addr,
            hosts: Hosts::of_port(addr.port()),
            token: Token::random(addr.port()).map_err(StartError::Random)?,
            hub: Hub::default(),
            runs: Runs::default(),
            bedrock: bedrock::Switch::default(),
            turns: Turns::default(),
            presence: Presence::default(),
            explained: Explained::default(),
        })))
    }

    /// The course as it is now; a page keeps its copy while it renders.
    pub fn edition(&self) -> Arc<Edition> {
        let edition = self.0.edition.read();
        Arc::clone(&edition.unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the course.
    pub fn set_edition(&self, edition: Edition) {
        let mut current = self
            .0
            .edition
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(edition);
        // After the change, while the lock is held: whoever sees the new number sees the new course.
        self.0.edition_number.fetch_add(1, Ordering::SeqCst);
    }

    /// What the renderer of diagrams is doing.
    pub fn rendering(&self) -> Rendering {
        let rendering = self.0.rendering.lock();
        rendering.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says what the renderer of diagrams is doing.
    pub fn set_rendering(&self, rendering: Rendering) {
        let mut current = self
            .0
            .rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *current = rendering;
        self.0.edition_number.fetch_add(1, Ordering::SeqCst);
    }

    /// Another one after each change of the course or of what its renderer does.
    pub fn edition_number(&self) -> u64 {
        self.0.edition_number.load(Ordering::SeqCst)
    }

    /// Pages as they were sent the last time.
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// Everything wrong with the course, and with the last rendering of its diagrams.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.edition().course.diagnostics.clone();
        all.extend(self.rendering().failure);
        all
    }

    /// The student's progress as it is on disk now.
    pub fn progress(&self) -> Progress {
        match &self.0.workspace {
            Some(workspace) => Progress::load(workspace),
            None => Progress::default(),
        }
    }

    /// The folder the course is read from, if it is not built in.
    pub fn folder(&self) -> Option<&Path> {
        self.0.folder.as_deref()
    }

    /// The student's checkout.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.0.workspace.as_ref()
    }

    /// The checkout whose `workshop-diagrams` draws changed diagrams.
    pub fn renderer(&self) -> Option<&Path> {
        self.0.renderer.as_deref()
    }

    /// How the page's button checks; each check gets a cancel token of its own.
    pub fn check_options(&self) -> CheckOptions {
        CheckOptions {
            cancel: CancelToken::new(),
            ..self.0.check.clone()
        }
    }

    /// The emulator beside the site.
    pub fn emulator(&self) -> Option<&Arc<Endpoint>> {
        self.0.emulator.as_ref()
    }

    /// Whether unpublished posts are shown.
    pub fn preview(&self) -> bool {
        self.0.preview
    }

    /// Whether the pages are written to files; see [`crate::export`].
    pub fn exported(&self) -> bool {
        self.0.exported
    }

    /// Where others find the pages, if anywhere.
    pub fn base_url(&self) -> Option<&str> {
        self.0.base_url.as_deref()
    }

    /// Where others find the page at that path, if anywhere.
    pub fn public(&self, path: &str) -> Option<String> {
        let base = self.base_url()?;
        Some(format!("{}{path}", base.trim_end_matches('/')))
    }

    /// The site's own address.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// The names under which the site may be asked.
    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// The token of this start.
    pub fn token(&self) -> &Token {
        &self.0.token
    }

    /// The live events.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Who writes the student's file next.
    pub fn turns(&self) -> &Turns {
        &self.0.turns
    }

    /// What rustc explained so far.
    pub fn explained(&self) -> &Explained {
        &self.0.explained
    }

    /// The exercises that are open in a browser.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// Whether checks go to real Bedrock.
    pub fn bedrock(&self) -> &bedrock::Switch {
        &self.0.bedrock
    }

    /// The checks that are running.
    pub fn runs(&self) -> &Runs {
        &self.0.runs
    }
}
