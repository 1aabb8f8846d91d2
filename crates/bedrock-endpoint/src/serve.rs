//! The listener.

use std::{net::SocketAddr, sync::Arc};

use bedrock_emulator::{Emulator, journal::Entry};
use tokio::sync::broadcast;

use crate::Gates;

/// A running emulator on a socket. Dropping it closes the listener and its connections.
#[derive(Debug)]
pub struct Endpoint {
    addr: SocketAddr,
    emulator: Arc<Emulator>,
    gates: Gates,
    entries: broadcast::Sender<Arc<Entry>>,
}

/// What only the socket can know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// TCP connections accepted so far.
    pub connections: u64,
    /// Requests being answered now.
    pub in_flight: usize,
    /// The most requests that were being answered at once.
    pub max_in_flight: usize,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}")]
pub struct BindError {
    /// The address asked for.
    pub addr: SocketAddr,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

impl Endpoint {
    /// Listens on `addr` (port 0 picks a free one) and answers from `emulator`.
    pub async fn bind(addr: SocketAddr, emulator: Arc<Emulator>) -> Result<Self, BindError> {
        let listener = tokio::net::TcpListener::bind(addr)
            .await
            .map_err(|source| BindError { addr, source })?;
        let addr = listener
            .local_addr()
            .map_err(|source| BindError { addr, source })?;
        Ok(Self {
            addr,
            emulator,
            gates: Gates::default(),
            entries: broadcast::Sender::new(256),
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The emulator behind it.
    pub fn emulator(&self) -> &Arc<Emulator> {
        &self.emulator
    }

    /// Its gates.
    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    /// Journal entries from now on, each as soon as its request is answered by the core.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.entries.subscribe()
    }

    /// What only the socket can know.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
