//! Sends the form's request and tells what happens, piece by piece.

use std::{sync::Arc, time::Instant};

use bedrock_emulator::{
    Request,
    journal::{Entry, message},
};
use bedrock_endpoint::Endpoint;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{Response, body::Incoming};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::{
    sync::{broadcast, mpsc},
    time::timeout,
};

use super::{Form, Inject, compose::Composed, frames::Frames};
use crate::{
    ask::{self, SILENCE_MAX},
    assets::hex,
    explained::explained,
};

/// Names one request among all that the emulator gets, for its fault and for its journal entry.
const HEADER: &str = "x-workshop-playground";

/// Pieces that wait for a slow reader.
const WAITING_MAX: usize = 64;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Piece {
    /// The request as it goes out.
    Request {
        /// Its bytes; the signature is left out.
        text: String,
    },
    /// Status and headers of the answer came.
    Head {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// Milliseconds since it was sent.
        ms: u64,
    },
    /// One message of a stream came.
    Frame {
        /// Milliseconds since it was sent.
        ms: u64,
        /// Its type.
        event: String,
        /// Its payload.
        payload: Value,
        /// Its length.
        bytes: usize,
    },
    /// A whole body came.
    Body {
        /// Milliseconds since it was sent.
        ms: u64,
        /// JSON if it is, else a text.
        value: Value,
    },
    /// It is over.
    End {
        /// Milliseconds since it was sent.
        ms: u64,
        /// Whether the answer came to its end.
        complete: bool,
        /// What happened, if it did not, or if it ended with an error.
        sentence: String,
        /// Its number in the emulator's journal.
        seq: Option<u64>,
    },
    /// It was not sent.
    Refused {
        /// Which field is wrong, and the cure.
        sentence: String,
    },
}

/// Sends what the form says. The pieces end with [`Piece::End`] or [`Piece::Refused`].
pub fn run(endpoint: &Arc<Endpoint>, form: &Form) -> mpsc::Receiver<Piece> {
    let (out, pieces) = mpsc::channel(WAITING_MAX);
    let (endpoint, form) = (Arc::clone(endpoint), form.clone());
    tokio::spawn(async move {
        // An error means that nobody reads any more; the request ends with its connection.
        let _ = go(&endpoint, &form, &out).await;
    });
    pieces
}

type Told = Result<(), mpsc::error::SendError<Piece>>;

async fn go(endpoint: &Endpoint, form: &Form, out: &mpsc::Sender<Piece>) -> Told {
    let mut nonce = [0_u8; 8];
    let random = getrandom::fill(&mut nonce).map_err(|error| error.to_string());
    let composed = random.and_then(|()| form.compose(endpoint.emulator()));
    let composed = match composed {
        Ok(composed) => composed,
        Err(sentence) => return out.send(Piece::Refused { sentence }).await,
    };
    let nonce = hex(&nonce);
    let request = request(endpoint, &composed, &nonce);
    let text = ask::on_the_wire(&request);
    out.send(Piece::Request { text }).await?;
    // From here on nothing that the emulator hears is missed.
    let entries = endpoint.subscribe();
    let fault = Fault::put(endpoint, composed.inject, &nonce);
    let since = Instant::now();
    let answer = ask::send(endpoint, &request).await;
    let ended = match answer {
        Ok(answer) => read(answer, since, out).await?,
        Err(error) => (false, format!("No answer came: {error}.")),
    };
    drop(fault);
    let entry = find(entries, &nonce);
    let mut sentence = ended.1;
    let code = entry.as_ref().and_then(|entry| entry.error.as_deref());
    if sentence.is_empty()
        && let Some(explained) = code.and_then(explained)
    {
        explained.clone_into(&mut sentence);
    }
    out.send(Piece::End {
        ms: elapsed(since),
        complete: ended.0,
        sentence,
        seq: entry.map(|entry| entry.seq),
    })
    .await
}

fn request(endpoint: &Endpoint, composed: &Composed, nonce: &str) -> Request {
    let headers = [("content-type", "application/json"), (HEADER, nonce)];
    let region = endpoint.emulator().config().region.clone();
    ask::signed(
        endpoint,
        "POST",
        &composed.target,
        headers,
        composed.body.clone().into(),
        (&region, "bedrock"),
    )
}

fn elapsed(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Reads to the end; tells whether it was one, and what happened if not.
async fn read(
    answer: Response<Incoming>,
    since: Instant,
    out: &mpsc::Sender<Piece>,
) -> Result<(bool, String), mpsc::error::SendError<Piece>> {
    let headers = answer.headers().iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect();
    let mut types = headers.iter().filter(|(name, _)| name == "content-type");
    let streams = types.any(|(_, value)| value.contains("eventstream"));
    let status = answer.status().as_u16();
    out.send(Piece::Head {
        status,
        headers,
        ms: elapsed(since),
    })
    .await?;
    let mut body = answer.into_body();
    let mut frames = Frames::default();
    let (complete, sentence) = loop {
        let next = tokio::select! {
            next = timeout(SILENCE_MAX, body.frame()) => next,
            // Nobody reads any more: the connection is closed, which ends the stream.
            () = out.closed() => return Ok((false, String::new())),
        };
        match next {
            Err(_) => {
                let seconds = SILENCE_MAX.as_secs();
                break (
                    false,
                    format!("Nothing came for {seconds} seconds, so it was given up."),
                );
            }
            Ok(None) => break (true, String::new()),
            Ok(Some(Err(_))) => {
                break (
                    false,
                    "The connection was cut before the answer’s end. An SDK reports this as a \
                     failed stream; what came so far is all there is."
                        .to_owned(),
                );
            }
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                frames.add(&data);
                while streams && let Some(bytes) = frames.next() {
                    out.send(piece(&bytes, since)).await?;
                }
            }
        }
    };
    if let Some(rest) = frames.rest() {
        let value =
            serde_json::from_slice(&rest).unwrap_or_else(|_| String::from_utf8_lossy(&rest).into());
        out.send(Piece::Body {
            ms: elapsed(since),
            value,
        })
        .await?;
    }
    Ok((complete, sentence))
}

fn piece(bytes: &Bytes, since: Instant) -> Piece {
    let (event, payload) = message(bytes);
    Piece::Frame {
        ms: elapsed(since),
        event,
        payload,
        bytes: bytes.len(),
    }
}

/// The journal's entry of the request, if the core has answered it.
fn find(mut entries: broadcast::Receiver<Arc<Entry>>, nonce: &str) -> Option<Arc<Entry>> {
    loop {
        match entries.try_recv() {
            Ok(entry) => {
                let is_it = |(name, value): &(String, String)| name == HEADER && value == nonce;
                if entry.headers.iter().any(is_it) {
                    return Some(entry);
                }
            }
            Err(broadcast::error::TryRecvError::Lagged(_)) => {}
            Err(_) => return None,
        }
    }
}

/// A fault rule that is taken away again, whether it struck or not.
struct Fault<'e> {
    endpoint: &'e Endpoint,
    id: u64,
}

impl<'e> Fault<'e> {
    fn put(endpoint: &'e Endpoint, inject: Inject, nonce: &str) -> Option<Self> {
        let rule = inject.rule(HEADER, nonce)?;
        let body = json!({ "fault": [rule] }).to_string();
        let told = control(endpoint, "POST", "/_workshop/faults", body);
        let id = told["ids"][0].as_u64()?;
        Some(Self { endpoint, id })
    }
}

impl Drop for Fault<'_> {
    fn drop(&mut self) {
        let path = format!("/_workshop/faults/{}", self.id);
        control(self.endpoint, "DELETE", &path, String::new());
    }
}

/// The emulator's control API, asked in this process.
fn control(endpoint: &Endpoint, method: &str, path: &str, body: String) -> Value {
    let request = Request {
        method: method.to_owned(),
        target: path.to_owned(),
        headers: [("host", "127.0.0.1"), ("content-type", "application/json")]
            .into_iter()
            .collect(),
        body: body.into(),
        connection: 0,
    };
    let reply = endpoint
        .emulator()
        .handle(&request, OffsetDateTime::now_utc());
    serde_json::from_slice(&reply.body.bytes()).unwrap_or_default()
}
