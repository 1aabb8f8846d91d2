//! Each format read, written to a folder, and read back as the same bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, time::Duration};

use bedrock_emulator::{
    tape::Recording,
    wire::{Body, Due, End, Frame},
};
use bedrock_recordings::{
    Exchange, folder,
    import::{self, ImportError},
    scrub,
};
use bytes::Bytes;

/// A `messageStop` as Bedrock frames it, in base64.
const MESSAGE: &str = "AAAAhAAAAFE9KKhZCzpldmVudC10eXBlBwALbWVzc2FnZVN0b3ANOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb24NOm1lc3NhZ2UtdHlwZQcABWV2ZW50eyJwIjoiYWJjIiwic3RvcFJlYXNvbiI6ImVuZF90dXJuIn2Ke73Q";

fn message() -> Bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(MESSAGE).unwrap().into()
}

/// Imports `text`, writes and reads it, and says `method target request → status body`.
fn through(text: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let imported = import::read(text).unwrap();
    for exchange in &imported.exchanges {
        folder::append(dir.path(), exchange).unwrap();
    }
    let read = folder::read(dir.path()).unwrap();
    let named = |r: &Recording| Recording {
        name: String::new(),
        ..r.clone()
    };
    let before: Vec<_> = imported
        .exchanges
        .iter()
        .map(|e| e.recording.clone())
        .collect();
    assert_eq!(
        read.iter().map(named).collect::<Vec<_>>(),
        before,
        "nothing is lost on disk"
    );
    read.iter().map(shown).collect()
}

fn shown(r: &Recording) -> String {
    let body = match &r.body {
        Body::Frames { frames, .. } => format!("{} frames", frames.len()),
        whole => String::from_utf8(whole.bytes().to_vec()).unwrap(),
    };
    let request = String::from_utf8(r.request.to_vec()).unwrap();
    format!("{} {} {request} → {} {body}", r.method, r.target, r.status)
}

#[test]
fn nock() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(MESSAGE).unwrap();
    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let text = r#"[
  {"scope": "https://bedrock-runtime.us-east-1.amazonaws.com:443", "method": "POST",
   "path": "/model/m-v1%3A0/converse", "body": {"b": 1, "a": [2.5]}, "status": 200,
   "response": {"z": "é", "a": {}}, "rawHeaders": ["Content-Type", "application/json"], "responseIsBinary": false},
  {"scope": "https://bedrock-runtime.us-east-1.amazonaws.com:443", "method": "POST",
   "path": "/model/m-v1%3A0/converse-stream", "body": {"b": 1}, "status": 200,
   "response": "HEX", "rawHeaders": ["Content-Type", "application/vnd.amazon.eventstream"], "responseIsBinary": true}
]"#;
    assert_eq!(
        through(&text.replace("HEX", &hex.concat())),
        [
            r#"POST /model/m-v1%3A0/converse {"b":1,"a":[2.5]} → 200 {"z":"é","a":{}}"#,
            r#"POST /model/m-v1%3A0/converse-stream {"b":1} → 200 1 frames"#,
        ]
    );
}

#[test]
fn vcrpy_with_binary_and_parsed_bodies_and_other_hosts() {
    let text = r#"interactions:
- request:
    body: null
    headers: {}
    method: GET
    uri: https://example.test/picture.webp
  response:
    body:
      string: !!binary |
        AAEC
    headers: {}
    status: {code: 200, message: OK}
- request:
    body: '{"it''s": 1}'
    headers:
      Accept:
      - !!binary |
        YXBwbGljYXRpb24vanNvbg==
      ? !!python/object/apply:multidict._multidict.istr
      - Content-Type
      : - application/json
      X-Amz-Security-Token:
      - secret
      authorization:
      - AWS4-HMAC-SHA256 Credential=secret
    method: POST
    uri: https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream
  response:
    body:
      string: !!binary |
        MESSAGE
    headers:
      Content-Type:
      - application/vnd.amazon.eventstream
      Set-Cookie: secret
    status:
      code: 200
      message: OK
- request:
    headers: {}
    method: POST
    parsed_body:
      b: text
      a: [1, 2.5, true, null]
    uri: https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke
  response:
    headers:
      x-amzn-errortype: ['ThrottlingException:']
    parsed_body:
      message: Too many tokens
    status: {code: 429, message: Too Many Requests}
version: 1
"#;
    let text = text.replace("MESSAGE", MESSAGE);
    assert_eq!(
        through(&text),
        [
            r#"POST /model/m/converse-stream {"it's": 1} → 200 1 frames"#,
            r#"POST /model/m/invoke {"b":"text","a":[1,2.5,true,null]} → 429 {"message":"Too many tokens"}"#,
        ]
    );
    let imported = import::read(&text).unwrap();
    assert_eq!(imported.skipped.len(), 1);
    assert!(imported.skipped[0].contains("example.test"));
    let kept: Vec<&str> = imported.exchanges[0]
        .request_headers
        .iter()
        .map(|h| &*h.1)
        .collect();
    assert_eq!(kept, ["application/json", "application/json"]);
    assert!(!format!("{imported:?}").contains("secret"));
}

#[test]
fn ruby_and_r_vcr() {
    let text = "---
http_interactions:
- request:
    method: post
    uri: https://bedrock-runtime.<AWS_REGION>.amazonaws.com/model/m:0/converse
    body:
      encoding: UTF-8
      string: '{\"a\":\"one
        two\"}'
    headers: {Content-Type: [application/json]}
  response:
    status:
      code: 200
      message: OK
    headers: {X-Amzn-Requestid: [id]}
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        eyJvayI6dHJ1ZX0=
  recorded_at: Wed, 19 Aug 2026 14:34:42 GMT
- request:
    method: POST
    uri: https://bedrock-runtime.us-east-1.amazonaws.com/model/m:0/converse
    body:
      string: '{}'
  response:
    status: 200
    headers: {date: today}
    body:
      string: \"{\\\"ok\\\":2}\"
recorded_with: VCR 6.3.1
";
    assert_eq!(
        through(text),
        [
            r#"POST /model/m:0/converse {"a":"one two"} → 200 {"ok":true}"#,
            r#"POST /model/m:0/converse {} → 200 {"ok":2}"#,
        ]
    );
}

#[test]
fn wiremock_mappings() {
    let yaml = r#"---
id: 1
request:
  url: /model/m%3A0/invoke
  method: POST
  bodyPatterns:
  - equalToJson: |-
      { "a" : [ 1 ] }
    ignoreArrayOrder: false
response:
  status: 200
  body: "{\"ok\":true}"
  headers: {Content-Type: application/json}
"#;
    let line = "POST /model/m%3A0/invoke { \"a\" : [ 1 ] } → 200 {\"ok\":true}";
    assert_eq!(through(yaml), [line]);
    let json = r#"{"mappings": [{"request": {"urlPath": "/model/m/invoke", "method": "POST", "bodyPatterns": [{"equalToJson": {"b": 1, "a": 2}}]},
                    "response": {"status": 503, "jsonBody": {"message": "x"}}}]}"#;
    let line = r#"POST /model/m/invoke {"b":1,"a":2} → 503 {"message":"x"}"#;
    assert_eq!(through(json), [line]);
}

#[test]
fn dd_apm_test_agent() {
    let json = r#"{"request": {"method": "POST", "url": "https://bedrock-runtime.us-east-1.amazonaws.com/model/m:0/invoke",
      "headers": {"Content-Type": "application/json", "User-Agent": "x"}, "body": "{\"a\": 1}"},
      "response": {"status": {"code": 200, "message": "OK"}, "headers": {"X-Amzn-Bedrock-Input-Token-Count": "17"}, "body": "{\"ok\":1}"}}"#;
    assert_eq!(
        through(json),
        [r#"POST /model/m:0/invoke {"a": 1} → 200 {"ok":1}"#]
    );
}

#[test]
fn what_is_no_recording_is_said() {
    let error = |text: &str| import::read(text).unwrap_err();
    assert!(matches!(error("{\"a\": 1}"), ImportError::Unknown));
    assert!(matches!(error("a: [1"), ImportError::Unreadable(_)));
    let incomplete = error("interactions:\n- request: {method: GET, uri: /}\n");
    assert_eq!(
        incomplete.to_string(),
        "exchange number 1: it has no `response`"
    );
}

fn exchange(target: &str, body: Body) -> Exchange {
    Exchange {
        recording: Recording {
            name: String::new(),
            method: "POST".to_owned(),
            target: target.to_owned(),
            request: Bytes::from_static(b"{}"),
            status: 200,
            headers: vec![("x-amzn-RequestId".to_owned(), "a:b".to_owned())],
            body,
        },
        request_headers: Vec::new(),
    }
}

#[test]
fn a_folder_reads_like_a_page_and_keeps_times_and_cuts() {
    let dir = tempfile::tempdir().unwrap();
    let at = |ms| Due::After(Duration::from_millis(ms));
    let frames = [12, 40].map(|ms| Frame {
        due: at(ms),
        bytes: message(),
    });
    let stream = exchange(
        "/model/some.model-v1%3A0/converse-stream",
        Body::Frames {
            frames: frames.to_vec(),
            end: End::Cut,
        },
    );
    let binary = exchange(
        "/model/arn:aws:bedrock:us-east-1:111122223333:x%2Fy/invoke",
        Body::Whole {
            due: at(7),
            bytes: Bytes::from_static(b"\xff\x00"),
        },
    );
    assert_eq!(
        folder::append(dir.path(), &stream).unwrap(),
        "0001-converse-stream-some.model-v1_0"
    );
    assert_eq!(
        folder::append(dir.path(), &scrub::accounts(binary)).unwrap(),
        "0002-invoke-y"
    );
    let lines = dir
        .path()
        .join("0001-converse-stream-some.model-v1_0/stream.jsonl");
    assert_eq!(
        fs::read_to_string(lines).unwrap().lines().nth(1).unwrap(),
        r#"{"at_ms":40,"event":"messageStop","payload":{"p":"abc","stopReason":"end_turn"}}"#
    );
    fs::create_dir(dir.path().join("notes")).unwrap();
    let read = folder::read(dir.path()).unwrap();
    assert_eq!(read.len(), 2, "other folders are passed over");
    assert_eq!(read[0].body, stream.recording.body);
    assert_eq!(read[0].headers, stream.recording.headers);
    assert!(
        read[1].target.contains(":123456789012:"),
        "{}",
        read[1].target
    );
    assert_eq!(read[1].body.bytes(), &b"\xff\x00"[..]);
}

#[test]
fn broken_folders_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let one = dir.path().join("0001-x");
    fs::create_dir(&one).unwrap();
    let read = || folder::read(dir.path()).unwrap_err().to_string();
    let describe = |text: &str| fs::write(one.join("exchange.json"), text).unwrap();
    describe("{");
    assert!(read().ends_with("exchange.json is not a description of an exchange"));
    describe(
        r#"{"request":{"method":"GET","target":"/"},"response":{"status":200,"body":{"stream":"s.jsonl"}}}"#,
    );
    assert!(read().ends_with("s.jsonl cannot be read"));
    fs::write(one.join("s.jsonl"), "{}\n").unwrap();
    assert!(read().ends_with("s.jsonl, line 1: not a message of a stream"));
    // A description cannot reach out of its folder.
    fs::write(dir.path().join("secret.txt"), "secret").unwrap();
    describe(
        r#"{"request":{"method":"GET","target":"/"},"response":{"status":200,"body":{"exact":"../secret.txt"}}}"#,
    );
    assert!(read().ends_with("secret.txt cannot be read"));
}
