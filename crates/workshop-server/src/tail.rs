//! Follows `.workshop/live.jsonl`: whoever checks an exercise, in whatever process, writes there.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    time::Duration,
};

use crate::AppState;

/// How often the file is looked at. Polling works on every file system; a check takes longer.
const INTERVAL: Duration = Duration::from_millis(100);

/// A longer line is not one of ours; it is skipped.
const LINE_MAX: usize = 1024 * 1024;

/// What one look reads at most.
const CHUNK: u64 = 4 * 1024 * 1024;

/// Feeds the lines that are added from this call on to the hub.
pub fn follow(state: AppState) -> impl Future<Output = ()> + Send {
    let tail = state.workspace().map(|w| Tail::from_end(w.live_log()));
    async move {
        if let Some(tail) = tail {
            pass_on(&state, tail).await;
        }
    }
}

async fn pass_on(state: &AppState, mut tail: Tail) {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let looked = tokio::task::spawn_blocking(move || {
            let lines = tail.poll().unwrap_or_default();
            (tail, lines)
        });
        let Ok((back, lines)) = looked.await else {
            return;
        };
        tail = back;
        for line in lines {
            if let Ok(event) = serde_json::from_slice(&line) {
                state.hub().publish_event(&event);
            }
        }
    }
}

/// A file that others append to, truncate or replace.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: Option<Identity>,
    position: u64,
    partial: Vec<u8>,
    skipping: bool,
}

/// What tells a replaced file from a grown one.
type Identity = (u64, u64);

impl Tail {
    /// Starts at the file's end; a file that appears later is read from its beginning.
    pub fn from_end(path: PathBuf) -> Self {
        let now = std::fs::metadata(&path).ok();
        Self {
            path,
            file: now.as_ref().map(identity),
            position: now.as_ref().map_or(0, Metadata::len),
            partial: Vec::new(),
            skipping: false,
        }
    }

    /// The whole lines that were added since.
    pub fn poll(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut file = match File::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.restart(None);
                return Ok(Vec::new());
            }
            opened => opened?,
        };
        let now = file.metadata()?;
        if self.file != Some(identity(&now)) || now.len() < self.position {
            self.restart(Some(identity(&now)));
        }
        if now.len() == self.position {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(self.position))?;
        let mut added = Vec::new();
        self.position += file.take(CHUNK).read_to_end(&mut added)? as u64;
        Ok(self.split(&added))
    }

    fn restart(&mut self, file: Option<Identity>) {
        self.file = file;
        self.position = 0;
        self.partial.clear();
        self.skipping = false;
    }

    fn split(&mut self, added: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for piece in added.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.ends_with(b"\n");
            if !self.skipping {
                self.partial.extend_from_slice(piece);
            }
            if self.partial.len() > LINE_MAX {
                self.partial.clear();
                self.skipping = true;
            }
            if ended {
                let line = std::mem::take(&mut self.partial);
                if !std::mem::take(&mut self.skipping) && !line.trim_ascii().is_empty() {
                    lines.push(line.trim_ascii().to_vec());
                }
            }
        }
        lines
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// Elsewhere the time of creation has to do; it is the same for a file that only grows.
#[cfg(not(unix))]
fn identity(file: &Metadata) -> Identity {
    let created = file.created().ok();
    let since = created.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or((0, 0), |t| (t.as_secs(), u64::from(t.subsec_nanos())))
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    fn append(path: &std::path::Path, text: &[u8]) {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(text).unwrap();
    }

    fn texts(tail: &mut Tail) -> Vec<String> {
        let lines = tail.poll().unwrap();
        lines
            .into_iter()
            .map(|l| String::from_utf8(l).unwrap())
            .collect()
    }

    #[test]
    fn what_was_there_before_is_not_told_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.jsonl");
        append(&path, b"old\n");
        let mut tail = Tail::from_end(path.clone());
        assert_eq!(texts(&mut tail), [""; 0]);
        append(&path, b"new\nhal");
        assert_eq!(texts(&mut tail), ["new"]);
        append(&path, b"f\r\n\n");
        assert_eq!(texts(&mut tail), ["half"]);
    }

    #[test]
    fn a_file_that_appears_is_truncated_or_replaced_is_read_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.jsonl");
        let mut tail = Tail::from_end(path.clone());
        assert_eq!(texts(&mut tail), [""; 0]);
        append(&path, b"first of many\n");
        assert_eq!(texts(&mut tail), ["first of many"]);
        fs::write(&path, b"short\n").unwrap();
        assert_eq!(texts(&mut tail), ["short"]);
        let other = folder.path().join("other");
        fs::write(&other, b"a replaced file that is longer\n").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(texts(&mut tail), ["a replaced file that is longer"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(texts(&mut tail), [""; 0]);
        append(&path, b"again\n");
        assert_eq!(texts(&mut tail), ["again"]);
    }

    #[test]
    fn an_endless_line_is_skipped_and_the_next_one_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.jsonl");
        let mut tail = Tail::from_end(path.clone());
        append(&path, &vec![b'x'; LINE_MAX + 10]);
        assert_eq!(texts(&mut tail), [""; 0]);
        append(&path, b"xxx\nfine\n");
        assert_eq!(texts(&mut tail), ["fine"]);
    }
}
