//! The pages of the open proxy and of the template: a REST API in front of a function in this process.

use std::{fmt::Write as _, sync::Arc};

use aws_sdk_bedrockruntime::Client;
use bytes::Bytes;
use post_snippets::direct::ask;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use workshop_testkit::{LAMBDA, Step};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::gateway::{Api, Settings, Target},
};

use super::{brief, throttling};
use crate::kept::kept;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:explain";

/// The snippet's `handler`: `Err` is what it throws.
async fn handler(client: &Client, model: &str, event: &Value) -> Result<Value, Value> {
    // JSON.parse takes `null`, and the text "null", for null; taking it apart throws.
    let body = event["body"].as_str().unwrap_or("null");
    let body: Value = serde_json::from_str(body)
        .map_err(|error| json!({"errorType": "SyntaxError", "errorMessage": error.to_string()}))?;
    let message = body["message"].as_str();
    let message = message.ok_or_else(
        || json!({"errorType": "TypeError", "errorMessage": "Cannot destructure property 'message'"}),
    )?;
    let explained = ask(client, model, message, 200).await;
    let explained = explained.map_err(
        |error| json!({"errorType": "ThrottlingException", "errorMessage": error.to_string()}),
    )?;
    let answer = json!({"text": explained.text, "stop": explained.stop.as_str()});
    Ok(json!({"statusCode": 200, "body": answer.to_string()}))
}

struct Proxy {
    lab: AwsLab,
    base: String,
}

/// An API with that method on `/explain`, and these settings of its stage.
async fn proxy(methods: &[&str], settings: &Value) -> Proxy {
    let lab = AwsLab::start().await;
    let operation = json!({
        "responses": {"200": {"description": "what it means"}},
        "x-amazon-apigateway-integration": {
            "httpMethod": "POST",
            "type": "aws_proxy",
            "uri": format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"),
        },
    });
    let path: serde_json::Map<String, Value> = methods
        .iter()
        .map(|method| ((*method).to_owned(), operation.clone()))
        .collect();
    let document = json!({
        "openapi": "3.0.1",
        "info": {"title": "explain", "version": "1"},
        "paths": {"/explain": path},
        "x-amazon-apigateway-binary-media-types": ["application/octet-stream"],
    });
    let settings = Settings::read("settings", &settings.to_string()).unwrap();
    let api = Api::read("api", &document.to_string(), settings).unwrap();
    let (client, model) = (lab.client_at(&LAMBDA), lab.profile("haiku"));
    let function = move |_: Target, event: Bytes| {
        let (client, model) = (client.clone(), model.clone());
        async move {
            let event: Value = serde_json::from_slice(&event).unwrap();
            let ended = handler(&client, &model, &event).await;
            let json = |value: Value| Bytes::from(value.to_string());
            ended.map(json).map_err(json)
        }
    };
    let base = lab.services().gateway.deploy(api, Arc::new(function));
    Proxy { lab, base }
}

impl Proxy {
    /// One request without credentials, and what came back.
    async fn send(&self, method: &str, media: &str, body: &str) -> (String, String) {
        let url = self.lab.url();
        let host = url.strip_prefix("http://").unwrap();
        let sent = format!(
            "{method} {}/explain HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-type: {media}\r\ncontent-length: {}\r\n\r\n{body}",
            self.base,
            body.len()
        );
        let mut tcp = TcpStream::connect(host).await.unwrap();
        tcp.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).await.unwrap();
        // The address of an API has its id in it; a caller's own name for it would not.
        let sent = sent.replacen(&self.base, "", 1);
        (brief(sent.as_bytes()), brief(&answer))
    }

    fn asked(&self) -> usize {
        let calls = self.lab.calls().into_iter();
        calls.filter(|call| call.operation == "Converse").count()
    }
}

fn no_settings() -> Value {
    json!({})
}

#[tokio::test]
async fn bodies_that_are_nobodys_fault() {
    let proxy = proxy(&["post"], &no_settings()).await;
    let mut text = String::new();
    for (media, body) in [
        ("application/json", ""),
        ("application/json", "null"),
        ("application/json", "Error: ENOENT"),
        (
            "application/octet-stream",
            "{\"message\": \"Error: ENOENT\"}",
        ),
    ] {
        let (sent, answer) = proxy.send("POST", media, body).await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{sent}{answer}");
        let _ = writeln!(text, "{sent}\n{answer}");
    }
    assert_eq!(proxy.asked(), 0);
    kept("bugs/null-body.http", &text);
}

#[tokio::test]
async fn slow_down_becomes_broken() {
    let proxy = proxy(&["post"], &no_settings()).await;
    proxy.lab.script([throttling()]);
    let body = "{\"message\": \"Error: ENOENT\"}";
    let (sent, answer) = proxy.send("POST", "application/json", body).await;
    let mut calls = proxy.lab.calls().into_iter();
    let call = calls.rfind(|call| call.operation == "Converse").unwrap();
    kept(
        "bugs/throttled-proxy.http",
        &format!(
            "{sent}\n        the function asks Bedrock: {} {}\n\n{answer}",
            call.status,
            call.error.unwrap()
        ),
    );
}

#[tokio::test]
async fn a_stranger_may_ask_anything() {
    let proxy = proxy(&["post"], &no_settings()).await;
    proxy
        .lab
        .script([Step::text("It means that a file is missing.")]);
    let message = "Error: ENOENT. ".repeat(400_000 / 15);
    let body = json!({"message": message}).to_string();
    let (_, answer) = proxy.send("POST", "application/json", &body).await;
    let calls = proxy.lab.calls();
    let usage = calls.iter().find_map(|call| call.usage).unwrap();
    kept(
        "bugs/open-proxy.txt",
        &format!(
            "POST /explain\n  credentials     none\n  characters      {}\n\nthe answer\n  {}\n\n\
             what Bedrock bills\n  input tokens    {} (as the emulator counts)\n",
            message.len(),
            answer.lines().next().unwrap(),
            usage.input
        ),
    );
}

#[tokio::test]
async fn a_cache_that_posts_pass_by() {
    let settings = json!({
        "stage": {
            "cacheClusterEnabled": true,
            "methodSettings": {"*/*": {"cachingEnabled": true}},
        },
    });
    let proxy = proxy(&["post", "get"], &settings).await;
    let mut text =
        String::from("requests, all alike                    calls that reached the model\n");
    for (method, note) in [("POST", ""), ("GET", "   (for comparison)")] {
        let before = proxy.asked();
        for _ in 0..2 {
            // A GET with a body, so that the same function answers both.
            let body = "{\"message\": \"Error: ENOENT\"}";
            let (_, answer) = proxy.send(method, "application/json", body).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let what = format!("2 × {method} /explain{note}");
        let _ = writeln!(text, "{what:<38} {}", proxy.asked() - before);
    }
    kept("bugs/cached-post.txt", &text);
}
