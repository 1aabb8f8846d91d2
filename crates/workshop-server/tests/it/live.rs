//! The stream of events, and where its events come from.

use std::{fs, io::Write, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{
    body::{Body, BodyDataStream},
    http::Request,
};
use bedrock_emulator::{Config, Emulator};
use bedrock_endpoint::Endpoint;
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;
use workshop_runner::Workspace;
use workshop_server::{AppState, Running, Site as Server, SiteConfig, Source, router};

use crate::support::{config, folder};

/// Far longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open stream of events.
struct Stream {
    body: BodyDataStream,
    seen: String,
}

impl Stream {
    async fn open(state: &AppState, resume: Option<&str>) -> Self {
        let port = state.addr().port();
        let cookie = format!("workshop-{port}={}", state.token().as_str());
        let mut request = Request::get("/events")
            .header("host", format!("localhost:{port}"))
            .header("cookie", cookie);
        if let Some(id) = resume {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = router(state.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers().get("content-encoding"), None);
        Self {
            body: response.into_body().into_data_stream(),
            seen: String::new(),
        }
    }

    /// Reads until the event of that name is whole; answers its text.
    async fn next(&mut self, name: &str) -> String {
        let wanted = format!("event: {name}\n");
        let read = async {
            loop {
                while let Some((event, rest)) = self.seen.split_once("\n\n") {
                    let (event, rest) = (event.to_owned() + "\n", rest.to_owned());
                    self.seen = rest;
                    if event.contains(&wanted) {
                        return event;
                    }
                }
                let chunk = self.body.next().await.expect("the stream ended").unwrap();
                self.seen.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .unwrap_or_else(|_| panic!("no {name} event came"))
    }
}

fn id_of(event: &str) -> &str {
    event
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap()
}

async fn start(folder: &Path, emulator: Option<Arc<Endpoint>>) -> Running {
    Server::start(SiteConfig {
        workspace: Some(Workspace::at(folder)),
        emulator,
        ..config(Source::Folder(folder.to_path_buf()))
    })
    .await
    .unwrap()
}

fn append(folder: &Path, line: &str) {
    let state = folder.join(".workshop");
    fs::create_dir_all(&state).unwrap();
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(state.join("live.jsonl"))
        .unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

#[tokio::test]
async fn lines_of_the_event_log_reach_the_browser_and_a_lost_connection_misses_nothing() {
    let folder = folder();
    append(
        folder.path(),
        "{\"type\":\"started\",\"exercise\":\"000\",\"t\":1}\n",
    );
    let site = start(folder.path(), None).await;
    let mut stream = Stream::open(site.state(), None).await;
    append(folder.path(), "nonsense\n{\"type\":\"of the future\"}\n");
    append(
        folder.path(),
        "{\"type\":\"started\",\"exercise\":\"001\",\"t\":2}\n",
    );
    let first = stream.next("started").await;
    assert!(
        first.contains(r#""exercise":"001""#),
        "old lines are not told: {first}"
    );
    drop(stream);
    append(
        folder.path(),
        "{\"type\":\"building\",\"exercise\":\"001\",\"done\":1,\"total\":2}\n",
    );
    let mut resumed = Stream::open(site.state(), Some(id_of(&first))).await;
    let next = resumed.next("building").await;
    assert!(next.contains(r#""done":1"#), "{next}");
    let mut stale = Stream::open(site.state(), Some("1-1")).await;
    stale.next("reset").await;
    site.shutdown().await;
}

#[tokio::test]
async fn a_request_to_the_emulator_reaches_the_browser() {
    let folder = folder();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let emulator = Arc::new(Emulator::new(Config::default()).unwrap());
    let endpoint = Arc::new(Endpoint::bind(any, emulator).await.unwrap());
    let site = start(folder.path(), Some(Arc::clone(&endpoint))).await;
    let mut stream = Stream::open(site.state(), None).await;

    let mut connection = TcpStream::connect(endpoint.addr()).await.unwrap();
    let request = "POST /model/unknown/converse HTTP/1.1\r\nhost: localhost\r\n\
                   content-length: 2\r\nconnection: close\r\n\r\n{}";
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let event = stream.next("request").await;
    assert!(
        event.contains(r#""exercise":"""#) && event.contains(r#""test":"emulator""#),
        "{event}"
    );

    let entry = &endpoint.emulator().journal()[0];
    assert!(
        event.contains(&format!(r#""status":{}"#, entry.status)),
        "{event}"
    );
    site.shutdown().await;
}

#[tokio::test]
async fn an_edited_file_reloads_its_page_and_a_broken_one_says_so() {
    let folder = folder();
    let site = start(folder.path(), None).await;
    let mut stream = Stream::open(site.state(), None).await;
    let post = folder.path().join("content/posts/integration-patterns.md");
    let text = fs::read_to_string(&post).unwrap();
    fs::write(&post, format!("{text}\nEdited.\n")).unwrap();
    let reload = stream.next("reload").await;
    assert!(
        reload.contains("\"/posts/integration-patterns\""),
        "{reload}"
    );
    assert!(!reload.contains("/exercises/001-one-call"), "{reload}");
    fs::write(&post, "---\ntitle: [\n---\n").unwrap();
    loop {
        stream.next("reload").await;
        if !site.state().diagnostics().is_empty() {
            break;
        }
    }
    site.shutdown().await;
}

#[tokio::test]
async fn stopping_ends_open_streams() {
    let folder = folder();
    let site = start(folder.path(), None).await;
    let mut stream = Stream::open(site.state(), None).await;
    site.shutdown().await;
    let ended = async { while stream.body.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("the stream ends with the site");
}
