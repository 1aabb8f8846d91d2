//! `workshop serve` as a process: addresses, pages, a foreign course, a clean end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// A running `workshop serve` on free ports; stopped when dropped.
pub(crate) struct Serving {
    pub(crate) process: Child,
    pub(crate) site: String,
    pub(crate) emulator: String,
}

impl Serving {
    pub(crate) fn start(dir: &Path, args: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_workshop"))
            .args([
                "serve",
                "--addr",
                "127.0.0.1:0",
                "--emulator-addr",
                "127.0.0.1:0",
                "--json",
            ])
            .args(args)
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let addr = |name: &str| {
            let url = ready[name].as_str().unwrap();
            let rest = url.strip_prefix("http://").unwrap();
            rest.split('/').next().unwrap().to_owned()
        };
        Self {
            site: addr("site"),
            emulator: addr("emulator"),
            process,
        }
    }

    /// Status and body of a GET.
    fn get(&self, path: &str) -> (u16, String) {
        get(&self.site, path)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn get(addr: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

#[test]
fn the_built_in_course_is_served_without_a_checkout() {
    let dir = tempfile::tempdir().unwrap();
    let site = Serving::start(dir.path(), &[]);
    for (path, says) in [
        ("/", "Bedrock Workshop"),
        (
            "/posts",
            "AWS Bedrock Integration Patterns with Claude Code",
        ),
        ("/posts/bedrock-integration-patterns", "Step Functions"),
        ("/diagrams/bedrock-architecture", "data-node=\"BR\""),
        ("/exercises", "First Converse call"),
        (
            "/exercises/004-bedrock-integration",
            "data-edge=\"POLICY-BR\"",
        ),
    ] {
        let (status, body) = site.get(path);
        assert_eq!(status, 200, "{path}");
        assert!(body.contains(says), "{path} does not say {says}");
    }
    let (status, body) = site.get("/posts/bedrock-integration-pattern");
    assert_eq!(status, 404);
    assert!(
        body.contains("/posts/bedrock-integration-patterns"),
        "the 404 suggests the page"
    );
    // The emulator answers too; without a signature in Bedrock's words.
    let (status, body) = get(&site.emulator, "/model/x/converse");
    assert!(
        (400..500).contains(&status) && body.contains("x-amzn-RequestId"),
        "{body}"
    );
}

#[test]
fn a_foreign_course_is_served_with_its_mistakes_named() {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in [
        (
            "content/posts/good.md",
            "---\ntitle: \"A post of our own\"\ndate: 2025-10-18\nauthor: x\nexcerpt: y\ncategory: AWS\ntags: [a, b]\npublished: true\n---\n\n# A post of our own\n\nText.\n",
        ),
        ("content/posts/bad.md", "---\ntitle: [\n---\n\nText.\n"),
        (
            "diagrams/drawn.md",
            "# Only a heading\n\n```mermaid\ngraph LR\n    A[One] -->|goes| B[Two]\n```\n",
        ),
    ] {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let site = Serving::start(dir.path(), &["--course", "."]);
    assert_eq!(site.get("/posts/good").0, 200);
    let (status, page) = site.get("/diagrams/drawn");
    assert_eq!(status, 200);
    assert!(page.contains("Only a heading"));
    let (_, diagnostics) = site.get("/diagnostics");
    assert!(
        diagnostics.contains("content/posts/bad.md"),
        "{diagnostics}"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::create_dir(dir.path().join("exercises")).unwrap();
    let mut site = Serving::start(dir.path(), &[]);
    assert!(dir.path().join(".workshop/running.json").is_file());
    let pid = site.process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(site.process.wait().unwrap().code(), Some(0));
    assert!(!dir.path().join(".workshop/running.json").exists());
}
