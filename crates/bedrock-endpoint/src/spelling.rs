//! Header names on HTTP/1.1 in the letter case that Bedrock uses (recorded: `Content-Type`, but
//! `x-amzn-RequestId`).
//!
//! hyper writes names in lower case, or Title-Case on request. Any other spelling it only forwards
//! from a message that it has parsed itself, in a private extension. So it is given one small
//! message to parse, in memory, and the extension is kept and put on every response. HTTP/2 has
//! lower-case names only and ignores it.

use std::convert::Infallible;

use hyper::{
    Request, Response,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderName},
    http::Extensions,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncWriteExt, sync::mpsc};

/// The name of a successful answer that Bedrock spells neither lower-case nor Title-Case.
const OF_AN_ANSWER: &str = "GET / HTTP/1.1\r\n\
    x-amzn-RequestId: 1\r\n\r\n";

/// Of an answer that counts tokens also the long ones: hyper copies a spelling faster than it makes one.
const OF_A_COUNT: &str = "GET / HTTP/1.1\r\n\
    x-amzn-RequestId: 1\r\n\
    X-Amzn-Bedrock-Invocation-Latency: 1\r\n\
    X-Amzn-Bedrock-Cache-Write-Input-Token-Count: 1\r\n\
    X-Amzn-Bedrock-Cache-Read-Input-Token-Count: 1\r\n\
    X-Amzn-Bedrock-Output-Token-Count: 1\r\n\
    X-Amzn-Bedrock-Input-Token-Count: 1\r\n\r\n";

/// Those of a refusal.
const OF_A_REFUSAL: &str = "GET / HTTP/1.1\r\n\
    x-amzn-RequestId: 1\r\n\
    x-amzn-ErrorType: 1\r\n\
    x-amz-retry-after: 1\r\n\r\n";

/// The names that most answers have, as the core spells them and as hyper wants them.
static NAMES: [(&str, HeaderName); 7] = [
    ("Content-Type", CONTENT_TYPE),
    (
        "x-amzn-RequestId",
        HeaderName::from_static("x-amzn-requestid"),
    ),
    (
        "X-Amzn-Bedrock-Invocation-Latency",
        HeaderName::from_static("x-amzn-bedrock-invocation-latency"),
    ),
    (
        "X-Amzn-Bedrock-Cache-Write-Input-Token-Count",
        HeaderName::from_static("x-amzn-bedrock-cache-write-input-token-count"),
    ),
    (
        "X-Amzn-Bedrock-Cache-Read-Input-Token-Count",
        HeaderName::from_static("x-amzn-bedrock-cache-read-input-token-count"),
    ),
    (
        "X-Amzn-Bedrock-Output-Token-Count",
        HeaderName::from_static("x-amzn-bedrock-output-token-count"),
    ),
    (
        "X-Amzn-Bedrock-Input-Token-Count",
        HeaderName::from_static("x-amzn-bedrock-input-token-count"),
    ),
];

/// A header's name; `None` if HTTP forbids it. The usual ones need not be read or copied.
pub(crate) fn header_name(name: &str) -> Option<HeaderName> {
    let usual = NAMES.iter().find(|(spelled, _)| *spelled == name);
    match usual {
        Some((_, name)) => Some(name.clone()),
        None => HeaderName::from_bytes(name.as_bytes()).ok(),
    }
}

/// The extensions that make hyper spell those names as Bedrock does.
#[derive(Debug)]
pub(crate) struct Spelling {
    answer: Extensions,
    count: Extensions,
    refusal: Extensions,
}

impl Spelling {
    /// Were hyper to stop forwarding spellings, the names would go out in Title-Case; a test notices.
    pub(crate) async fn learn() -> Self {
        Self {
            answer: parsed(OF_AN_ANSWER).await,
            count: parsed(OF_A_COUNT).await,
            refusal: parsed(OF_A_REFUSAL).await,
        }
    }

    /// A copy for one response with so many headers, and with hardly more names than it has: a copy
    /// costs by the name.
    pub(crate) fn of(&self, status: u16, headers: usize) -> Extensions {
        /// What an answer has without counts: five, and one that some operations add.
        const FEW: usize = 6;
        match status {
            400.. => self.refusal.clone(),
            _ if headers > FEW => self.count.clone(),
            _ => self.answer.clone(),
        }
    }
}

/// What hyper notes down about a message.
async fn parsed(message: &'static str) -> Extensions {
    /// For the message, and for hyper's answer to it, which nobody reads.
    const ROOM: usize = 1_024;
    let (mut client, server) = tokio::io::duplex(ROOM);
    let (seen, mut extensions) = mpsc::unbounded_channel();
    // The message fits into the buffer, so this cannot wait or fail.
    let _ = client.write_all(message.as_bytes()).await;
    let read = service_fn(move |request: Request<Incoming>| {
        let _ = seen.send(request.extensions().clone());
        async { Ok::<_, Infallible>(Response::new(String::new())) }
    });
    let _ = client.shutdown().await;
    let _ = http1::Builder::new()
        .preserve_header_case(true)
        .half_close(true)
        .serve_connection(TokioIo::new(server), read)
        .await;
    extensions.try_recv().unwrap_or_default()
}
