//! Words from another model, told by a stand-in that says exactly what a test wants, when it wants.
#![cfg(feature = "upstream")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
    script::Step,
};
use bedrock_endpoint::{Endpoint, Setup, Upstream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

/// A wrong endpoint could hang; then a test fails instead.
const LIMIT: Duration = Duration::from_secs(10);

/// What the stand-in does next.
enum Act {
    /// Sends the bytes as they are.
    Raw(String),
    /// Sends one event as an HTTP chunk.
    Event(&'static str),
    /// Ends the body.
    End,
}

const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Answers one request with what the test sends it; gives the request.
struct StandIn {
    acts: mpsc::UnboundedSender<Act>,
    request: oneshot::Receiver<String>,
    /// Resolves when the other side has closed the connection.
    gone: oneshot::Receiver<()>,
    url: String,
}

impl StandIn {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let (acts, mut to_do) = mpsc::unbounded_channel();
        let (seen, request) = oneshot::channel();
        let (closed, gone) = oneshot::channel();
        tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let _ = seen.send(read_request(&mut tcp).await);
            let (mut read, mut write) = tcp.split();
            let acting = async {
                while let Some(act) = to_do.recv().await {
                    let text = match act {
                        Act::Raw(text) => text,
                        Act::Event(data) => {
                            let event = format!("data: {data}\n\n");
                            format!("{:x}\r\n{event}\r\n", event.len())
                        }
                        Act::End => "0\r\n\r\n".to_owned(),
                    };
                    if write.write_all(text.as_bytes()).await.is_err() {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            };
            let left = async {
                let mut byte = [0];
                let _ = read.read(&mut byte).await;
            };
            tokio::select! { () = acting => {}, () = left => {} }
            let _ = closed.send(());
        });
        Self {
            acts,
            request,
            gone,
            url,
        }
    }

    fn acts(&self, acts: impl IntoIterator<Item = Act>) {
        for act in acts {
            let _ = self.acts.send(act);
        }
    }

    fn says(&self, events: &[&'static str]) {
        self.acts([Act::Raw(STREAM.to_owned())]);
        self.acts(events.iter().map(|data| Act::Event(data)));
        self.acts([Act::Event("[DONE]"), Act::End]);
    }
}

async fn read_request(tcp: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let line = line.to_ascii_lowercase();
                line.strip_prefix("content-length: ")?.parse::<usize>().ok()
            });
            if length.is_none_or(|length| body.len() >= length) {
                return text;
            }
        }
        let mut some = [0; 4096];
        let n = tcp.read(&mut some).await.unwrap();
        assert_ne!(n, 0, "the request is whole");
        text.push_str(&String::from_utf8_lossy(&some[..n]));
    }
}

async fn endpoint(upstream: Upstream) -> Endpoint {
    let config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        ..Config::default()
    };
    let emulator = Arc::new(Emulator::new(config).unwrap());
    let setup = Setup {
        upstream: Some(upstream),
        ..Setup::default()
    };
    let loopback = ([127, 0, 0, 1], 0).into();
    Endpoint::open(loopback, emulator, setup).await.unwrap()
}

async fn with(stand_in: &StandIn) -> Endpoint {
    endpoint(Upstream {
        api_key: Some("key-of-a-test".to_owned()),
        ..Upstream::new(&stand_in.url, "stand-in")
    })
    .await
}

const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"What is the weather?"}]}]}"#;

const TOOLS: &str = r#"{"messages":[{"role":"user","content":[{"text":"What is the weather?"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object"}}}}]}}"#;

async fn open(endpoint: &Endpoint, verb: &str, body: &str) -> TcpStream {
    let models = endpoint.emulator().catalogue();
    let haiku = models.by_alias("haiku").unwrap();
    let id = models.profile_id(haiku, "us-east-1").unwrap();
    let request = format!(
        "POST /model/{}/{verb} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        id.replace(':', "%3A"),
        body.len()
    );
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    tcp
}

/// Reads until `until` has arrived; empty: to the end.
async fn read(tcp: &mut TcpStream, until: &str) -> String {
    let mut all = String::new();
    loop {
        if !until.is_empty() && all.contains(until) {
            return all;
        }
        let mut some = [0; 4096];
        let n = tokio::time::timeout(LIMIT, tcp.read(&mut some)).await;
        let n = n.unwrap_or_else(|_| panic!("no {until:?} in {all}"));
        match n.unwrap() {
            0 if until.is_empty() => return all,
            0 => panic!("the end came before {until:?}: {all}"),
            n => all.push_str(&String::from_utf8_lossy(&some[..n])),
        }
    }
}

async fn call(endpoint: &Endpoint, verb: &str, body: &str) -> String {
    let mut tcp = open(endpoint, verb, body).await;
    read(&mut tcp, "").await
}

fn note(endpoint: &Endpoint) -> String {
    let entry = endpoint.emulator().journal().pop().unwrap();
    entry.note.unwrap_or_default()
}

#[tokio::test]
async fn each_word_leaves_before_the_next_one_comes() {
    for (verb, body) in [
        ("converse-stream", BODY),
        (
            "invoke-with-response-stream",
            r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":99,"messages":[{"role":"user","content":"Hi"}]}"#,
        ),
    ] {
        let stand_in = StandIn::new().await;
        let endpoint = with(&stand_in).await;
        let mut tcp = open(&endpoint, verb, body).await;
        stand_in.acts([
            Act::Raw(STREAM.to_owned()),
            Act::Event(r#"{"choices":[{"delta":{"content":"First"}}]}"#),
        ]);
        // The second word is said only when the first has been heard.
        let first = if verb == "converse-stream" {
            "First"
        } else {
            // The base64 of `"First"` in its place of a text delta.
            "dGV4dF9kZWx0YSI"
        };
        let begun = read(&mut tcp, first).await;
        assert!(begun.starts_with("HTTP/1.1 200 OK"), "{begun}");
        assert_eq!(endpoint.emulator().journal().len(), 0, "not over yet");
        stand_in.acts([
            Act::Event(r#"{"choices":[{"delta":{"content":" second"},"finish_reason":"stop"}]}"#),
            Act::Event("[DONE]"),
            Act::End,
        ]);
        let rest = read(&mut tcp, "").await;
        assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
        let entry = endpoint.emulator().journal().pop().unwrap();
        assert_eq!(entry.text.as_deref(), Some("First second"));
        assert_eq!(entry.stop_reason.as_deref(), Some("end_turn"));
        assert!(entry.usage.unwrap().output > 0);
        assert!(note(&endpoint).starts_with("words of stand-in at http://127.0.0.1:"));
        let asked = stand_in.request.await.unwrap();
        assert!(
            asked.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(
            asked.contains("authorization: Bearer key-of-a-test\r\n"),
            "{asked}"
        );
        assert!(asked.contains(r#""model":"stand-in""#), "{asked}");
    }
}

#[tokio::test]
async fn tool_calls_come_through() {
    let stand_in = StandIn::new().await;
    let endpoint = with(&stand_in).await;
    stand_in.says(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"weather","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}"#,
    ]);
    let answer = call(&endpoint, "converse", TOOLS).await;
    assert!(answer.contains(r#""stopReason":"tool_use""#), "{answer}");
    assert!(answer.contains(r#""input":{"city":"Oslo"}"#), "{answer}");
    let asked = stand_in.request.await.unwrap();
    assert!(asked.contains(r#""tool_choice":"auto""#), "{asked}");
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let stand_in = StandIn::new().await;
    let endpoint = with(&stand_in).await;
    let body = r#"{"choices":[{"message":{"content":"At once."},"finish_reason":"stop"}]}"#;
    stand_in.acts([Act::Raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))]);
    let answer = call(&endpoint, "converse", BODY).await;
    assert!(answer.contains(r#""text":"At once.""#), "{answer}");
}

#[tokio::test]
async fn errors_and_nonsense_before_the_first_word_fall_back() {
    for (says, why) in [
        (
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
            "answered 500 Internal Server Error: oops",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 14\r\n\r\ndata: <html>\n\n",
            "does not speak as chat completions do: <html>",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 38\r\n\r\ndata: {\"error\":{\"message\":\"no model\"}}",
            "reports an error: \"no model\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
            "ended before it had said so",
        ),
        ("not even HTTP\r\n\r\n", "cannot be reached"),
    ] {
        for verb in ["converse", "converse-stream"] {
            let stand_in = StandIn::new().await;
            let endpoint = with(&stand_in).await;
            stand_in.acts([Act::Raw(says.to_owned())]);
            let answer = call(&endpoint, verb, BODY).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            let note = note(&endpoint);
            assert!(
                note.starts_with("own answer: ") && note.contains(why),
                "{note}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_there_falls_back() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", nobody.local_addr().unwrap());
    drop(nobody);
    let endpoint = endpoint(Upstream::new(url, "stand-in")).await;
    let answer = call(&endpoint, "converse", BODY).await;
    assert!(answer.contains(r#""stopReason":"end_turn""#), "{answer}");
    assert!(note(&endpoint).contains("cannot be reached"));
}

#[tokio::test]
async fn silence_is_not_waited_for() {
    let impatient = |stand_in: &StandIn| Upstream {
        word_timeout: Duration::from_millis(50),
        ..Upstream::new(&stand_in.url, "stand-in")
    };
    // Before the first word: the own answer.
    let stand_in = StandIn::new().await;
    let endpoint = endpoint(impatient(&stand_in)).await;
    let answer = call(&endpoint, "converse-stream", BODY).await;
    assert!(answer.contains("messageStop"), "{answer}");
    assert!(note(&endpoint).contains("did not answer in time"));

    // After it: an exception in the stream.
    let stand_in = StandIn::new().await;
    let endpoint = self::endpoint(impatient(&stand_in)).await;
    stand_in.acts([
        Act::Raw(STREAM.to_owned()),
        Act::Event(r#"{"choices":[{"delta":{"content":"Once upon"}}]}"#),
    ]);
    let answer = call(&endpoint, "converse-stream", BODY).await;
    assert!(answer.contains("modelStreamErrorException"), "{answer}");
    assert!(
        answer.ends_with("0\r\n\r\n"),
        "the HTTP message is whole: {answer}"
    );
    assert!(note(&endpoint).contains("broken off: it fell silent"));

    // An answer that is no stream is still the emulator's own.
    let stand_in = StandIn::new().await;
    let endpoint = self::endpoint(impatient(&stand_in)).await;
    stand_in.acts([
        Act::Raw(STREAM.to_owned()),
        Act::Event(r#"{"choices":[{"delta":{"content":"Once upon"}}]}"#),
    ]);
    let answer = call(&endpoint, "converse", BODY).await;
    assert!(answer.contains(r#""stopReason":"end_turn""#), "{answer}");
    assert!(note(&endpoint).contains("own answer: it fell silent"));
}

#[tokio::test]
async fn who_leaves_stops_the_other_model() {
    let stand_in = StandIn::new().await;
    let endpoint = with(&stand_in).await;
    let mut entries = endpoint.subscribe();
    let mut tcp = open(&endpoint, "converse-stream", BODY).await;
    stand_in.acts([
        Act::Raw(STREAM.to_owned()),
        Act::Event(r#"{"choices":[{"delta":{"content":"Once"}}]}"#),
    ]);
    read(&mut tcp, "Once").await;
    drop(tcp);
    let gone = tokio::time::timeout(LIMIT, stand_in.gone).await;
    gone.expect("the other model is let go").unwrap();
    assert_eq!(note(&endpoint), "the client left");
    assert!(entries.try_recv().is_err());
}

#[tokio::test]
async fn stop_sequences_end_the_asking() {
    let stand_in = StandIn::new().await;
    let endpoint = with(&stand_in).await;
    stand_in.acts([
        Act::Raw(STREAM.to_owned()),
        Act::Event(r#"{"choices":[{"delta":{"content":"one END two"}}]}"#),
    ]);
    let body = BODY.replace(
        "}]}]}",
        r#"}]}],"inferenceConfig":{"stopSequences":["END"]}}"#,
    );
    let answer = call(&endpoint, "converse", &body).await;
    assert!(answer.contains(r#""text":"one ""#), "{answer}");
    assert!(
        answer.contains(r#""stopReason":"stop_sequence""#),
        "{answer}"
    );
    let gone = tokio::time::timeout(LIMIT, stand_in.gone).await;
    gone.expect("the other model is let go").unwrap();
}

#[tokio::test]
async fn scripts_and_errors_do_not_ask() {
    let stand_in = StandIn::new().await;
    let mut asked = stand_in.request;
    let endpoint = endpoint(Upstream::new(&stand_in.url, "stand-in")).await;
    endpoint.emulator().script([Step::text("scripted")]);
    assert!(call(&endpoint, "converse", BODY).await.contains("scripted"));
    assert!(
        call(&endpoint, "converse", "{}")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_named() {
    for url in ["", "ollama", "ftp://x/v1", "http://"] {
        let config = Config::default();
        let setup = Setup {
            upstream: Some(Upstream::new(url, "m")),
            ..Setup::default()
        };
        let emulator = Arc::new(Emulator::new(config).unwrap());
        let error = Endpoint::open(([127, 0, 0, 1], 0).into(), emulator, setup).await;
        let error = std::error::Error::source(&error.unwrap_err())
            .unwrap()
            .to_string();
        assert!(error.contains("is not an http or https address"), "{error}");
    }
}
