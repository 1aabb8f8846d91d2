//! Streams: order by gates, cuts, clients that leave. No test waits for time to pass.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
    script::{Fault, Piece, Step},
};
use bedrock_endpoint::Endpoint;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A wrong endpoint could hang; then a test fails instead.
const LIMIT: Duration = Duration::from_secs(10);

async fn endpoint(steps: impl IntoIterator<Item = Step>) -> Endpoint {
    let config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        ..Config::default()
    };
    let emulator = Emulator::new(config).unwrap();
    emulator.script(steps);
    let loopback = ([127, 0, 0, 1], 0).into();
    Endpoint::bind(loopback, Arc::new(emulator)).await.unwrap()
}

/// A request for the current Haiku's profile.
fn target(endpoint: &Endpoint, verb: &str) -> String {
    let models = endpoint.emulator().catalogue();
    let haiku = models.by_alias("haiku").unwrap();
    let id = models.profile_id(haiku, "us-east-1").unwrap();
    format!("/model/{}/{verb}", id.replace(':', "%3A"))
}

const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}"#;

fn http1(endpoint: &Endpoint, verb: &str) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{BODY}",
        target(endpoint, verb),
        BODY.len()
    )
}

async fn open(endpoint: &Endpoint, verb: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    let request = http1(endpoint, verb);
    tcp.write_all(request.as_bytes()).await.unwrap();
    tcp
}

/// Reads until `until` has arrived; returns all that came. Empty `until`: to the end.
async fn read(tcp: &mut TcpStream, until: &str) -> String {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if !until.is_empty() && text.contains(until) {
            return text;
        }
        let mut some = [0; 4096];
        let n = tokio::time::timeout(LIMIT, tcp.read(&mut some)).await;
        let n = n
            .unwrap_or_else(|_| panic!("no {until:?} in {text}"))
            .unwrap();
        if n == 0 {
            assert_eq!(until, "", "the end came before it: {text}");
            return text;
        }
        all.extend_from_slice(&some[..n]);
    }
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn gate(name: &str) -> Piece {
    Piece::Gate(name.to_owned())
}

/// Returns when nothing is being answered any more.
async fn idle(endpoint: &Endpoint) {
    let idle = async {
        while endpoint.stats().in_flight > 0 {
            tokio::task::yield_now().await;
        }
    };
    let idle = tokio::time::timeout(LIMIT, idle).await;
    idle.expect("the endpoint stops working for a client that is gone");
}

async fn http2(endpoint: &Endpoint) -> hyper::client::conn::http2::SendRequest<Full<Bytes>> {
    let tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    let io = TokioIo::new(tcp);
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

fn http2_request(endpoint: &Endpoint, verb: &str) -> hyper::Request<Full<Bytes>> {
    hyper::Request::post(format!("{}{}", endpoint.url(), target(endpoint, verb)))
        .body(Full::new(Bytes::from_static(BODY.as_bytes())))
        .unwrap()
}

/// The next DATA frame as text; `None` at a clean end.
async fn data(body: &mut Incoming) -> Option<Result<String, hyper::Error>> {
    let frame = tokio::time::timeout(LIMIT, body.frame()).await;
    let frame = frame.expect("a frame or an end")?;
    Some(frame.map(|frame| {
        let data = frame.into_data().unwrap_or_default();
        String::from_utf8_lossy(&data).into_owned()
    }))
}

#[tokio::test]
async fn http1_headers_have_the_recorded_order_and_letter_case() {
    let endpoint = endpoint([]).await;
    let names = |answer: &str| {
        let head = answer
            .split("\r\n\r\n")
            .next()
            .unwrap_or_default()
            .to_owned();
        let lines = head
            .lines()
            .skip(1)
            .map(|l| l.split(':').next().unwrap_or_default().to_owned());
        lines.collect::<Vec<_>>()
    };
    for (verb, wanted) in [
        (
            "converse",
            "Date Content-Type Content-Length Connection x-amzn-RequestId",
        ),
        (
            "converse-stream",
            "Date Content-Type Transfer-Encoding Connection x-amzn-RequestId",
        ),
        (
            "nonsense",
            "Date Content-Type Content-Length Connection x-amzn-RequestId x-amzn-ErrorType",
        ),
    ] {
        let mut tcp = open(&endpoint, verb).await;
        let answer = read(&mut tcp, "\r\n\r\n").await;
        assert_eq!(names(&answer).join(" "), wanted, "{verb}");
        assert!(answer.contains(" GMT\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn http1_frames_wait_for_their_gate() {
    let script = [Step::Say(vec![
        text("one"),
        gate("a"),
        text("two"),
        gate("b"),
        text("three"),
    ])];
    let endpoint = endpoint(script).await;
    let mut tcp = open(&endpoint, "converse-stream").await;
    let first = read(&mut tcp, "\"one\"").await;
    assert!(!first.contains("\"two\""), "{first}");
    assert_eq!(endpoint.stats().in_flight, 1);
    endpoint.gates().open("a");
    let second = read(&mut tcp, "\"two\"").await;
    assert!(!second.contains("\"three\""), "{second}");
    endpoint.gates().open("b");
    read(&mut tcp, "\r\n0\r\n\r\n").await;
    idle(&endpoint).await;
}

#[tokio::test]
async fn each_frame_is_one_chunk() {
    let endpoint = endpoint([Step::Say(vec![text("one"), text("two")])]).await;
    let mut tcp = open(&endpoint, "converse-stream").await;
    let mut all = Vec::new();
    while !all.ends_with(b"\r\n0\r\n\r\n") {
        let read = tokio::time::timeout(LIMIT, tcp.read_buf(&mut all)).await;
        assert_ne!(read.unwrap().unwrap(), 0);
    }
    let head = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let mut rest = &all[head..];
    let mut chunks = 0;
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        let chunk = &rest[line + 2..][..size];
        let total = u32::from_be_bytes(chunk[..4].try_into().unwrap());
        assert_eq!(
            total as usize, size,
            "the event-stream message fills its chunk"
        );
        rest = &rest[line + 2 + size + 2..];
        chunks += 1;
    }
    // messageStart, two deltas, contentBlockStop, messageStop, metadata
    assert_eq!(chunks, 6);
}

#[tokio::test]
async fn http2_frames_wait_for_their_gate() {
    let script = [Step::Say(vec![text("one"), gate("a"), text("two")])];
    let endpoint = endpoint(script).await;
    let mut client = http2(&endpoint).await;
    let answer = client
        .send_request(http2_request(&endpoint, "converse-stream"))
        .await
        .unwrap();
    assert!(!answer.headers().contains_key("transfer-encoding"));
    let mut body = answer.into_body();
    while !data(&mut body).await.unwrap().unwrap().contains("\"one\"") {}
    endpoint.gates().open("a");
    while !data(&mut body).await.unwrap().unwrap().contains("\"two\"") {}
    while data(&mut body).await.is_some() {}
}

#[tokio::test]
async fn a_cut_delivers_what_came_before_it() {
    for _ in 0..20 {
        let endpoint = endpoint([Step::Say(vec![text("one"), text("two"), Piece::Cut])]).await;
        let mut tcp = open(&endpoint, "converse-stream").await;
        let all = read(&mut tcp, "").await;
        assert!(all.contains("\"two\""), "{all}");
        assert!(!all.ends_with("\r\n0\r\n\r\n"), "{all}");
    }
}

#[tokio::test]
async fn a_cut_resets_the_http2_stream_and_only_that() {
    let cut = Step::Say(vec![text("one"), text("two"), Piece::Cut]);
    let endpoint = endpoint([cut, Step::text("after")]).await;
    let mut client = http2(&endpoint).await;
    let answer = client
        .send_request(http2_request(&endpoint, "converse-stream"))
        .await
        .unwrap();
    let mut body = answer.into_body();
    let mut all = String::new();
    let error = loop {
        match data(&mut body).await.expect("no clean end") {
            Ok(data) => all += &data,
            Err(error) => break error,
        }
    };
    assert!(all.contains("\"two\""), "{all}");
    assert!(format!("{error:?}").contains("Reset"), "{error:?}");
    let answer = client
        .send_request(http2_request(&endpoint, "converse"))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(endpoint.stats().connections, 1);
}

#[tokio::test]
async fn a_disconnect_answers_nothing() {
    let fault = || Step::Fault(Fault::Disconnect);
    let endpoint = endpoint([fault(), fault()]).await;
    let mut tcp = open(&endpoint, "converse").await;
    assert_eq!(read(&mut tcp, "").await, "");
    let mut client = http2(&endpoint).await;
    let answer = client
        .send_request(http2_request(&endpoint, "converse"))
        .await;
    assert!(answer.is_err());
    idle(&endpoint).await;
}

#[tokio::test]
async fn work_stops_when_the_client_is_gone() {
    let hang = Step::Fault(Fault::Hang);
    let wait = || Step::Say(vec![text("one"), gate("never"), text("two")]);
    let endpoint = endpoint([hang, wait(), wait()]).await;
    let hanging = open(&endpoint, "converse").await;
    let mut entries = endpoint.subscribe();
    while endpoint.emulator().script_left() == 3 {
        tokio::task::yield_now().await;
    }
    let mut streaming = open(&endpoint, "converse-stream").await;
    read(&mut streaming, "\"one\"").await;
    assert_eq!(endpoint.stats().in_flight, 2);
    let entry = entries.recv().await.unwrap();
    assert!(entry.operation.is_some());
    drop(hanging);
    drop(streaming);
    idle(&endpoint).await;

    let mut client = http2(&endpoint).await;
    let answer = client
        .send_request(http2_request(&endpoint, "converse-stream"))
        .await
        .unwrap();
    assert_eq!(endpoint.stats().in_flight, 1);
    drop(answer);
    idle(&endpoint).await;
    assert_eq!(endpoint.stats().max_in_flight, 2);
}

#[tokio::test]
async fn shutdown_lets_a_running_answer_finish() {
    let endpoint = endpoint([Step::Say(vec![text("one"), gate("a"), text("two")])]).await;
    let mut tcp = open(&endpoint, "converse-stream").await;
    read(&mut tcp, "\"one\"").await;
    let gates = endpoint.gates().clone();
    let closing = tokio::spawn(endpoint.shutdown());
    gates.open("a");
    read(&mut tcp, "\r\n0\r\n\r\n").await;
    closing.await.unwrap();
}
