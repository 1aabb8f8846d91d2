//! Asks the emulator beside the site, over its socket and signed, as any client would. So what is
//! asked here stands in the journal, lights the diagrams and meets the same faults.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bedrock_emulator::{Headers, Request, sign};
use bedrock_endpoint::Endpoint;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use time::OffsetDateTime;
use tokio::{net::TcpStream, time::timeout};

/// How long the emulator may be silent. A script can make it hang; a page must not.
pub const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nobody listens there, or the connection broke before an answer.
    #[error("the emulator closed the connection without an answer")]
    Closed,
    /// It hangs.
    #[error("the emulator sent nothing for {} seconds", SILENCE_MAX.as_secs())]
    Silent,
    /// What was to be sent is no HTTP request.
    #[error("this cannot be sent as an HTTP request: {0}")]
    Malformed(String),
}

/// A request that is ready to be sent: signed with the emulator's first key pair.
pub fn signed<'h>(
    endpoint: &Endpoint,
    method: &str,
    target: &str,
    headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    body: Bytes,
    scope: (&str, &str),
) -> Request {
    let mut all = Headers::default();
    all.push(("host", address(endpoint).to_string()));
    all.extend(headers);
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: all,
        body,
        connection: 0,
    };
    if let Some(credential) = endpoint.emulator().config().credentials.first() {
        let (region, service) = scope;
        sign(
            &mut request,
            credential,
            region,
            service,
            OffsetDateTime::now_utc(),
        );
    }
    request
}

/// The request as it goes out, its signature left out.
pub fn on_the_wire(request: &Request) -> String {
    let mut text = format!("{} {} HTTP/1.1\n", request.method, request.target);
    for header in request.headers.iter() {
        let (name, value) = bedrock_emulator::journal::redacted(header);
        let _ = writeln!(text, "{name}: {value}");
    }
    let _ = write!(text, "content-length: {}\n\n", request.body.len());
    text.push_str(&String::from_utf8_lossy(&request.body));
    text
}

/// Sends it. The answer's body comes when it comes.
pub async fn send(endpoint: &Endpoint, request: &Request) -> Result<Response<Incoming>, AskError> {
    let mut builder = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(request.target.as_str());
    for (name, value) in request.headers.iter() {
        builder = builder.header(name, value);
    }
    let outgoing = builder
        .body(Full::new(request.body.clone()))
        .map_err(|error| AskError::Malformed(error.to_string()))?;
    let stream = TcpStream::connect(address(endpoint)).await;
    let stream = TokioIo::new(stream.map_err(|_| AskError::Closed)?);
    let (mut sender, connection) = http1::handshake(stream)
        .await
        .map_err(|_| AskError::Closed)?;
    // It ends with the answer's body; how it ended, the body tells.
    tokio::spawn(connection);
    let answer = timeout(SILENCE_MAX, sender.send_request(outgoing)).await;
    answer
        .map_err(|_| AskError::Silent)?
        .map_err(|_| AskError::Closed)
}

/// Sends it and waits for the end of the answer.
pub async fn whole(endpoint: &Endpoint, request: &Request) -> Result<(u16, Bytes), AskError> {
    let answer = send(endpoint, request).await?;
    let status = answer.status().as_u16();
    let body = timeout(SILENCE_MAX, answer.into_body().collect()).await;
    let body = body.map_err(|_| AskError::Silent)?;
    // A cut stream is an answer too; what came of it is in the journal.
    Ok((status, body.map(Collected::to_bytes).unwrap_or_default()))
}

/// Where this machine reaches the emulator.
fn address(endpoint: &Endpoint) -> SocketAddr {
    let mut addr = endpoint.addr();
    if addr.ip().is_unspecified() {
        addr.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    addr
}
