//! `.workshop/running.json`: where a running `workshop serve` can be reached.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use workshop_runner::Workspace;

/// Addresses of a running server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The site's address, if it serves one.
    pub(crate) site: Option<SocketAddr>,
    /// The emulator's address.
    pub(crate) emulator: SocketAddr,
    /// The server's process id.
    pub(crate) pid: u32,
}

/// Removes the file when the server ends.
#[derive(Debug)]
#[must_use = "the file is removed when this is dropped"]
pub(crate) struct Announcement {
    file: PathBuf,
}

impl Running {
    /// Writes the file; `None` if there is no checkout or it cannot be written (then `workshop env`
    /// falls back to the default address).
    pub(crate) fn announce(&self, workspace: Option<&Workspace>) -> Option<Announcement> {
        let file = file_of(workspace?);
        fs::create_dir_all(file.parent()?).ok()?;
        fs::write(&file, serde_json::to_vec(self).ok()?).ok()?;
        Some(Announcement { file })
    }

    /// The running server, if one answers at the address in the file.
    pub(crate) fn find(workspace: Option<&Workspace>) -> Option<Self> {
        let text = fs::read(file_of(workspace?)).ok()?;
        let running: Self = serde_json::from_slice(&text).ok()?;
        TcpStream::connect_timeout(&running.emulator, Duration::from_millis(300)).ok()?;
        Some(running)
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

fn file_of(workspace: &Workspace) -> PathBuf {
    workspace.root().join(".workshop/running.json")
}
