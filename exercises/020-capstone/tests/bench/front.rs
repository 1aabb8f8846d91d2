//! The API in front: Amazon API Gateway with a key for each customer, and your `tickets` behind it.

use std::sync::Arc;

use bytes::Bytes;
use ex020::{Deps, tickets};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use workshop_testkit::{Value, json};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::gateway::{Api, Functions, Settings, Target},
};

/// The customers.
pub(crate) const TENANTS: [&str; 3] = ["acme", "brand", "corso"];

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:tickets";

/// Where `POST /tickets` goes.
pub(crate) struct Front {
    host: String,
    path: String,
}

impl Front {
    /// Puts the API in front of your function.
    pub(crate) fn open(lab: &AwsLab, deps: Deps) -> Self {
        let settings = Settings::read("settings", &settings().to_string());
        let settings = settings.expect("API Gateway takes the settings");
        let api = Api::read("api", &api().to_string(), settings);
        let api = api.expect("API Gateway takes the document");
        let base = lab.services().gateway.deploy(api, function(deps));
        let url = lab.url();
        let host = url.strip_prefix("http://").expect("the lab's URL");
        Self {
            host: host.to_owned(),
            path: format!("{base}/tickets"),
        }
    }
}

/// One customer's request; status and body of the answer.
pub(crate) async fn post(front: &Front, tenant: Option<&str>, body: &str) -> (u16, Value) {
    let Front { host, path } = front;
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    if let Some(tenant) = tenant {
        head += &format!("x-api-key: {}\r\n", key(tenant));
    }
    let length = body.len();
    head += &format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    let mut tcp = TcpStream::connect(host).await.expect("the lab listens");
    let sent = tcp.write_all(format!("{head}{body}").as_bytes()).await;
    sent.expect("the lab listens");
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).await.expect("the lab answers");
    let answer = String::from_utf8_lossy(&bytes);
    let (head, text) = answer.split_once("\r\n\r\n").expect("HTTP");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    (status.expect("HTTP"), body)
}

fn key(tenant: &str) -> String {
    format!("5a37c1e0-key-of-{tenant}")
}

fn api() -> Value {
    let uri = format!(
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    );
    json!({
        "openapi": "3.0.1",
        "info": { "title": "tickets", "version": "1" },
        "security": [{ "api_key": [] }],
        "paths": { "/tickets": { "post": {
            "responses": { "202": { "description": "The queue has it" } },
            "x-amazon-apigateway-integration": {
                "type": "aws_proxy", "httpMethod": "POST", "uri": uri,
            },
        } } },
        "components": { "securitySchemes": {
            "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" },
        } },
    })
}

fn settings() -> Value {
    let keys = TENANTS.map(|tenant| json!({ "id": tenant, "value": key(tenant) }));
    json!({
        "apiKeys": keys,
        "usagePlans": [{ "name": "all", "keys": TENANTS }],
    })
}

/// Your function in this process, asked by its ARN.
fn function(deps: Deps) -> Arc<dyn Functions> {
    Arc::new(move |target: Target, event: Bytes| {
        let deps = deps.clone();
        async move {
            let raised = |error: &dyn std::fmt::Display| {
                Bytes::from(json!({ "errorMessage": error.to_string() }).to_string())
            };
            if target.arn != FUNCTION {
                return Err(raised(&format!("nobody knows {}", target.arn)));
            }
            let event = String::from_utf8_lossy(&event).into_owned();
            let request = lambda_http::request::from_str(&event).map_err(|e| raised(&e))?;
            // As a task: a panic is an answer of the function's, as it is in Lambda.
            let work = tokio::spawn(async move { tickets(&deps, request).await });
            let response = match work.await {
                Ok(response) => response.map_err(|e| raised(&e))?,
                Err(died) => return Err(raised(&super::account::said(&*died.into_panic()))),
            };
            let body = String::from_utf8_lossy(response.body()).into_owned();
            let answer = json!({ "statusCode": response.status().as_u16(), "body": body });
            Ok(Bytes::from(answer.to_string()))
        }
    })
}
