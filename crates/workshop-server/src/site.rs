//! Starting and stopping the site.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bedrock_endpoint::Endpoint;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use workshop_course::Tree;
use workshop_runner::{CheckOptions, Workspace};

use crate::{AppState, events, presence, router, tail, watch as reload};

/// How long open connections may finish their answers after [`Running::shutdown`].
const GRACE: Duration = Duration::from_secs(2);

/// What to serve, and where.
#[derive(Debug)]
pub struct SiteConfig {
    /// A loopback address; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Where the course comes from.
    pub source: Source,
    /// The student's checkout; without one, pages can be read but nothing can be run.
    pub workspace: Option<Workspace>,
    /// How the page's button checks: the guard program, the course's own test files. Its cancel
    /// token is not used.
    pub check: CheckOptions,
    /// The emulator whose address and requests are shown.
    pub emulator: Option<Arc<Endpoint>>,
    /// What lights diagrams beside the emulator's requests, in the form of a journal entry: `t`,
    /// `operation`, `status`, `request_id`, `trace`.
    pub beside: Option<mpsc::Receiver<Value>>,
    /// A checkout with `crates/workshop-diagrams`, which draws changed diagrams; the workspace if
    /// it is one.
    pub renderer: Option<PathBuf>,
    /// Whether unpublished posts are shown.
    pub preview: bool,
    /// Whether the pages are to be files on somebody's web server: they show nothing of this machine,
    /// and what needs a running workshop says so.
    pub exported: bool,
    /// Where the pages are to be found by others: `https://example.org/course/`. Feeds, maps of the site
    /// and previews need it; without it there are none.
    pub base_url: Option<String>,
}

/// Where the course comes from.
#[derive(Debug)]
pub enum Source {
    /// A folder; it is watched, and pages reload when it changes.
    Folder(PathBuf),
    /// Files built into the binary.
    Embedded(Tree),
}

/// Why the site could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is reachable from other machines; the site runs code, so it refuses.
    #[error("{0} is not a loopback address; use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// Somebody else has the port, or it is not ours to take.
    #[error("cannot listen on {addr}; choose another port, or port 0 for a free one")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The course's folder cannot be read.
    #[error("cannot read the course in {}", folder.display())]
    Course {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gave no randomness for the token.
    #[error("the system gave no random bytes for the token: {0}")]
    Random(getrandom::Error),
}

/// The site; see [`Site::start`].
#[derive(Debug)]
pub struct Site;

impl Site {
    /// Reads the course, listens, and serves until [`Running::shutdown`].
    pub async fn start(mut config: SiteConfig) -> Result<Running, StartError> {
        if !config.addr.ip().is_loopback() {
            return Err(StartError::NotLoopback(config.addr));
        }
        let beside = config.beside.take();
        let bind_error = |source| StartError::Bind {
            addr: config.addr,
            source,
        };
        let listener = TcpListener::bind(config.addr).await.map_err(bind_error)?;
        let addr = listener.local_addr().map_err(bind_error)?;
        let state = AppState::new(config, addr)?;
        Ok(Running::serve(listener, addr, state, beside))
    }
}

/// A site that is being served. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    /// The address it listens on.
    pub addr: SocketAddr,
    /// `http://127.0.0.1:3000/`: enough to read.
    pub url: String,
    /// The same with the token of this start: open it once to run checks and see live events.
    pub login_url: String,
    state: AppState,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    server: JoinHandle<()>,
}

impl Running {
    fn serve(
        listener: TcpListener,
        addr: SocketAddr,
        state: AppState,
        beside: Option<mpsc::Receiver<Value>>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut stopping = stopped.clone();
        let app = router(state.clone());
        let server = tokio::spawn(async move {
            let end = async move {
                // An error means the sender is gone, which is a reason to stop as well.
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            let _ = axum::serve(listener, app).with_graceful_shutdown(end).await;
        });
        let mut tasks = vec![
            tokio::spawn(events::follow_emulator(state.clone())),
            tokio::spawn(tail::follow(state.clone())),
            tokio::spawn(reload::follow(state.clone())),
            tokio::spawn(presence::follow(state.clone())),
        ];
        tasks.extend(beside.map(|lit| tokio::spawn(events::follow_beside(state.clone(), lit))));
        tasks.push(tokio::task::spawn_blocking(|| {
            crate::assets::compress_all();
        }));
        let url = format!("http://{addr}/");
        Self {
            addr,
            login_url: format!("{url}?t={}", state.token().as_str()),
            url,
            state,
            stop,
            tasks,
            server,
        }
    }

    /// What the handlers see; for composing the site into something larger.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Returns when the server has ended by itself (it does not, unless the listener breaks).
    pub async fn ended(&mut self) {
        let _ = (&mut self.server).await;
    }

    /// Ends the live streams, lets open answers finish for two seconds, and stops.
    pub async fn shutdown(mut self) {
        self.state.runs().cancel_all();
        self.state.hub().close();
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(GRACE, &mut self.server).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
        for task in &self.tasks {
            task.abort();
        }
    }
}
