//! Clients that misbehave, on purpose or not: each is answered or closed, and the others never
//! notice.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
    script::{Piece, Step},
};
use bedrock_endpoint::{Endpoint, Patience, Setup};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A wrong endpoint could hang; then a test fails instead.
const LIMIT: Duration = Duration::from_secs(20);

/// So impatient that a test need not wait.
fn impatient() -> Patience {
    Patience {
        idle: Duration::from_millis(100),
        body: Duration::from_millis(100),
        stall: Duration::from_millis(100),
        ..Patience::default()
    }
}

async fn endpoint(patience: Patience, steps: Vec<Step>) -> Endpoint {
    let config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        ..Config::default()
    };
    let emulator = Arc::new(Emulator::new(config).unwrap());
    emulator.script(steps);
    let setup = Setup {
        patience,
        ..Setup::default()
    };
    let loopback = ([127, 0, 0, 1], 0).into();
    Endpoint::open(loopback, emulator, setup).await.unwrap()
}

async fn connect(endpoint: &Endpoint) -> TcpStream {
    TcpStream::connect(endpoint.addr()).await.unwrap()
}

/// What arrives until the server closes.
async fn rest(tcp: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let end = timeout(LIMIT, tcp.read_to_end(&mut bytes)).await;
    // A reset is a way to close, too.
    let _ = end.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// That an ordinary request is still answered.
async fn serves(endpoint: &Endpoint) {
    let mut tcp = connect(endpoint).await;
    tcp.write_all(b"GET /_workshop/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut tcp).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

fn converse(endpoint: &Endpoint, verb: &str, body: &str) -> String {
    let catalogue = endpoint.emulator().catalogue();
    let model = catalogue.by_alias("haiku").unwrap();
    let model = catalogue.profile_id(model, "us-east-1").unwrap();
    format!(
        "POST /model/{}/{verb} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        model.replace(':', "%3A"),
        body.len()
    )
}

#[tokio::test]
async fn a_head_that_never_ends_is_let_go() {
    let endpoint = endpoint(impatient(), Vec::new()).await;
    let mut silent = connect(&endpoint).await;
    let mut slow = connect(&endpoint).await;
    slow.write_all(b"POST /model/x/converse HTTP/1.1\r\nHost: x\r\nX-A: ")
        .await
        .unwrap();
    assert_eq!(rest(&mut silent).await, "");
    let answer = rest(&mut slow).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
        "{answer}"
    );
    serves(&endpoint).await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_let_go() {
    let endpoint = endpoint(impatient(), Vec::new()).await;
    let mut slow = connect(&endpoint).await;
    slow.write_all(b"POST /model/x/converse HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        .await
        .unwrap();
    assert_eq!(rest(&mut slow).await, "");
    assert_eq!(endpoint.stats().in_flight, 0);
    serves(&endpoint).await;
}

#[tokio::test]
async fn a_client_that_says_it_is_done_still_gets_its_answer() {
    let endpoint = endpoint(Patience::default(), vec![Step::text("hello")]).await;
    let body = r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#;
    let mut tcp = connect(&endpoint).await;
    tcp.write_all(converse(&endpoint, "converse-stream", body).as_bytes())
        .await
        .unwrap();
    tcp.shutdown().await.unwrap();
    let answer = rest(&mut tcp).await;
    assert!(
        answer.contains("hello") && answer.contains("metadata"),
        "{answer}"
    );
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let endpoint = endpoint(Patience::default(), Vec::new()).await;
    let many = (0..500).fold(String::new(), |text, n| text + &format!("X-{n}: {n}\r\n"));
    let long = format!("X-Long: {}\r\n", "a".repeat(1_000_000));
    for flood in [many, long] {
        let mut tcp = connect(&endpoint).await;
        let request = format!("GET /_workshop/health HTTP/1.1\r\nHost: x\r\n{flood}\r\n");
        // The server may close before it has read all of it.
        let _ = tcp.write_all(request.as_bytes()).await;
        let answer = rest(&mut tcp).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }
    serves(&endpoint).await;
}

#[tokio::test]
async fn deep_json_is_answered() {
    let endpoint = endpoint(Patience::default(), Vec::new()).await;
    for body in [
        "[".repeat(100_000),
        format!("{}1{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000)),
        format!(
            r#"{{"messages":[{{"role":"user","content":[{{"text":"hi"}}]}}],"additionalModelRequestFields":{}{}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        ),
    ] {
        for verb in ["converse", "invoke", "count-tokens"] {
            let mut tcp = connect(&endpoint).await;
            tcp.write_all(converse(&endpoint, verb, &body).as_bytes())
                .await
                .unwrap();
            let answer = rest(&mut tcp).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{verb}: {answer:.200}");
        }
    }
    serves(&endpoint).await;
}

#[tokio::test]
async fn the_largest_body_is_read_and_one_more_byte_is_not() {
    let endpoint = endpoint(Patience::default(), Vec::new()).await;
    let text = "word ".repeat(bedrock_endpoint::BODY_MAX / 5);
    let frame = r#"{"messages":[{"role":"user","content":[{"text":""}]}]}"#.len();
    for (extra, status) in [(0, "HTTP/1.1 400 "), (1, "HTTP/1.1 413 ")] {
        let text = &text[..bedrock_endpoint::BODY_MAX - frame + extra.min(frame)];
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"{text}"}}]}}]}}"#);
        let mut tcp = connect(&endpoint).await;
        tcp.write_all(converse(&endpoint, "converse", &body).as_bytes())
            .await
            .unwrap();
        let answer = rest(&mut tcp).await;
        // Five million tokens fit into no model.
        assert!(answer.starts_with(status), "{answer:.300}");
    }
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let patience = Patience {
        connections: 50,
        idle: Duration::from_millis(300),
        ..Patience::default()
    };
    let endpoint = endpoint(patience, Vec::new()).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(connect(&endpoint).await);
    }
    // All places are taken; the idle ones lose theirs.
    serves(&endpoint).await;
    for tcp in &mut idle {
        assert_eq!(rest(tcp).await, "");
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    let text = "a long answer that fills every buffer on its way ".repeat(400_000);
    let endpoint = endpoint(
        impatient(),
        vec![Step::Say(vec![
            Piece::Text(text),
            Piece::Stop("end_turn".to_owned()),
        ])],
    )
    .await;
    let body = r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#;
    let mut tcp = connect(&endpoint).await;
    tcp.write_all(converse(&endpoint, "converse", body).as_bytes())
        .await
        .unwrap();
    let gone = async {
        while endpoint.stats().connections == 0 || endpoint.stats().in_flight > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, gone).await.expect("the answer is given up");
    serves(&endpoint).await;
}
