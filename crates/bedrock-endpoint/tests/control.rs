//! The control API on a socket: gates and events.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod socket;

use bedrock_emulator::script::{Piece, Step};
use bedrock_endpoint::Endpoint;
use socket::{converse, endpoint, send};
use tokio::net::TcpStream;

/// Reads until the answer contains `end`, or to its end.
async fn read(tcp: &mut TcpStream, end: &str) -> String {
    let text = socket::read(tcp, |text| !end.is_empty() && text.contains(end)).await;
    assert!(text.contains(end), "no {end:?} in {text}");
    text
}

async fn control(endpoint: &Endpoint, method: &str, path: &str) -> String {
    let path = format!("/_workshop/{path}");
    read(&mut send(endpoint, method, &path, "", "").await, "").await
}

#[tokio::test]
async fn gates_are_listed_opened_and_closed() {
    let endpoint = endpoint().await;
    let held = || {
        Step::Say(vec![
            Piece::Gate("go on".to_owned()),
            Piece::Text("Through.".to_owned()),
        ])
    };
    endpoint.emulator().script([held()]);
    let mut waiting = converse(&endpoint).await;
    let mut gates = String::new();
    while !gates.contains("waiting\":1") {
        gates = control(&endpoint, "GET", "gates").await;
    }
    assert!(gates.contains(r#""name":"go on","open":false"#), "{gates}");
    let opened = control(&endpoint, "POST", "gates/go%20on").await;
    assert!(opened.contains(r#""open":true"#), "{opened}");
    assert!(read(&mut waiting, "").await.contains("Through."));
    let closed = control(&endpoint, "DELETE", "gates/go%20on").await;
    assert!(closed.contains(r#""open":false"#), "{closed}");
    assert!(
        control(&endpoint, "GET", "gates")
            .await
            .ends_with(r#"{"gates":[]}"#)
    );

    control(&endpoint, "POST", "gates/x").await;
    control(&endpoint, "POST", "reset").await;
    assert!(
        control(&endpoint, "GET", "gates")
            .await
            .ends_with(r#"{"gates":[]}"#)
    );
    let strange = control(&endpoint, "POST", "gates/x?account=1").await;
    assert!(strange.starts_with("HTTP/1.1 404"), "{strange}");
}

#[tokio::test]
async fn events_tell_requests_and_what_they_lit_and_resume() {
    let endpoint = endpoint().await;
    let mut feed = send(&endpoint, "GET", "/_workshop/events", "", "").await;
    let head = read(&mut feed, ": the journal").await;
    assert!(head.contains("Content-Type: text/event-stream"), "{head}");
    read(&mut converse(&endpoint).await, "").await;
    let first = read(&mut feed, "event: request\n").await;
    assert!(
        first.contains("event: trace\ndata: {\"node\":\"CC\""),
        "{first}"
    );
    assert!(first.contains("id: 1\nevent: request\n"), "{first}");
    drop(feed);
    read(&mut converse(&endpoint).await, "").await;
    let resume = "Last-Event-ID: 1\r\n";
    let mut feed = send(&endpoint, "GET", "/_workshop/events", resume, "").await;
    let missed = read(&mut feed, "id: 2\n").await;
    assert!(!missed.contains("id: 1\n"), "{missed}");
    read(&mut converse(&endpoint).await, "").await;
    let live = read(&mut feed, "id: 3\n").await;
    assert!(!live.contains("id: 2\n"), "{live}");
    assert_eq!(
        endpoint.stats().in_flight,
        0,
        "a feed is no request in flight"
    );
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_events() {
    let endpoint = endpoint().await;
    for path in ["events", "gates", "status"] {
        let path = format!("/_workshop/{path}");
        let origin = "Origin: https://evil.example\r\n";
        let mut tcp = send(&endpoint, "GET", &path, origin, "").await;
        let refused = read(&mut tcp, "").await;
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    }
}
