//! The calls that the post on the wire shows, recorded between the SDK and the emulator.
//!
//! A relay on loopback writes down every byte that passes. What differs from run to run (ports,
//! ids, signatures, versions of the SDK) is replaced.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime},
};

use crate::kept::kept;
use aws_sdk_bedrockruntime::{
    Client,
    config::{Credentials, retry::RetryConfig},
};
use post_snippets::{direct, frames::frames, invoke};
use workshop_testkit::{Clock, Fault, Lab, Piece, Setup, Step, models};

const PROMPT: &str = "Is the invoice of March paid?";

/// Everything one side said on one connection.
#[derive(Default, Clone)]
pub(crate) struct Heard {
    pub(crate) sent: Arc<Mutex<Vec<u8>>>,
    pub(crate) answered: Arc<Mutex<Vec<u8>>>,
}

/// Listens, passes every byte on to `to`, and keeps it.
pub(crate) fn relay(to: &str) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let to = to.strip_prefix("http://").unwrap().to_owned();
    let heard = Heard::default();
    let kept = heard.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&to).unwrap());
            let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            pass(client, server, kept.sent.clone());
            pass(back, forth, kept.answered.clone());
        }
    });
    (here, heard)
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            kept.lock().unwrap().extend_from_slice(&buffer[..n]);
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// The lab's time stands still, so that dates and scopes are the same in every run.
pub(crate) fn clock() -> Clock {
    const MILLISECONDS: u64 = 1_795_339_800_000; // 2026-11-22T09:30:00Z
    Clock::new(|| (SystemTime::UNIX_EPOCH + Duration::from_millis(MILLISECONDS)).into())
}

pub(crate) async fn lab(setup: Setup) -> Lab {
    Lab::with(Setup {
        clock: clock(),
        ..setup
    })
    .await
}

pub(crate) fn hello() -> Step {
    Step::Say(vec![
        Piece::Text("Yes, ".into()),
        Piece::Text("since 3 April.".into()),
        Piece::Usage {
            input: 14,
            output: 8,
        },
    ])
}

/// A profile whose id has a `:` in it, as the ids of 2024 and 2025 do.
pub(crate) fn profile() -> String {
    let now = clock().now().date();
    let model = models()
        .models
        .iter()
        .filter(|m| m.provider == "anthropic" && m.id.contains(':'))
        .find(|m| models().state(m, now).lives() && !m.profiles.is_empty());
    models()
        .profile_id(model.expect("one lives"), "us-east-1")
        .unwrap()
}

pub(crate) fn client(lab: &Lab, url: &str) -> Client {
    lab.client_with(|config| config.endpoint_url(url))
}

/// The text of what was heard, with what differs between runs taken out.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines: Vec<String> = head.lines().map(line).collect();
    // The SDK's order of headers means nothing, and differs from run to run.
    if lines.len() > 1 {
        lines[1..].sort();
    }
    let json = serde_json::from_str::<serde_json::Value>(body);
    let body = json.map_or_else(
        |_| body.to_owned(),
        |mut json| {
            if let Some(id) = json.get_mut("id") {
                *id = "msg_bdrk_…".into();
            }
            if let Some(metrics) = json.get_mut("metrics") {
                *metrics = serde_json::json!({"latencyMs": "(milliseconds)"});
            }
            short(&serde_json::to_string_pretty(&json).unwrap())
        },
    );
    let text = format!("{}\n\n{body}", lines.join("\n"));
    let mut folded: String = text.trim_end().lines().map(fold).collect();
    folded.truncate(folded.trim_end().len());
    folded + "\n"
}

/// Long lines go on below, further in: a page is not wide.
pub(crate) fn fold(line: &str) -> String {
    const WIDTH: usize = 76;
    let indent = line.len() - line.trim_start().len() + 4;
    let (mut out, mut column) = (String::new(), 0);
    for piece in line.split_inclusive([' ', ';']) {
        let width = piece.trim_end().chars().count();
        if column + width > WIDTH && column > indent {
            out.truncate(out.trim_end().len());
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        }
        out.push_str(piece);
        column += piece.chars().count();
    }
    out + "\n"
}

fn line(line: &str) -> String {
    let Some((name, value)) = line.split_once(": ") else {
        return short(line);
    };
    let value = match name.to_ascii_lowercase().as_str() {
        "host" => "127.0.0.1:9000".to_owned(),
        "authorization" => match value.split_once("Signature=") {
            Some((start, _)) => format!("{start}Signature=…"),
            None => value.to_owned(),
        },
        "amz-sdk-invocation-id" | "x-amzn-requestid" => "(a UUID)".to_owned(),
        "user-agent" => "aws-sdk-rust/…".to_owned(),
        "x-amz-user-agent" => "aws-sdk-rust/… api/bedrockruntime/… lang/rust/…".to_owned(),
        "x-amz-security-token" => "…".to_owned(),
        "x-amzn-bedrock-invocation-latency" => "(milliseconds)".to_owned(),
        "content-length" => "(bytes)".to_owned(),
        _ => value.to_owned(),
    };
    format!("{name}: {value}")
}

/// Model ids are no matter of a post.
pub(crate) fn short(text: &str) -> String {
    let id = profile();
    let base = id.split_once("anthropic.").unwrap().1;
    let (name, _version) = base.rsplit_once("-v").unwrap();
    text.replace(name, "claude-…")
}

#[tokio::test]
async fn converse_on_the_wire() {
    let lab = lab(Setup::default()).await;
    lab.script([hello()]);
    let (url, heard) = relay(&lab.url());
    direct::ask(&client(&lab, &url), &profile(), PROMPT, 200)
        .await
        .unwrap();
    kept("converse-request.http", &clean(&heard.sent.lock().unwrap()));
    kept(
        "converse-answer.http",
        &clean(&heard.answered.lock().unwrap()),
    );
}

#[tokio::test]
async fn invoke_model_on_the_wire() {
    let lab = lab(Setup {
        temporary_credentials: true,
        ..Setup::default()
    })
    .await;
    lab.script([hello()]);
    let (url, heard) = relay(&lab.url());
    invoke::invoke(&client(&lab, &url), &profile(), PROMPT, 200)
        .await
        .unwrap();
    kept("invoke-request.http", &clean(&heard.sent.lock().unwrap()));
    kept(
        "invoke-answer.http",
        &clean(&heard.answered.lock().unwrap()),
    );
}

#[tokio::test]
async fn refusals_on_the_wire() {
    let throttled = lab(Setup::default()).await;
    throttled.script([Step::Fault(Fault::Throttling {
        retry_after_ms: None,
    })]);
    let denied = lab(Setup {
        policies: vec![serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "bedrock:ListFoundationModels", "Resource": "*"}],
        })],
        ..Setup::default()
    })
    .await;
    let mut text = String::new();
    for (lab, model) in [
        (&denied, profile()),
        (&throttled, profile()),
        (&throttled, profile().split_once('.').unwrap().1.to_owned()),
    ] {
        let (url, heard) = relay(&lab.url());
        direct::ask(&client(lab, &url), &model, PROMPT, 200)
            .await
            .unwrap_err();
        text.push_str(&clean(&heard.answered.lock().unwrap()));
        text.push('\n');
    }
    kept("refusals.http", &(text.trim_end().to_owned() + "\n"));
}

#[tokio::test]
async fn the_frames_of_a_stream() {
    let lab = lab(Setup::default()).await;
    lab.script([hello()]);
    let (url, heard) = relay(&lab.url());
    direct::stream(&client(&lab, &url), &profile(), PROMPT, 200, &mut |_| {})
        .await
        .unwrap();
    let bytes = heard.answered.lock().unwrap().clone();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let mut text = clean(&bytes[..end]);
    for frame in frames(&unchunked(&bytes[end + 4..])).unwrap() {
        let payload: serde_json::Value = serde_json::from_slice(&frame.payload).unwrap();
        let mut payload = payload.as_object().unwrap().clone();
        // Padding that hides the length of a piece; it means nothing, and is different every time.
        payload.remove("p");
        if let Some(metrics) = payload.get_mut("metrics") {
            *metrics = serde_json::json!({"latencyMs": "(milliseconds)"});
        }
        let kind = frame.header(":event-type").unwrap_or_default();
        let payload = serde_json::Value::Object(payload);
        let shown = format!("{kind:<18} {payload}").replace(",\"usage\"", ", \"usage\"");
        let _ = write!(text, "\n{}", fold(&shown).trim_end());
    }
    kept("stream-answer.txt", &(text + "\n"));
}

/// The body of an answer in chunks.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    body
}

#[tokio::test]
async fn three_attempts_of_one_call() {
    let lab = lab(Setup::default()).await;
    let throttled = || {
        Step::Fault(Fault::Throttling {
            retry_after_ms: None,
        })
    };
    lab.script([throttled(), throttled(), hello()]);
    let client = lab.client_with(|config| {
        config
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .credentials_provider(Credentials::new(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "docs",
            ))
    });
    direct::ask(&client, &profile(), PROMPT, 200).await.unwrap();

    let calls = lab.calls();
    let invocations: BTreeSet<&str> = calls.iter().map(|c| c.invocation.as_str()).collect();
    let requests: BTreeSet<&str> = calls.iter().map(|c| c.request_id.as_str()).collect();
    assert_eq!((invocations.len(), requests.len()), (1, 3));
    let mut text = String::new();
    for call in &calls {
        let _ = writeln!(
            text,
            "amz-sdk-invocation-id: (the same UUID)   amz-sdk-request: {:<17} → {} {}",
            call.header("amz-sdk-request").unwrap(),
            call.status,
            call.error.as_deref().unwrap_or("OK")
        );
    }
    kept("attempts.txt", &text);
}

/// Four ways to prove who calls.
#[tokio::test]
async fn who_calls() {
    let id = profile();
    let mut rows = Vec::new();
    for temporary in [false, true] {
        let lab = lab(Setup {
            temporary_credentials: temporary,
            ..Setup::default()
        })
        .await;
        let _ = direct::ask(&lab.client(), &id, PROMPT, 200).await;
        let call = &lab.calls()[0];
        let key = call.access_key_id.clone().unwrap();
        rows.push((key[..4].to_owned(), call.session));
        assert_eq!(call.scope_service, "bedrock");
    }
    assert_eq!(
        rows,
        [("AKIA".to_owned(), false), ("ASIA".to_owned(), true)]
    );
    let lab = lab(Setup::default()).await;
    let nobody = Client::from_conf(
        aws_sdk_bedrockruntime::Config::builder()
            .behavior_version(aws_sdk_bedrockruntime::config::BehaviorVersion::latest())
            .endpoint_url(lab.url())
            .region(aws_sdk_bedrockruntime::config::Region::new("us-east-1"))
            .build(),
    );
    direct::ask(&nobody, &id, PROMPT, 200).await.unwrap_err();
    assert_eq!(lab.calls().len(), 0, "nobody's call never leaves");
}

/// What a model says that is no longer there.
#[tokio::test]
async fn a_retired_model_and_an_idle_account() {
    let now = clock().now().date();
    let ended = models()
        .models
        .iter()
        .filter(|model| model.provider == "anthropic" && !model.profiles.is_empty())
        .find(|model| model.lifecycle.eol.is_some_and(|day| day <= now))
        .expect("one has ended");
    let ended = models().profile_id(ended, "us-east-1").unwrap();
    let lab = lab(Setup::default()).await;
    let client = lab.client();
    let error = direct::ask(&client, &ended, PROMPT, 200).await.unwrap_err();
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
    lab.load("[[fault]]\nerror = \"legacy-inactive\"\n");
    let error = direct::ask(&client, &profile(), PROMPT, 200)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
    let mut text = String::new();
    for call in lab.calls() {
        let _ = writeln!(
            text,
            "{} {}\n{}\n",
            call.status,
            call.error.unwrap(),
            fold(&call.message.unwrap()).trim_end()
        );
    }
    kept("retired.txt", &text);
}
