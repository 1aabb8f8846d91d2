//! An endpoint, requests written on a socket, and answers read from it as they come.

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
};
use bedrock_endpoint::Endpoint;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A wrong endpoint could hang; then this test fails instead.
const LIMIT: Duration = Duration::from_secs(10);

/// An endpoint that asks for no signature and answers without delay.
pub(crate) async fn endpoint() -> Endpoint {
    let config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        ..Config::default()
    };
    let emulator = Arc::new(Emulator::new(config).unwrap());
    let loopback = ([127, 0, 0, 1], 0).into();
    Endpoint::bind(loopback, emulator).await.unwrap()
}

/// Sends a request; `more` are header lines with their ends.
pub(crate) async fn send(
    endpoint: &Endpoint,
    method: &str,
    path: &str,
    more: &str,
    body: &str,
) -> TcpStream {
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{more}\r\n{body}"
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    tcp
}

/// Sends a request to a model; the answer is still to be read.
pub(crate) async fn converse(endpoint: &Endpoint) -> TcpStream {
    let catalogue = endpoint.emulator().catalogue();
    let model = catalogue.by_alias("haiku").unwrap();
    let profile = catalogue.profile_id(model, "us-east-1").unwrap();
    let path = format!("/model/{}/converse", profile.replace(':', "%3A"));
    let body = r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#;
    send(endpoint, "POST", &path, "", body).await
}

/// Reads until `enough`, or to the end.
pub(crate) async fn read(tcp: &mut TcpStream, enough: impl Fn(&str) -> bool) -> String {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if enough(&text) {
            return text;
        }
        let mut some = [0; 4096];
        let read = tokio::time::timeout(LIMIT, tcp.read(&mut some)).await;
        match read.unwrap_or_else(|_| panic!("no more after {text}")) {
            Ok(1..) if all.len() > 1_000_000 => panic!("too much"),
            Ok(0) => return text,
            Ok(n) => all.extend_from_slice(&some[..n]),
            Err(error) => panic!("{error} after {text}"),
        }
    }
}
