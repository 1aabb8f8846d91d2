//! A real `lambda_runtime` program for the tests: a batch of SQS messages, a request to an API, or
//! an event whose `do` says what to do. Only for this crate's tests.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::exit,
    time::SystemTime,
};

use aws_credential_types::Credentials;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (payload, context) = event.into_parts();
    if payload.get("Records").is_some() {
        let batch = work_off(serde_json::from_value(payload)?)?;
        return Ok(serde_json::to_value(batch)?);
    }
    if payload.get("httpMethod").is_some() {
        let told = json!({ "pid": std::process::id(), "body": payload["body"] });
        return Ok(json!({ "statusCode": 201, "body": told.to_string() }));
    }
    Ok(match payload["do"].as_str().unwrap_or("echo") {
        "echo" => payload,
        "context" => json!({
            "request_id": context.request_id,
            "arn": context.invoked_function_arn,
            "client": context.client_context.map(|c| c.custom),
        }),
        "environment" => env::vars().map(|(k, v)| (k, json!(v))).collect(),
        "print" => {
            println!("{}", payload["line"].as_str().unwrap_or_default());
            json!("printed")
        }
        "pid" => json!(std::process::id()),
        "fail" => return Err(Error::from("it failed")),
        "exit" => exit(1),
        "hang" => std::future::pending().await,
        "converse" => converse(payload["model"].as_str().unwrap_or_default())?,
        other => return Err(format!("cannot do '{other}'").into()),
    })
}

/// `poison` is never handled; `crash` ends the process when it is received for the first time; `fail`
/// fails the whole batch then; `bogus` names a message that is not here.
fn work_off(event: SqsEvent) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    println!("batch of {}", event.records.len());
    for message in event.records {
        let first = receives(&message) == 1;
        let id = message.message_id.clone().unwrap_or_default();
        match message.body.as_deref().unwrap_or_default() {
            "poison" => response.add_failure(id),
            "crash" if first => exit(1),
            "fail" if first => return Err(Error::from("not now")),
            "bogus" if first => response.add_failure("nobody"),
            "show" => println!("{}", serde_json::to_string(&message)?),
            body => println!("handled {body}"),
        }
    }
    Ok(response)
}

fn receives(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// Asks Bedrock with the credentials that Lambda put into the environment, signed as an SDK would.
fn converse(model: &str) -> Result<Value, Error> {
    let url = env::var("AWS_ENDPOINT_URL")?;
    let host = url.strip_prefix("http://").ok_or("an http:// URL")?;
    let path = format!("/model/{}/converse", model.replace(':', "%3A"));
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "hello" }] }] });
    let body = body.to_string();
    let identity: Identity = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        Some(env::var("AWS_SESSION_TOKEN")?),
        None,
        "environment",
    )
    .into();
    let region = env::var("AWS_REGION")?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("bedrock")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let url = format!("{url}{path}");
    let headers = [("host", host), ("content-type", "application/json")];
    let signable = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new("POST", &url, headers.into_iter(), signable)?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in instructions.headers() {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let mut connection = TcpStream::connect(host)?;
    connection.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(json!({ "status": status, "body": body }))
}
