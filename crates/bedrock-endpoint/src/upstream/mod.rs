//! Real words when wanted: another model, behind an OpenAI-compatible address (Ollama, llama.cpp,
//! vLLM), is asked what to say, and its words leave as soon as they come.
//!
//! Whatever goes wrong before its first word, the emulator answers by itself and the journal says
//! why; what goes wrong later ends the stream with an exception. Nothing waits for ever.

mod openai;
mod sse;

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use bedrock_emulator::{Question, Reply, Said, Stopped, Timing, wire::Header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Uri,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::serve::Shared;
use sse::Events;

/// The longest error text of the other side that is passed on.
const SAYING_MAX: usize = 300;

/// Frames that wait for a slow reader before the other model is read no further.
const FRAMES_AHEAD: usize = 16;

/// Where the words come from.
#[derive(Clone)]
pub struct Upstream {
    /// The address before `/chat/completions`: `http://127.0.0.1:11434/v1`.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// What is sent as a bearer token.
    pub api_key: Option<String>,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest wait for the first word, and for each one after it.
    pub word_timeout: Duration,
    /// The longest answer.
    pub total_timeout: Duration,
}

impl Upstream {
    /// That model at that address, with the usual time-outs.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            api_key: None,
            connect_timeout: Duration::from_secs(2),
            // A model may have to be loaded first.
            word_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(10),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("url", &self.url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// The upstream cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not an address.
    #[error("{0:?} is not an http or https address like http://127.0.0.1:11434/v1")]
    Url(String),
    /// Not something that can stand in a header.
    #[error("the API key holds a character that cannot be sent")]
    ApiKey,
    /// The system's certificate authorities cannot be read.
    #[error("the certificate authorities of this machine cannot be read")]
    Roots(#[source] std::io::Error),
}

/// Asks.
pub(crate) struct Client {
    upstream: Upstream,
    uri: Uri,
    api_key: Option<HeaderValue>,
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// What the journal calls it.
    name: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.upstream.fmt(f)
    }
}

/// What becomes of a question.
pub(crate) enum Asked {
    /// The reply, known as a whole.
    Reply(Reply),
    /// A stream whose frames are still coming.
    Stream {
        headers: Vec<Header>,
        frames: mpsc::Receiver<Bytes>,
    },
}

/// What the other model said.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Said(Said),
    Stopped(Stopped),
}

impl Client {
    pub(crate) fn new(upstream: Upstream) -> Result<Self, UpstreamError> {
        let url = format!("{}/chat/completions", upstream.url.trim_end_matches('/'));
        let unusable = || UpstreamError::Url(upstream.url.clone());
        let uri: Uri = url.parse().map_err(|_| unusable())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(unusable()),
        };
        if uri.host().is_none_or(str::is_empty) {
            return Err(unusable());
        }
        let bearer = upstream.api_key.as_ref().map(|key| {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            value.map_err(|_| UpstreamError::ApiKey)
        });
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(upstream.connect_timeout));
        let provider = rustls::crypto::ring::default_provider();
        let https = HttpsConnectorBuilder::new();
        let https = if secure {
            https
                .with_provider_and_native_roots(provider)
                .map_err(UpstreamError::Roots)?
        } else {
            // Never used: the address is http.
            let config = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| UpstreamError::Roots(std::io::Error::other(error)))?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            https.with_tls_config(config)
        };
        let connector = https.https_or_http().enable_http1().wrap_connector(tcp);
        Ok(Self {
            api_key: bearer.transpose()?,
            name: format!("words of {} at {}", upstream.model, upstream.url),
            http: HttpClient::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
            uri,
            upstream,
        })
    }

    /// Gets the answer to a question.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        question: Box<Question>,
        arrived: Instant,
        shared: &Arc<Shared>,
    ) -> Asked {
        let mut listening = Listening {
            deadline: arrived + self.upstream.total_timeout,
            patience: self.upstream.word_timeout,
            answer: None,
            heard: VecDeque::new(),
        };
        let first = match self.first(&question, &mut listening).await {
            Ok(first) => first,
            Err(why) => return fall_back(question, &why, shared),
        };
        let telling = Telling {
            client: Arc::clone(self),
            shared: Arc::clone(shared),
            arrived,
            first_word: arrived.elapsed(),
        };
        if question.streams() {
            let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
            let headers = question.headers();
            tokio::spawn(telling.stream(question, first, listening, sender));
            Asked::Stream { headers, frames }
        } else {
            telling.whole(question, first, listening).await
        }
    }

    /// Sends the question and waits for the first word.
    async fn first(&self, question: &Question, listening: &mut Listening) -> Result<Heard, String> {
        let body = openai::request(&self.upstream.model, &question.chat());
        let mut request = Request::post(self.uri.clone()).body(Full::new(Bytes::from(body)));
        if let Ok(request) = &mut request {
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.extend(self.api_key.clone().map(|key| (AUTHORIZATION, key)));
        }
        let request = request.map_err(|error| error.to_string())?;
        let until = listening.until();
        let at = &self.upstream.url;
        let answer = match timeout_at(until, self.http.request(request)).await {
            Err(_) => return Err(format!("{at} did not answer in time")),
            Ok(Err(error)) => return Err(format!("{at} cannot be reached: {}", root(&error))),
            Ok(Ok(answer)) => answer,
        };
        let status = answer.status();
        if !status.is_success() {
            let body = timeout_at(
                until,
                http_body_util::Limited::new(answer.into_body(), 1 << 16).collect(),
            );
            let text = match body.await {
                Ok(Ok(body)) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
                _ => String::new(),
            };
            return Err(format!("{at} answered {status}: {}", short(&text)));
        }
        let json = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        listening.answer = Some(Answer {
            body: answer.into_body(),
            events: Events::new(json),
            calls: openai::Calls::default(),
        });
        listening.next_until(until).await
    }
}

/// The other model's answer, while it comes.
struct Listening {
    deadline: Instant,
    patience: Duration,
    answer: Option<Answer>,
    heard: VecDeque<Heard>,
}

struct Answer {
    body: Incoming,
    events: Events,
    calls: openai::Calls,
}

impl Listening {
    fn until(&self) -> Instant {
        self.deadline.min(Instant::now() + self.patience)
    }

    async fn next(&mut self) -> Result<Heard, String> {
        let until = self.until();
        self.next_until(until).await
    }

    async fn next_until(&mut self, until: Instant) -> Result<Heard, String> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            let Some(answer) = &mut self.answer else {
                return Err("it had ended".to_owned());
            };
            let frame = match timeout_at(until, answer.body.frame()).await {
                Err(_) => return Err("it fell silent".to_owned()),
                Ok(Some(Err(error))) => return Err(format!("it broke off: {}", root(&error))),
                Ok(Some(Ok(frame))) => Some(frame),
                Ok(None) => None,
            };
            let events = match frame.map(hyper::body::Frame::into_data) {
                Some(Ok(data)) => answer.events.push(&data)?,
                Some(Err(_)) => continue,
                None => {
                    let rest = answer.events.end()?;
                    let ended = rest.is_empty();
                    if ended {
                        self.answer = None;
                        return Err("it ended before it had said so".to_owned());
                    }
                    rest
                }
            };
            for event in events {
                self.heard.extend(answer.calls.heard(&event)?);
            }
        }
    }
}

/// Passes on what is heard.
struct Telling {
    client: Arc<Client>,
    shared: Arc<Shared>,
    arrived: Instant,
    first_word: Duration,
}

impl Telling {
    fn took(&self) -> Timing<'_> {
        Timing {
            from: &self.client.name,
            first: self.first_word,
            whole: self.arrived.elapsed(),
        }
    }

    async fn whole(
        self,
        mut question: Box<Question>,
        first: Heard,
        mut listening: Listening,
    ) -> Asked {
        let mut heard: Result<Heard, String> = Ok(first);
        loop {
            let stopped = match heard {
                Ok(Heard::Stopped(stopped)) => stopped,
                Ok(Heard::Said(said)) => {
                    question.said(said, self.arrived.elapsed());
                    if !question.is_over() {
                        heard = listening.next().await;
                        continue;
                    }
                    Stopped::Done
                }
                Err(why) => return fall_back(question, &why, &self.shared),
            };
            let (_, reply) = question.finish(stopped, self.took());
            self.shared.tell(&reply);
            return Asked::Reply(reply);
        }
    }

    /// Ends when the stream has ended, or when nobody takes its frames any more. A question that is
    /// dropped tells the journal so.
    async fn stream(
        self,
        mut question: Box<Question>,
        first: Heard,
        mut listening: Listening,
        frames: mpsc::Sender<Bytes>,
    ) {
        let mut heard: Result<Heard, String> = Ok(first);
        let (rest, reply) = loop {
            match heard {
                Ok(Heard::Stopped(stopped)) => break question.finish(stopped, self.took()),
                Err(why) => break question.break_off(&why, self.took()),
                Ok(Heard::Said(said)) => {
                    for frame in question.said(said, self.arrived.elapsed()) {
                        if frames.send(frame).await.is_err() {
                            // Told before the other model is let go.
                            return drop(question);
                        }
                    }
                    if question.is_over() {
                        break question.finish(Stopped::Done, self.took());
                    }
                }
            }
            heard = tokio::select! {
                heard = listening.next() => heard,
                () = frames.closed() => return drop(question),
            };
        };
        self.shared.tell(&reply);
        for frame in rest {
            if frames.send(frame).await.is_err() {
                return;
            }
        }
    }
}

fn fall_back(question: Box<Question>, why: &str, shared: &Shared) -> Asked {
    let reply = question.fall_back(why);
    shared.tell(&reply);
    Asked::Reply(reply)
}

/// The innermost reason, which is the one that says something.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn short(text: &str) -> &str {
    match text.char_indices().nth(SAYING_MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
