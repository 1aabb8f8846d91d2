//! Tells the site which requests reached a lab.
//!
//! Each request becomes one line of the event log that the site follows (`Event::Request` of
//! `workshop-runner`): `{"type":"request","exercise":"001","test":"…","entry":{…}}`. A plain
//! `cargo test` in an editor lights the diagram the same way as `workshop check`. A test must not
//! fail for the sake of the log, so every failure here is ignored.

use std::{
    env,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    thread,
};

use bedrock_emulator::{journal::Entry, trace::TraceEvent};
use serde::Serialize;

/// The longest line, in bytes; the answer is dropped first, then the body and the texts.
const LINE_MAX: usize = 64 * 1024;

/// A longer log is begun anew: who runs plain `cargo test` all day has nobody else to do it. The runner
/// empties it sooner, when a check begins; this bounds what one run may write.
const LOG_MAX: u64 = 16 * 1024 * 1024;

/// Names the log explicitly; the runner sets it. Empty, nothing is to be logged.
const LOG_VARIABLE: &str = "WORKSHOP_LIVE";

/// Where the log is, below the workspace's root.
const LOG_FILE: &str = ".workshop/live.jsonl";

/// Where one test's requests are written.
#[derive(Debug)]
pub(crate) struct EventLog {
    path: PathBuf,
    exercise: String,
    test: String,
}

#[derive(Serialize)]
struct Line<'a, E> {
    r#type: &'static str,
    exercise: &'a str,
    test: &'a str,
    entry: &'a E,
}

/// What pages show of an entry, for what no emulator has seen.
#[derive(Serialize)]
struct LightEntry<'a> {
    t: i64,
    operation: &'a str,
    status: u16,
    request_id: &'a str,
    trace: &'a [TraceEvent],
}

impl EventLog {
    /// The log for the test on this thread, if anybody follows one.
    pub(crate) fn of_this_test() -> Option<Self> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let exercise = exercise(env::var("CARGO_PKG_NAME").ok(), manifest_dir.as_deref());
        let path = match env::var_os(LOG_VARIABLE) {
            Some(path) if path.is_empty() => return None,
            Some(path) => PathBuf::from(path),
            None => nearest_log(manifest_dir.as_deref()?)?,
        };
        Some(Self {
            path,
            exercise: exercise?,
            test: thread::current().name().unwrap_or_default().to_owned(),
        })
    }

    /// A request that reached the emulator.
    pub(crate) fn append(&self, entry: &Entry) {
        self.append_line(self.line(entry));
    }

    /// Light that no emulator's entry brings: from between parts of the student's system.
    pub(crate) fn append_light(&self, operation: &str, status: u16, trace: &[TraceEvent]) {
        let first = trace.first();
        self.append_line(self.json(&LightEntry {
            t: first.map_or(0, |event| event.t),
            operation,
            status,
            request_id: first.map_or("", |event| &event.request_id),
            trace,
        }));
    }

    /// Appends one line with one write, so that lines of several processes never mix.
    fn append_line(&self, line: Option<String>) {
        let Some(line) = line else { return };
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path);
        if let Ok(mut log) = log {
            if log.metadata().is_ok_and(|log| log.len() > LOG_MAX) {
                let _ = log.set_len(0);
            }
            let _ = log.write_all(line.as_bytes());
        }
    }

    fn line(&self, entry: &Entry) -> Option<String> {
        let fits = |line: &String| line.len() <= LINE_MAX;
        if let Some(whole) = self.json(entry).filter(fits) {
            return Some(whole);
        }
        // `text` still tells what was answered.
        let mut entry = Entry {
            answer: None,
            frames: Vec::new(),
            ..entry.clone()
        };
        if let Some(line) = self.json(&entry).filter(fits) {
            return Some(line);
        }
        entry.body = None;
        entry.text = None;
        entry.message = None;
        entry.headers.clear();
        self.json(&entry).filter(fits)
    }

    fn json(&self, entry: &impl Serialize) -> Option<String> {
        let line = Line {
            r#type: "request",
            exercise: &self.exercise,
            test: &self.test,
            entry,
        };
        let json = serde_json::to_string(&line).ok()?;
        Some(json + "\n")
    }
}

/// `001` from the package `ex001`, else from the folder `001-first-converse-call`. Anything else
/// is no exercise, and the site has nothing to show for it.
fn exercise(package: Option<String>, folder: Option<&Path>) -> Option<String> {
    let package = package.unwrap_or_default();
    let folder = folder.and_then(Path::file_name).unwrap_or_default();
    let folder = folder.to_string_lossy();
    let from_folder = folder.split('-').next();
    let candidates = [package.strip_prefix("ex"), from_folder];
    let is_id = |id: &&str| id.len() == 3 && id.bytes().all(|b| b.is_ascii_digit());
    let found = candidates.into_iter().flatten().find(is_id);
    found.map(ToOwned::to_owned)
}

fn nearest_log(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .map(|folder| folder.join(LOG_FILE))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path, process};

    use serde_json::Value;

    use super::{EventLog, LINE_MAX, LOG_MAX, exercise, nearest_log};
    use crate::Hop;

    #[test]
    fn only_exercises_have_an_id() {
        for (package, folder, id) in [
            (
                Some("ex001"),
                "/x/exercises/001-first-converse-call",
                Some("001"),
            ),
            (None, "/x/exercises/003-streaming", Some("003")),
            (Some("post-snippets"), "/x/content/snippets", None),
            (Some("ex1"), "/x/crates/example", None),
        ] {
            let found = exercise(package.map(ToOwned::to_owned), Some(Path::new(folder)));
            assert_eq!(found.as_deref(), id, "{package:?} {folder}");
        }
    }

    #[test]
    fn a_log_that_grew_too_long_is_begun_anew() {
        let path = env::temp_dir().join(format!("testkit-long-log-{}", process::id()));
        let log = EventLog {
            path: path.clone(),
            exercise: "001".to_owned(),
            test: "a test".to_owned(),
        };
        log.append_light("first", 200, &[]);
        log.append_light("second", 200, &[]);
        let both = fs::read_to_string(&path).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_len(LOG_MAX + 1).unwrap();
        log.append_light("second", 200, &[]);
        let after = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(both.lines().count(), 2);
        assert_eq!(Some(after.trim_end()), both.lines().nth(1));
    }

    #[tokio::test]
    async fn a_request_becomes_one_line_of_at_most_64_kib() {
        let folder = env::temp_dir().join(format!("testkit-events-{}", process::id()));
        fs::create_dir_all(folder.join(".workshop")).unwrap();
        fs::create_dir_all(folder.join("exercises/001-x")).unwrap();
        let path = folder.join(".workshop/live.jsonl");
        fs::write(&path, "").unwrap();
        assert_eq!(
            nearest_log(&folder.join("exercises/001-x")),
            Some(path.clone())
        );

        let lab = crate::Lab::start().await;
        let text = "x".repeat(LINE_MAX);
        for prompt in ["short", &text] {
            let content = aws_sdk_bedrockruntime::types::ContentBlock::Text(prompt.to_owned());
            let message = aws_sdk_bedrockruntime::types::Message::builder()
                .role(aws_sdk_bedrockruntime::types::ConversationRole::User)
                .content(content)
                .build()
                .unwrap();
            let client = lab.client();
            let call = client.converse().model_id(lab.profile("haiku"));
            call.messages(message).send().await.unwrap();
        }
        let log = EventLog {
            path: path.clone(),
            exercise: "001".to_owned(),
            test: "a test".to_owned(),
        };
        for entry in lab.journal() {
            log.append(&entry);
        }
        let hop = Hop {
            from: "CLIENT",
            to: "LAMBDA",
            what: "POST /ask",
            status: 200,
            request_id: "r-1",
        };
        log.append_light(hop.what, hop.status, &hop.trace(7));
        let written = fs::read_to_string(&path).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let lines: Vec<Value> = written
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert!(written.len() < LINE_MAX);
        assert_eq!(lines[0]["type"], "request");
        assert_eq!(lines[0]["exercise"], "001");
        assert_eq!(lines[0]["test"], "a test");
        assert_eq!(
            lines[0]["entry"]["body"]["messages"][0]["content"][0]["text"],
            "short"
        );
        let answered = &lines[0]["entry"]["answer"]["output"]["message"]["role"];
        assert_eq!(answered, "assistant");
        assert_eq!(lines[1]["entry"]["body"], Value::Null);
        assert_eq!(lines[1]["entry"]["answer"], Value::Null);
        assert_eq!(lines[1]["entry"]["status"], 200);
        assert_eq!(lines[2]["entry"]["t"], 7);
        assert_eq!(lines[2]["entry"]["trace"][1]["edge"], "CLIENT-LAMBDA");
    }
}
