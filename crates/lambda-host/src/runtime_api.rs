//! The Runtime API of one environment, over HTTP/1.1 on a port of its own, as on AWS, where every
//! environment has its own network.
//!
//! States, transitions and error bodies follow AWS's Runtime Interface Emulator, which is Lambda's
//! own code.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

/// Lambda's limit on an answer, in bytes (Runtime Interface Emulator: 6 MiB and 100 bytes).
pub(crate) const ANSWER_MAX: usize = 6 * 1024 * 1024 + 100;

/// The pause after a failed `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How much of an error's description is read.
const ERROR_MAX: usize = ANSWER_MAX;

/// An event on its way to the runtime: its id and the ready-made answer to `next`.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) request_id: Arc<str>,
    pub(crate) response: Response<Full<Bytes>>,
}

/// What the runtime told us.
#[derive(Debug)]
pub(crate) enum Signal {
    /// It waits for an event.
    Next,
    /// It answered the event.
    Answer(Answer),
    /// It could not initialize: the error's type and body.
    InitError { kind: String, body: Bytes },
}

#[derive(Debug)]
pub(crate) enum Answer {
    /// The function's result.
    Success(Bytes),
    /// The function's own error.
    Error(Bytes),
    /// A failure that Lambda itself tells: its type and message.
    Failure { kind: &'static str, message: String },
}

/// Where the runtime's requests and the host's events meet.
#[derive(Debug)]
pub(crate) struct Desk {
    state: Mutex<State>,
    signals: mpsc::UnboundedSender<Signal>,
    /// Locked by the `next` that waits.
    work: tokio::sync::Mutex<mpsc::Receiver<Work>>,
}

#[derive(Debug)]
enum State {
    Started,
    InitError,
    Ready,
    Running(Arc<str>),
    /// An answer is being read.
    Answering,
    ResponseSent,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::InitError => "InitError",
            Self::Ready => "Ready",
            Self::Running(_) => "Running",
            Self::Answering => "InvocationResponse",
            Self::ResponseSent => "RuntimeResponseSentState",
        }
    }
}

impl Desk {
    pub(crate) fn new() -> (
        Arc<Self>,
        mpsc::Sender<Work>,
        mpsc::UnboundedReceiver<Signal>,
    ) {
        let (events, work) = mpsc::channel(1);
        let (signals, received) = mpsc::unbounded_channel();
        let desk = Self {
            state: Mutex::new(State::Started),
            signals,
            work: tokio::sync::Mutex::new(work),
        };
        (Arc::new(desk), events, received)
    }

    /// Never held across an await.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        // Nobody listens when the environment is being dropped.
        let _ = self.signals.send(signal);
    }
}

/// Serves the API until it is dropped; connections end with it.
pub(crate) async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors, most likely: without a pause this would spin.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let desk = Arc::clone(&desk);
                        async move { Ok::<_, Infallible>(route(&desk, request).await) }
                    });
                    let connection = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A connection that breaks is the runtime's affair: it ends or comes again.
                    let _ = connection.await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn route(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/") else {
        return not_found();
    };
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["ping"]) => Response::new(Full::from("pong")),
        (&Method::GET, ["runtime", "invocation", "next"]) => next(desk).await,
        (&Method::POST, ["runtime", "invocation", id, "response"]) => {
            invocation_response(desk, id, request).await
        }
        (&Method::POST, ["runtime", "invocation", id, "error"]) => {
            invocation_error(desk, id, request).await
        }
        (&Method::POST, ["runtime", "init", "error"]) => init_error(desk, request).await,
        _ => not_found(),
    }
}

async fn next(desk: &Desk) -> Response<Full<Bytes>> {
    {
        let mut state = desk.state();
        match *state {
            State::Started | State::ResponseSent => {
                *state = State::Ready;
                desk.signal(Signal::Next);
            }
            // Again, after its connection broke.
            State::Ready => {}
            State::InitError | State::Running(_) | State::Answering => {
                return wrong_state(&state, "Ready");
            }
        }
    }
    let mut work = desk.work.lock().await;
    let Some(work) = work.recv().await else {
        // The environment is being dropped, and this connection with it.
        return error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "Internal Server Error",
        );
    };
    *desk.state() = State::Running(work.request_id);
    work.response
}

/// Takes the invocation for its one answer, or says why not.
fn claim<'a>(
    desk: &'a Desk,
    id: &str,
    wanted: &str,
) -> Result<Claim<'a>, Box<Response<Full<Bytes>>>> {
    let mut state = desk.state();
    match &*state {
        State::Running(running) if **running == *id => {
            *state = State::Answering;
            Ok(Claim {
                desk,
                answered: false,
            })
        }
        State::Running(_) => Err(Box::new(error(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "Invalid request ID",
        ))),
        _ => Err(Box::new(wrong_state(&state, wanted))),
    }
}

/// An answer that is being read. Should its connection break, the invocation gets that as its end.
struct Claim<'a> {
    desk: &'a Desk,
    answered: bool,
}

impl Claim<'_> {
    fn answer(mut self, answer: Answer) {
        self.send(answer);
    }

    fn send(&mut self, answer: Answer) {
        self.answered = true;
        *self.desk.state() = State::ResponseSent;
        self.desk.signal(Signal::Answer(answer));
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.send(truncated());
        }
    }
}

fn truncated() -> Answer {
    Answer::Failure {
        kind: "Runtime.TruncatedResponse",
        message: "the response's body ended before it was complete".to_owned(),
    }
}

async fn invocation_response(
    desk: &Desk,
    id: &str,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let claim = match claim(desk, id, "InvocationResponse") {
        Ok(claim) => claim,
        Err(refusal) => return *refusal,
    };
    let mode = request
        .headers()
        .get("lambda-runtime-function-response-mode");
    if mode.is_some_and(|mode| mode != "streaming") {
        claim.answer(Answer::Failure {
            kind: "Runtime.InvalidResponseModeHeader",
            message: "the header Lambda-Runtime-Function-Response-Mode knows only 'streaming'"
                .to_owned(),
        });
        return error(
            StatusCode::BAD_REQUEST,
            "InvalidFunctionResponseMode",
            "Invalid function response mode",
        );
    }
    match read(request.into_body(), ANSWER_MAX).await {
        Read::Whole(body, trailers) => {
            claim.answer(in_trailers(&trailers).unwrap_or(Answer::Success(body)));
            accepted()
        }
        Read::TooLong(length) => {
            claim.answer(Answer::Failure {
                kind: "Function.ResponseSizeTooLarge",
                message: format!(
                    "Response payload size ({length} bytes) exceeded maximum allowed payload \
                     size ({ANSWER_MAX} bytes)."
                ),
            });
            let message = format!("Exceeded maximum allowed payload size ({ANSWER_MAX} bytes).");
            error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &message,
            )
        }
        Read::Broken => {
            claim.answer(truncated());
            error(
                StatusCode::BAD_REQUEST,
                "TruncatedHTTPRequest",
                "HTTP request detected as truncated",
            )
        }
    }
}

/// An error in the middle of a streamed response comes in trailers (developer guide, response
/// streaming).
fn in_trailers(trailers: &HeaderMap) -> Option<Answer> {
    let kind = trailers.get("lambda-runtime-function-error-type")?;
    let body = trailers.get("lambda-runtime-function-error-body");
    let body = body.and_then(|body| BASE64_STANDARD.decode(body.as_bytes()).ok());
    let body = body.unwrap_or_else(|| {
        let kind = String::from_utf8_lossy(kind.as_bytes());
        json!({ "errorType": kind }).to_string().into_bytes()
    });
    Some(Answer::Error(body.into()))
}

async fn invocation_error(
    desk: &Desk,
    id: &str,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let claim = match claim(desk, id, "InvocationErrorResponse") {
        Ok(claim) => claim,
        Err(refusal) => return *refusal,
    };
    match read(request.into_body(), ERROR_MAX).await {
        Read::Whole(body, _) => claim.answer(Answer::Error(body)),
        Read::TooLong(_) | Read::Broken => claim.answer(truncated()),
    }
    accepted()
}

async fn init_error(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    {
        let mut state = desk.state();
        if !matches!(*state, State::Started) {
            return wrong_state(&state, "InitError");
        }
        *state = State::InitError;
    }
    let kind = request.headers().get("lambda-runtime-function-error-type");
    let kind = kind.and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("Runtime.Unknown").to_owned();
    let body = match read(request.into_body(), ERROR_MAX).await {
        Read::Whole(body, _) => body,
        Read::TooLong(_) | Read::Broken => Bytes::new(),
    };
    desk.signal(Signal::InitError { kind, body });
    accepted()
}

enum Read {
    Whole(Bytes, HeaderMap),
    /// At least this long.
    TooLong(usize),
    Broken,
}

/// Joins a body, chunked or not.
async fn read(mut body: Incoming, max: usize) -> Read {
    let mut whole = BytesMut::new();
    let mut trailers = HeaderMap::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Read::Broken;
        };
        match frame.into_data() {
            Ok(data) => {
                length += data.len();
                if length <= max {
                    whole.extend_from_slice(&data);
                }
            }
            Err(frame) => {
                if let Ok(found) = frame.into_trailers() {
                    trailers = found;
                }
            }
        }
    }
    if length > max {
        // Read to its end, so that the runtime can hear our answer.
        return Read::TooLong(length);
    }
    Read::Whole(whole.freeze(), trailers)
}

fn accepted() -> Response<Full<Bytes>> {
    as_json(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn wrong_state(state: &State, wanted: &str) -> Response<Full<Bytes>> {
    let state = state.name();
    let message = format!(
        "State transition from {state} to {wanted} failed for runtime. Error: State transition is \
         not allowed"
    );
    error(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    as_json(
        status,
        &json!({ "errorMessage": message, "errorType": kind }),
    )
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from("404 page not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn as_json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{body}\n")));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
