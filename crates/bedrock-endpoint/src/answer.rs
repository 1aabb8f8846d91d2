//! One request: read it whole, hand it to the core, send the answer when it is due.

use std::{cell::RefCell, io, sync::Arc, time::Duration};

use bedrock_emulator::{
    Begun, Body as ReplyBody, Headers, Reply, Request as CoreRequest, Waiting, wire::Header,
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Version,
    body::Incoming,
    header::{CONNECTION, CONTENT_LENGTH, DATE, HOST, HeaderValue, TRANSFER_ENCODING},
    http::request::Parts,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::{sync::Notify, time::Instant};

use crate::{
    control::{self, Control},
    idle::Activity,
    pace::{Clock, Departure, Paced},
    serve::{BODY_MAX, InFlight, Shared},
    spelling::header_name,
};

/// Bodies beyond this are parsed and hashed on a thread of their own, so that other streams keep
/// their pace.
const INLINE_MAX: usize = 256 * 1024;

/// Bodies up to this are copied out of the read buffer; longer ones fill most of theirs.
const COPY_MAX: usize = 64 * 1024;

/// See [`Departure::settle`].
const SETTLE_HTTP2: Duration = Duration::from_millis(20);

/// What a request needs to know about its connection.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: u64,
    /// Whether the peer is on this machine.
    pub(crate) local: bool,
    pub(crate) flushed: Arc<Notify>,
    pub(crate) activity: Arc<Activity>,
}

/// What the framing of an answer depends on.
#[derive(Clone, Copy)]
struct Message {
    version: Version,
    /// Whether the client wants to send more on this connection; hyper closes it if not.
    keep_alive: bool,
}

impl Message {
    fn of(parts: &Parts) -> Self {
        let close = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
        Self {
            version: parts.version,
            keep_alive: !parts.headers.get_all(CONNECTION).iter().any(close),
        }
    }
}

/// Answers one request. An `Err` closes the connection (HTTP/2: resets the stream) unanswered.
pub(crate) async fn answer(
    request: Request<Incoming>,
    connection: Connection,
) -> Result<Response<Paced>, io::Error> {
    let busy = connection.activity.begin();
    let mut response = reply(request, connection).await?;
    response.body_mut().keep_busy(busy);
    Ok(response)
}

async fn reply(
    request: Request<Incoming>,
    connection: Connection,
) -> Result<Response<Paced>, io::Error> {
    let in_flight = connection.shared.enter();
    let (parts, body) = request.into_parts();
    let message = Message::of(&parts);
    let body = read(body, connection.shared.patience.body).await;
    let clock = Clock {
        since: Instant::now(),
        gates: connection.shared.gates.clone(),
    };
    let number = connection.number;
    let reply = match body {
        Ok(bytes) => {
            let request = core_request(&parts, bytes, number);
            match intercept(&request, &connection) {
                Control::Reply(reply) => reply,
                Control::Events(events) => {
                    // It lasts as long as its reader likes: nothing to wait for.
                    drop(in_flight);
                    let head = control::events_head(&connection.shared);
                    let body = Paced::live(events, clock, None);
                    let (status, headers) = (head.status, head.headers);
                    return Ok(response(status, headers, None, body, message, &connection));
                }
                #[cfg(feature = "upstream")]
                Control::Core if connection.shared.upstream.is_some() => {
                    return ask(request, message, &connection, clock, in_flight).await;
                }
                Control::Core => handle(request, &connection).await?,
            }
        }
        Err(Unread::TooLarge) => {
            let request = core_request(&parts, Bytes::new(), number);
            connection.shared.refuse_too_large(request)
        }
        Err(Unread::Broken(error)) => return Err(error),
    };
    respond(reply, message, &connection, clock, in_flight).await
}

fn intercept(request: &CoreRequest, connection: &Connection) -> Control {
    if request
        .target
        .starts_with(bedrock_emulator::control::PREFIX)
    {
        control::answer(&connection.shared, request, connection.local)
    } else {
        Control::Core
    }
}

enum Unread {
    TooLarge,
    Broken(io::Error),
}

async fn read(body: Incoming, patience: Duration) -> Result<Bytes, Unread> {
    let whole = Limited::new(body, BODY_MAX).collect();
    match tokio::time::timeout(patience, whole).await {
        Ok(Ok(whole)) => Ok(compact(whole.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(error)) => Err(Unread::Broken(io::Error::other(error))),
        Err(_) => Err(Unread::Broken(io::ErrorKind::TimedOut.into())),
    }
}

/// A short body is a slice of the connection's read buffer, and whoever keeps it (the journal does)
/// keeps all of that buffer.
fn compact(body: Bytes) -> Bytes {
    if body.len() <= COPY_MAX {
        return Bytes::copy_from_slice(&body);
    }
    body
}

fn core_request(parts: &Parts, body: Bytes, connection: u64) -> CoreRequest {
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    CoreRequest {
        method: parts.method.to_string(),
        target: target.to_owned(),
        headers: headers(parts),
        body,
        connection,
    }
}

/// Lower-case names in order of arrival; HTTP/2's `:authority` becomes `host`, as `SigV4` signs it.
fn headers(parts: &Parts) -> Headers {
    let authority = parts
        .uri
        .authority()
        .filter(|_| !parts.headers.contains_key(HOST));
    let sizes = parts.headers.iter();
    let bytes = sizes.map(|(name, value)| name.as_str().len() + value.len());
    let mut headers = Headers::with_capacity(parts.headers.len() + 1, bytes.sum());
    if let Some(authority) = authority {
        headers.push(("host", authority.as_str()));
    }
    for (name, value) in &parts.headers {
        let value = match std::str::from_utf8(value.as_bytes()) {
            Ok(value) => value.into(),
            Err(_) => String::from_utf8_lossy(value.as_bytes()),
        };
        headers.push((name.as_str(), value));
    }
    headers
}

async fn handle(request: CoreRequest, connection: &Connection) -> Result<Reply, io::Error> {
    let shared = &connection.shared;
    let begun = if request.body.len() <= INLINE_MAX {
        shared.receive(request)
    } else {
        let shared = Arc::clone(shared);
        let begun = tokio::task::spawn_blocking(move || shared.receive(request));
        begun.await.map_err(io::Error::other)?
    };
    Ok(match begun {
        Begun::Reply(reply) => reply,
        Begun::Wait(waiting) => wait(*waiting, connection).await,
        // Nobody was told that another model may be asked.
        Begun::Ask(question) => question.fall_back("no other model is configured"),
    })
}

/// For a service beside Bedrock that takes its time; dropped when the client leaves.
async fn wait(waiting: Waiting, connection: &Connection) -> Reply {
    let reply = waiting.reply().await;
    connection.shared.tell(&reply);
    reply
}

/// The same when another model may be asked for the words.
#[cfg(feature = "upstream")]
async fn ask(
    request: CoreRequest,
    message: Message,
    connection: &Connection,
    clock: Clock,
    in_flight: InFlight,
) -> Result<Response<Paced>, io::Error> {
    use crate::upstream::Asked;

    let shared = Arc::clone(&connection.shared);
    let begun = tokio::task::spawn_blocking(move || shared.begin(request));
    let question = match begun.await.map_err(io::Error::other)? {
        Begun::Reply(reply) => return respond(reply, message, connection, clock, in_flight).await,
        Begun::Wait(waiting) => {
            let reply = wait(*waiting, connection).await;
            return respond(reply, message, connection, clock, in_flight).await;
        }
        Begun::Ask(question) => question,
    };
    let Some(upstream) = &connection.shared.upstream else {
        let reply = question.fall_back("no other model is configured");
        return respond(reply, message, connection, clock, in_flight).await;
    };
    match upstream
        .ask(question, clock.since, &connection.shared)
        .await
    {
        Asked::Reply(reply) => respond(reply, message, connection, clock, in_flight).await,
        Asked::Stream { headers, frames } => {
            let body = Paced::live(frames, clock, Some(in_flight));
            Ok(response(200, headers, None, body, message, connection))
        }
    }
}

async fn respond(
    reply: Reply,
    message: Message,
    connection: &Connection,
    clock: Clock,
    in_flight: InFlight,
) -> Result<Response<Paced>, io::Error> {
    let (body, length) = match reply.body {
        ReplyBody::Whole { due, bytes } => {
            clock.clone().wait(due).await;
            let length = Some(bytes.len());
            (Paced::whole(bytes, clock, Some(in_flight)), length)
        }
        ReplyBody::Disconnect { due } => {
            clock.wait(due).await;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        ReplyBody::Frames { frames, end } => {
            let departure = Departure {
                flushed: Arc::clone(&connection.flushed),
                settle: if message.version == Version::HTTP_2 {
                    SETTLE_HTTP2
                } else {
                    Duration::ZERO
                },
            };
            let body = Paced::frames(frames, end, departure, clock, in_flight);
            (body, None)
        }
    };
    Ok(response(
        reply.status,
        reply.headers,
        length,
        body,
        message,
        connection,
    ))
}

/// Puts the headers in the order recorded from Bedrock: `Date`, `Content-Type`, `Content-Length`
/// or `Transfer-Encoding`, `Connection`, then `x-amzn-RequestId` and the rest.
fn response(
    status: u16,
    mut headers: Vec<Header>,
    length: Option<usize>,
    body: Paced,
    message: Message,
    connection: &Connection,
) -> Response<Paced> {
    let mut ordered = HeaderMap::with_capacity(headers.len() + 3);
    // The core's time: the SDKs sign with their own plus what this header is ahead of it.
    ordered.insert(DATE, date(connection.shared.clock.now()));
    let is_content_type = |(name, _): &Header| name.eq_ignore_ascii_case("content-type");
    let content_type = headers.iter().position(is_content_type);
    extend(&mut ordered, content_type.map(|at| headers.remove(at)));
    if let Some(length) = length {
        ordered.insert(CONTENT_LENGTH, length.into());
    }
    // HTTP/2 knows neither, and HTTP/1.0 no chunks.
    if message.version == Version::HTTP_11 {
        if length.is_none() {
            ordered.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if message.keep_alive {
            ordered.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        }
    }
    extend(&mut ordered, headers);
    let mut response = Response::new(body);
    // The core answers with valid codes only; anything else would be our bug and looks like one.
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.extensions_mut() = connection.shared.spelling.of(status, ordered.len());
    *response.headers_mut() = ordered;
    response
}

fn extend(map: &mut HeaderMap, headers: impl IntoIterator<Item = Header>) {
    for (name, value) in headers {
        // A value that HTTP forbids (a line break in a message) cannot be sent; the rest can.
        if let (Some(name), Ok(value)) = (header_name(&name), HeaderValue::try_from(value)) {
            map.append(name, value);
        }
    }
}

/// The time as HTTP writes it, made once a second on each thread.
fn date(now: OffsetDateTime) -> HeaderValue {
    thread_local! {
        static LAST: RefCell<(i64, HeaderValue)> =
            const { RefCell::new((i64::MIN, HeaderValue::from_static(""))) };
    }
    LAST.with_borrow_mut(|(second, date)| {
        if *second != now.unix_timestamp() {
            *second = now.unix_timestamp();
            *date = format_date(now);
        }
        date.clone()
    })
}

/// HTTP's date is RFC 2822's with the zone's name.
fn format_date(now: OffsetDateTime) -> HeaderValue {
    let text = now.format(&Rfc2822).unwrap_or_default();
    HeaderValue::from_str(&text.replace("+0000", "GMT")).unwrap_or(HeaderValue::from_static(""))
}
