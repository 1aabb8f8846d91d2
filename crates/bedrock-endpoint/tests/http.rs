//! HTTP on the wire: raw sockets where bytes matter, a hyper client for HTTP/2.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bedrock_emulator::{
    Config, Emulator, Request,
    emulator::{Auth, Latency},
};
use bedrock_endpoint::{BODY_MAX, Endpoint, Hooks};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A wrong endpoint could hang; then this test fails instead.
const LIMIT: Duration = Duration::from_secs(10);

/// An endpoint that keeps what the core was given.
async fn endpoint() -> (Endpoint, Arc<Mutex<Vec<Request>>>) {
    let config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        ..Config::default()
    };
    let emulator = Arc::new(Emulator::new(config).unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let hooks = Hooks {
        before: Some(Box::new(move |request| {
            keep.lock().unwrap().push(request.clone());
        })),
        ..Hooks::default()
    };
    let loopback = ([127, 0, 0, 1], 0).into();
    let endpoint = Endpoint::bind_with(loopback, emulator, hooks).await;
    (endpoint.unwrap(), seen)
}

/// Sends `request` and reads until the server closes.
async fn exchange(addr: SocketAddr, request: &[u8]) -> String {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(LIMIT, tcp.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection")
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// One answer with a `Content-Length` from a connection that stays open.
async fn answer(tcp: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Some((_, length)) = head.split_once("Content-Length: ")
            && body.len() == length.lines().next().unwrap().parse::<usize>().unwrap()
        {
            return text;
        }
        let mut some = [0; 4096];
        let read = tokio::time::timeout(LIMIT, tcp.read(&mut some));
        let n = read.await.expect("an answer").unwrap();
        assert_ne!(n, 0, "closed after {text}");
        answer.extend_from_slice(&some[..n]);
    }
}

#[tokio::test]
async fn http1_reaches_the_core_as_it_was_sent() {
    let (endpoint, seen) = endpoint().await;
    let answer = exchange(
        endpoint.addr(),
        b"POST /model/a%3A0%2Fb/converse?x=%20y HTTP/1.1\r\nHost: example.test\r\nX-Two: 2\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    let seen = seen.lock().unwrap();
    let request = &seen[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, "/model/a%3A0%2Fb/converse?x=%20y");
    assert_eq!(request.header("host"), Some("example.test"));
    assert_eq!(request.header("x-two"), Some("2"));
    assert_eq!(request.body, "{}");
    assert_eq!(request.connection, 1);
}

#[tokio::test]
async fn http2_on_the_same_port_gives_the_authority_as_host() {
    let (endpoint, seen) = endpoint().await;
    let tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tcp))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::post(format!("{}/model/a%3A0%2Fb/converse", endpoint.url()))
        .body(Full::new(Bytes::from_static(b"{}")))
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    assert!(!answer.headers().contains_key("connection"));
    answer.into_body().collect().await.unwrap();
    {
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0].target, "/model/a%3A0%2Fb/converse");
        assert_eq!(
            seen[0].header("host"),
            Some(endpoint.addr().to_string().as_str())
        );
        assert_eq!(seen[0].body, "{}");
    }
    connection.abort();
}

#[tokio::test]
async fn a_connection_is_kept_and_counted_once() {
    let (endpoint, seen) = endpoint().await;
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    for _ in 0..3 {
        tcp.write_all(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let answer = answer(&mut tcp).await;
        assert!(
            answer.contains("\r\nConnection: keep-alive\r\n"),
            "{answer}"
        );
    }
    let mut other = TcpStream::connect(endpoint.addr()).await.unwrap();
    other
        .write_all(b"GET /two HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    answer(&mut other).await;
    assert_eq!(endpoint.stats().connections, 2);
    assert_eq!(endpoint.stats().max_in_flight, 1);
    let seen = seen.lock().unwrap();
    let connections: Vec<u64> = seen.iter().map(|r| r.connection).collect();
    assert_eq!(connections, [1, 1, 1, 2]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_words() {
    let (endpoint, seen) = endpoint().await;
    let head = format!(
        "POST /model/x/converse HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        BODY_MAX + 1
    );
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.write_all(&vec![b' '; BODY_MAX + 1]).await.unwrap();
    let answer = answer(&mut tcp).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("\r\nx-amzn-ErrorType: RequestEntityTooLargeException:"),
        "{answer}"
    );
    assert!(
        answer.ends_with(r#"{"message":"the request body is larger than 25000000 bytes"}"#),
        "{answer}"
    );
    assert!(seen.lock().unwrap().is_empty());
    let journal = endpoint.emulator().journal();
    assert_eq!(journal[0].status, 413);
    assert_eq!(journal[0].operation.as_deref(), Some("Converse"));
}

#[tokio::test]
async fn garbage_is_answered_and_harms_nobody() {
    let (endpoint, _) = endpoint().await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"\r\n\r\n\r\n\0\0\0\r\n\r\n",
    ] {
        let answer = exchange(endpoint.addr(), garbage).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
    }
    // A preface of HTTP/2 and then nonsense.
    exchange(
        endpoint.addr(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense",
    )
    .await;
    // A client that leaves in the middle of its head, and one that says nothing.
    for half in [&b"POST / HT"[..], b""] {
        let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
        tcp.write_all(half).await.unwrap();
    }
    let fine = exchange(
        endpoint.addr(),
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(fine.await.starts_with("HTTP/1.1 "));
}

#[tokio::test]
async fn shutdown_and_drop_close_every_connection() {
    let (endpoint, _) = endpoint().await;
    let mut idle = TcpStream::connect(endpoint.addr()).await.unwrap();
    idle.write_all(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    answer(&mut idle).await;
    endpoint.shutdown().await;
    closed(idle).await;

    let (endpoint, _) = self::endpoint().await;
    let mut idle = TcpStream::connect(endpoint.addr()).await.unwrap();
    idle.write_all(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    answer(&mut idle).await;
    drop(endpoint);
    closed(idle).await;
}

async fn closed(mut tcp: TcpStream) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(LIMIT, tcp.read_to_end(&mut rest)).await;
    assert_eq!(end.expect("the connection is closed").unwrap_or(0), 0);
}
