//! The recorder: a proxy on loopback that sends requests on with the user's credentials and writes
//! down what came back, and when.

mod send;
mod tee;

use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Exchange, credentials::Credentials, folder, scrub};
use send::Sender;
use tee::{Taken, Tee};

/// The longest request body that is read, in bytes (service model: `InvokeModel`'s body).
const BODY_MAX: usize = 25_000_000;

/// The longest wait for the head of an answer: a model may think for minutes before it answers.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(15);

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Amazon Bedrock in that region; each path to the host that serves it.
    Bedrock {
        /// `us-east-1`, …
        region: String,
    },
    /// Any other address, `http://127.0.0.1:4566`.
    Url {
        /// The address before the path.
        url: String,
        /// The region to sign for.
        region: String,
    },
}

/// What the recorder does.
pub struct Setup {
    /// Where requests go.
    pub destination: Destination,
    /// What they are signed with; none: they go as they are, without the client's signature.
    pub credentials: Option<Credentials>,
    /// The folder that recordings are added to.
    pub folder: PathBuf,
    /// Account ids in ARNs stay as they are.
    pub keep_account_ids: bool,
    /// More requests than these are refused before they leave.
    pub requests_max: Option<u32>,
    /// Told what happens.
    pub tell: Box<dyn Fn(Event) + Send + Sync>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("destination", &self.destination)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is in the folder.
    Recorded {
        /// The recording's name.
        name: String,
        /// The status answered.
        status: u16,
    },
    /// It is not, and why.
    NotRecorded(String),
}

/// The recorder cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not an address.
    #[error("{0:?} is not an http or https address like http://127.0.0.1:4566")]
    Url(String),
    /// The system's certificate authorities cannot be read.
    #[error("the certificate authorities of this machine cannot be read")]
    Roots(#[source] io::Error),
    /// An API key that cannot be sent.
    #[error("the API key holds a character that cannot be sent")]
    ApiKey,
}

/// A running recorder. Dropping it closes the listener.
#[derive(Debug)]
pub struct Recorder {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Recorder {
    /// Listens on `addr` (port 0 picks a free one). Runs on the tokio runtime it is called on.
    pub async fn bind(addr: SocketAddr, setup: Setup) -> Result<Self, StartError> {
        let sender = Sender::new(&setup.destination, setup.credentials.clone())?;
        let failed = |source| StartError::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            sender,
            sent: AtomicU32::new(0),
            loopback: addr.ip().is_loopback(),
            setup,
        });
        Ok(Self {
            addr,
            accepting: tokio::spawn(accept(listener, shared)),
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What all connections share.
struct Shared {
    setup: Setup,
    sender: Sender,
    sent: AtomicU32,
    loopback: bool,
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborting this task drops the set, and that ends every connection.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((tcp, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let _ = tcp.set_nodelay(true);
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let shared = Arc::clone(&shared);
                        async move { Ok::<_, io::Error>(answer(request, &shared).await) }
                    });
                    let mut http = auto::Builder::new(TokioExecutor::new());
                    http.http1().timer(TokioTimer::new());
                    http.http2().timer(TokioTimer::new());
                    // An error here is the client's.
                    let _ = http.serve_connection(TokioIo::new(tcp), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

type Body = BoxBody<Bytes, hyper::Error>;

async fn answer(request: Request<Incoming>, shared: &Arc<Shared>) -> Response<Body> {
    match pass_on(request, shared).await {
        Ok(response) => response,
        Err(Refused {
            status,
            code,
            message,
        }) => {
            (shared.setup.tell)(Event::NotRecorded(message.clone()));
            let text = format!("workshop record: {message}");
            let body = serde_json::json!({ "message": text }).to_string();
            let mut response =
                Response::new(Full::from(body).map_err(|never| match never {}).boxed());
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert("x-amzn-errortype", HeaderValue::from_static(code));
            response
        }
    }
}

/// A request that the recorder answers itself.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refused {
    fn bad(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "ValidationException",
            message: message.into(),
        }
    }

    fn upstream(message: String) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "ServiceUnavailableException",
            message,
        }
    }
}

async fn pass_on(
    request: Request<Incoming>,
    shared: &Arc<Shared>,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    if shared.loopback && !from_this_machine(&parts.headers, parts.uri.host()) {
        return Err(Refused {
            status: StatusCode::FORBIDDEN,
            code: "AccessDeniedException",
            message: "a request from a web page, or for another host, is not sent".to_owned(),
        });
    }
    let body = Limited::new(body, BODY_MAX).collect().await;
    let body =
        body.map_err(|error| Refused::bad(format!("the request cannot be read: {error}")))?;
    let body = body.to_bytes();
    if let Some(max) = shared.setup.requests_max
        && shared.sent.fetch_add(1, Ordering::Relaxed) >= max
    {
        return Err(Refused::bad(format!(
            "{max} requests were sent, and no more may be; --max-requests changes that"
        )));
    }
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let started = Instant::now();
    let sent = shared
        .sender
        .send(&parts.method, target, &parts.headers, body.clone());
    let sent = tokio::time::timeout(ANSWER_TIMEOUT, sent).await;
    let (head, answer) = match sent {
        Ok(Ok(answer)) => answer.into_parts(),
        Ok(Err(message)) => return Err(Refused::upstream(message)),
        Err(_) => return Err(Refused::upstream("no answer in fifteen minutes".to_owned())),
    };
    let pairs = |headers: &HeaderMap| -> Vec<(String, String)> {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .iter()
            .map(|(n, v)| (n.to_string(), text(v)))
            .collect()
    };
    let draft = Draft {
        method: parts.method.to_string(),
        target: target.to_owned(),
        request_headers: scrub::request_headers(pairs(&parts.headers)),
        request: body,
        status: head.status.as_u16(),
        headers: scrub::response_headers(spelled(pairs(&head.headers))),
    };
    let shared = Arc::clone(shared);
    let tee = Tee::new(answer, started, move |taken| shared.keep(draft, taken));
    let mut response = Response::new(tee.boxed());
    *response.status_mut() = head.status;
    *response.headers_mut() = end_to_end(&head.headers);
    Ok(response)
}

/// Web pages must not spend the user's money: browsers say where a request comes from, and a name
/// that was made to point here is not a name of this machine.
fn from_this_machine(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or(authority).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    !headers.contains_key(ORIGIN) && matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// The headers that are not about one connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let hop = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let kept = headers
        .iter()
        .filter(|(name, _)| !hop.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Names as Bedrock writes them on HTTP/1.1; hyper tells them in lower case.
fn spelled(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let headers = headers.into_iter().map(|(name, value)| {
        let name = match name.as_str() {
            "content-type" => "Content-Type".to_owned(),
            "x-amzn-requestid" => "x-amzn-RequestId".to_owned(),
            "x-amzn-errortype" => "x-amzn-ErrorType".to_owned(),
            other if other.starts_with("x-amzn-bedrock-") => other
                .split('-')
                .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
                .collect::<Vec<_>>()
                .join("-"),
            _ => name,
        };
        (name, value)
    });
    headers.collect()
}

/// A recording without its answer's body.
struct Draft {
    method: String,
    target: String,
    request_headers: Vec<(String, String)>,
    request: Bytes,
    status: u16,
    headers: Vec<(String, String)>,
}

impl Shared {
    /// Writes an exchange down, away from the threads that pass bytes on.
    fn keep(self: &Arc<Self>, draft: Draft, taken: Taken) {
        let shared = Arc::clone(self);
        let write = move || {
            let event = match shared.write(draft, taken) {
                Ok(event) => event,
                Err(error) => Event::NotRecorded(error.to_string()),
            };
            (shared.setup.tell)(event);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(write)),
            Err(_) => write(),
        }
    }

    fn write(&self, draft: Draft, taken: Taken) -> Result<Event, folder::FolderError> {
        let status = draft.status;
        let Some(body) = taken.into_body() else {
            let target = draft.target;
            let why = format!("{} {target}: the client left before the end", draft.method);
            return Ok(Event::NotRecorded(why));
        };
        let exchange = Exchange {
            recording: bedrock_emulator::tape::Recording {
                name: String::new(),
                method: draft.method,
                target: draft.target,
                request: draft.request,
                status,
                headers: draft.headers,
                body,
            },
            request_headers: draft.request_headers,
        };
        let exchange = if self.setup.keep_account_ids {
            exchange
        } else {
            scrub::accounts(exchange)
        };
        let name = folder::append(&self.setup.folder, &exchange)?;
        Ok(Event::Recorded { name, status })
    }
}

/// Header names that hyper knows.
pub(crate) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((
        HeaderName::from_bytes(name.as_bytes()).ok()?,
        HeaderValue::from_str(value).ok()?,
    ))
}
