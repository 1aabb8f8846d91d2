//! Pages that follow the live events: how long it takes until every page has every event, and how much
//! memory that costs. Both ends run in this process, so its sockets count twice.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::bail;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use workshop_course::Tree;
use workshop_runner::{CheckOptions, live::Event};
use workshop_server::{Site, SiteConfig, Source};

/// How long a listener may wait for all of its events.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn run(listeners: usize, events: usize) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(measure(listeners, events))
}

async fn measure(listeners: usize, events: usize) -> anyhow::Result<()> {
    let site = Site::start(SiteConfig {
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        source: Source::Embedded(Tree::default()),
        workspace: None,
        check: CheckOptions::default(),
        emulator: None,
        beside: None,
        renderer: None,
        preview: false,
        base_url: None,
        exported: false,
    })
    .await?;
    let before = resident();
    let (ready, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let all_ready = Arc::new(Notify::new());
    let token = site.state().token().as_str().to_owned();
    let opened = Instant::now();
    let mut pages = Vec::new();
    for _ in 0..listeners {
        let page = Page {
            addr: site.addr,
            token: token.clone(),
            events,
            ready: Arc::clone(&ready),
            all_ready: Arc::clone(&all_ready),
            seen: Arc::clone(&seen),
        };
        pages.push(tokio::spawn(page.follow(listeners)));
    }
    tokio::time::timeout(PATIENCE, all_ready.notified()).await?;
    let open = resident();
    println!(
        "Live events: {listeners} listeners open after {} ms; memory {} KiB each, both ends",
        opened.elapsed().as_millis(),
        open.saturating_sub(before) / listeners.max(1)
    );
    let published = Instant::now();
    for number in 0..events {
        site.state().hub().publish_event(&event(number));
        // As the emulator's answers do: others get their turn in between.
        tokio::task::yield_now().await;
    }
    let publishing = published.elapsed();
    for page in pages {
        tokio::time::timeout(PATIENCE, page).await???;
    }
    println!(
        "{events} events published in {} ms, all {} received after {} ms; memory {} MiB more at the end\n",
        publishing.as_millis(),
        seen.load(Ordering::Relaxed),
        published.elapsed().as_millis(),
        resident().saturating_sub(open) / 1024
    );
    site.shutdown().await;
    Ok(())
}

/// What a request of an exercise looks like.
fn event(number: usize) -> Event {
    Event::Request {
        exercise: "001".to_owned(),
        test: "a_test".to_owned(),
        entry: json!({
            "seq": number, "t": number, "operation": "Converse", "status": 200,
            "request_id": "00000000-0000-0000-0000-000000000000",
            "usage": { "input": 12, "output": 40 },
            "trace": [
                { "node": "CC", "status": "ok" },
                { "node": "BR", "edge": "POLICY-BR", "status": "ok" },
            ],
        }),
    }
}

/// One open page.
struct Page {
    addr: SocketAddr,
    token: String,
    events: usize,
    ready: Arc<AtomicUsize>,
    all_ready: Arc<Notify>,
    seen: Arc<AtomicUsize>,
}

impl Page {
    async fn follow(self, listeners: usize) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(self.addr).await?;
        let port = self.addr.port();
        let request = format!(
            "GET /events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: workshop-{port}={}\r\n\r\n",
            self.token
        );
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = vec![0; 4096];
        let mut head = String::new();
        while !head.contains(": connected") {
            let length = stream.read(&mut buffer).await?;
            if length == 0 {
                bail!("the stream was refused: {head}");
            }
            head.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        if self.ready.fetch_add(1, Ordering::Relaxed) + 1 == listeners {
            self.all_ready.notify_one();
        }
        let (mut mine, mut lines) = (0, Lines::default());
        while mine < self.events {
            let length = stream.read(&mut buffer).await?;
            if length == 0 {
                bail!("a stream ended after {mine} events");
            }
            let (requests, resets) = lines.count(&buffer[..length]);
            if resets > 0 {
                bail!("a listener was too slow and was told to load its page anew");
            }
            mine += requests;
        }
        self.seen.fetch_add(mine, Ordering::Relaxed);
        Ok(())
    }
}

/// Counts events, also those whose name is cut between two reads.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn count(&mut self, bytes: &[u8]) -> (usize, usize) {
        self.rest.extend_from_slice(bytes);
        let end = self.rest.iter().rposition(|byte| *byte == b'\n');
        let Some(end) = end else { return (0, 0) };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        let lines = whole.split(|byte| *byte == b'\n');
        lines.fold((0, 0), |(requests, resets), line| match line {
            b"event: request" => (requests + 1, resets),
            b"event: reset" => (requests, resets + 1),
            _ => (requests, resets),
        })
    }
}

/// Resident memory in KiB; 0 where the system does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}
