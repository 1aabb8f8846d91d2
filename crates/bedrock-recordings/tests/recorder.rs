//! The recorder between a client and an emulator that checks signatures, as Bedrock does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, sync::Arc, time::Duration};

use bedrock_emulator::{
    Body, Config, Due, Emulator, Request,
    emulator::{ApiKey, Auth, Latency},
    script::{Piece, Step},
    tape::{Miss, Tape},
};
use bedrock_endpoint::Endpoint;
use bedrock_recordings::{
    credentials::Credentials,
    folder,
    recorder::{Destination, Event, Recorder, Setup},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// A wrong recorder could hang; then a test fails instead.
const LIMIT: Duration = Duration::from_secs(10);

const API_KEY: &str = "ABSKkey-of-this-test";

async fn bedrock() -> Endpoint {
    let config = Config {
        latency: Latency::none(),
        api_keys: vec![ApiKey {
            token: API_KEY.to_owned(),
            arn: "arn:aws:iam::123456789012:user/key".to_owned(),
        }],
        ..Config::default()
    };
    assert_eq!(config.auth, Auth::Strict);
    let emulator = Arc::new(Emulator::new(config).unwrap());
    Endpoint::bind(([127, 0, 0, 1], 0).into(), emulator)
        .await
        .unwrap()
}

fn keys() -> Credentials {
    let credential = Config::default().credentials.remove(0);
    Credentials::Keys {
        access_key_id: credential.access_key_id,
        secret_access_key: credential.secret_access_key,
        session_token: None,
    }
}

struct Bench {
    recorder: Recorder,
    events: mpsc::UnboundedReceiver<Event>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(url: String, credentials: Option<Credentials>, requests_max: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (told, events) = mpsc::unbounded_channel();
        let setup = Setup {
            destination: Destination::Url {
                url,
                region: "us-east-1".to_owned(),
            },
            credentials,
            folder: folder.path().to_owned(),
            keep_account_ids: false,
            requests_max,
            tell: Box::new(move |event| drop(told.send(event))),
        };
        let recorder = Recorder::bind(([127, 0, 0, 1], 0).into(), setup)
            .await
            .unwrap();
        Self {
            recorder,
            events,
            folder,
        }
    }

    async fn event(&mut self) -> Event {
        let event = tokio::time::timeout(LIMIT, self.events.recv()).await;
        event.expect("something happens").unwrap()
    }

    async fn call(&self, target: &str, body: &str) -> String {
        let mut tcp = self.open(target, body, "").await;
        let mut text = Vec::new();
        let read = tokio::time::timeout(LIMIT, tcp.read_to_end(&mut text)).await;
        read.expect("an answer").unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    async fn open(&self, target: &str, body: &str, more: &str) -> TcpStream {
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Authorization: AWS4-HMAC-SHA256 of-the-client\r\nX-Amz-Security-Token: secret\r\n\
             Cookie: secret\r\n{more}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.recorder.addr(),
            body.len()
        );
        let mut tcp = TcpStream::connect(self.recorder.addr()).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        tcp
    }
}

fn target(endpoint: &Endpoint, verb: &str) -> String {
    let models = endpoint.emulator().catalogue();
    let haiku = models.by_alias("haiku").unwrap();
    let id = models.profile_id(haiku, "us-east-1").unwrap();
    format!("/model/{}/{verb}", id.replace(':', "%3A"))
}

const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}"#;

/// All text below a folder.
fn written(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all += &written(&path);
        } else {
            all += &std::fs::read_to_string(&path).unwrap();
        }
    }
    all
}

#[tokio::test]
async fn what_was_recorded_answers_the_same_offline() {
    let bedrock = bedrock().await;
    let mut bench = Bench::new(bedrock.url(), Some(keys()), None).await;
    let mut answers = Vec::new();
    for verb in ["converse", "converse-stream"] {
        let target = target(&bedrock, verb);
        let answer = bench.call(&target, BODY).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        let Event::Recorded { name, status } = bench.event().await else {
            panic!("recorded")
        };
        assert!(name.contains(verb) && status == 200, "{name}");
        answers.push((target, answer));
    }
    // A refusal is worth recording as well.
    let refused = bench.call(&target(&bedrock, "converse"), "{}").await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert!(matches!(
        bench.event().await,
        Event::Recorded { status: 400, .. }
    ));

    let text = written(bench.folder.path());
    for secret in ["of-the-client", "secret", "Signature", "AKIA"] {
        assert!(!text.contains(secret), "{secret} was written");
    }
    let tape = Tape::new(folder::read(bench.folder.path()).unwrap(), Miss::Refuse);
    let offline = Emulator::new(Config {
        auth: Auth::Off,
        tape: Some(Arc::new(tape)),
        ..Config::default()
    })
    .unwrap();
    for (target, answer) in answers {
        let request = Request {
            method: "POST".to_owned(),
            target,
            headers: bedrock_emulator::Headers::default(),
            body: BODY.into(),
            connection: 1,
        };
        let reply = offline.handle(&request, time::OffsetDateTime::UNIX_EPOCH);
        assert_eq!(reply.status, 200);
        match &reply.body {
            Body::Frames { frames, .. } => {
                for frame in frames {
                    assert!(answer.contains(&*String::from_utf8_lossy(&frame.bytes)));
                }
            }
            whole => assert!(answer.ends_with(std::str::from_utf8(&whole.bytes()).unwrap())),
        }
        let id = reply
            .headers
            .iter()
            .find(|h| h.0 == "x-amzn-RequestId")
            .unwrap();
        assert!(answer.contains(&id.1), "{answer}");
    }
}

#[tokio::test]
async fn frames_pass_at_once_and_keep_their_time() {
    let bedrock = bedrock().await;
    bedrock.emulator().script([Step::Say(vec![
        Piece::Text("first".to_owned()),
        Piece::Gate("heard".to_owned()),
        Piece::Pause(Duration::from_millis(30)),
        Piece::Text("second".to_owned()),
    ])]);
    let mut bench = Bench::new(bedrock.url(), Some(keys()), None).await;
    let mut tcp = bench
        .open(&target(&bedrock, "converse-stream"), BODY, "")
        .await;
    let mut text = String::new();
    while !text.contains("first") {
        let mut some = [0; 4096];
        let n = tokio::time::timeout(LIMIT, tcp.read(&mut some))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(n, 0, "{text}");
        text += &String::from_utf8_lossy(&some[..n]);
    }
    bedrock.gates().open("heard");
    let mut rest = Vec::new();
    tokio::time::timeout(LIMIT, tcp.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(bench.event().await, Event::Recorded { .. }));
    let recordings = folder::read(bench.folder.path()).unwrap();
    let Body::Frames { frames, .. } = &recordings[0].body else {
        panic!("a stream")
    };
    let at = |frame: usize| match frames[frame].due {
        Due::After(time) => time,
        _ => panic!("a time"),
    };
    assert!(at(2) >= at(1) + Duration::from_millis(25), "{frames:?}");
}

#[tokio::test]
async fn an_api_key_signs_as_well() {
    let bedrock = bedrock().await;
    let key = Some(Credentials::ApiKey(API_KEY.to_owned()));
    let mut bench = Bench::new(bedrock.url(), key, None).await;
    let answer = bench.call(&target(&bedrock, "converse"), BODY).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    bench.event().await;
    assert!(!written(bench.folder.path()).contains("ABSK"));

    let unsigned = Bench::new(bedrock.url(), None, None).await;
    let answer = unsigned.call(&target(&bedrock, "converse"), BODY).await;
    assert!(
        answer.starts_with("HTTP/1.1 403 "),
        "the client's signature stays behind: {answer}"
    );
}

#[tokio::test]
async fn web_pages_and_too_many_requests_spend_nothing() {
    let bedrock = bedrock().await;
    let mut bench = Bench::new(bedrock.url(), Some(keys()), Some(1)).await;
    let target = target(&bedrock, "converse");
    for more in ["Origin: https://example.test\r\n", ""] {
        let mut tcp = if more.is_empty() {
            let mut tcp = TcpStream::connect(bench.recorder.addr()).await.unwrap();
            let request = format!(
                "POST {target} HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n"
            );
            tcp.write_all(request.as_bytes()).await.unwrap();
            tcp
        } else {
            bench.open(&target, BODY, more).await
        };
        let mut text = String::new();
        tokio::time::timeout(LIMIT, tcp.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        assert!(text.starts_with("HTTP/1.1 403 "), "{text}");
        assert!(matches!(bench.event().await, Event::NotRecorded(_)));
    }
    assert!(bedrock.emulator().journal().is_empty());

    assert!(bench.call(&target, BODY).await.starts_with("HTTP/1.1 200 "));
    let refused = bench.call(&target, BODY).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert!(
        refused.contains("1 requests were sent, and no more may be"),
        "{refused}"
    );
    assert_eq!(bedrock.emulator().journal().len(), 1);
}

#[tokio::test]
async fn nobody_there_is_said() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let mut bench = Bench::new(url, None, None).await;
    let answer = bench.call("/model/x/converse", BODY).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let Event::NotRecorded(why) = bench.event().await else {
        panic!("not recorded")
    };
    assert!(why.contains("cannot be reached"), "{why}");
}
