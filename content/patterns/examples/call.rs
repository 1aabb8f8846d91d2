//! One command for each pattern: sends what a client sends, waits for the end, and says what happened.
//!
//! `cargo run -p patterns --example call -- direct`, and so on; without a word it runs all five.

use std::{
    collections::HashMap,
    env,
    error::Error,
    process::ExitCode,
    time::{Duration, Instant},
};

use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_types::SdkConfig;
use bedrock_emulator::catalogue::Catalogue;
use patterns::queue::Job;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

type Outcome = Result<String, Box<dyn Error>>;

const PROMPT: &str = "Say in one sentence what a river is.";
/// Whoever waits longer than this waits for nothing.
const PATIENCE: Duration = Duration::from_mins(1);
const PATTERNS: [&str; 5] = ["direct", "lambda", "gateway", "queue", "workflow"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let asked: Vec<String> = env::args().skip(1).collect();
    let unknown = asked.iter().find(|name| !PATTERNS.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        eprintln!(
            "There is no pattern {unknown:?}; there are {}.",
            PATTERNS.join(", ")
        );
        return ExitCode::from(2);
    }
    let config = match patterns::sdk_config() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}: a variable is missing; run  eval \"$(workshop env)\"  first.");
            return ExitCode::from(2);
        }
    };
    for name in PATTERNS {
        if !asked.is_empty() && !asked.iter().any(|one| one == name) {
            continue;
        }
        match call(name, &config).await {
            Ok(said) => println!("{name:<9} {said}"),
            Err(error) => {
                eprintln!("{name:<9} {}", whole(&*error));
                eprintln!(
                    "Does  workshop serve --local content/patterns/local.toml  run, and at the address \
                     in AWS_ENDPOINT_URL?"
                );
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

async fn call(name: &str, config: &SdkConfig) -> Outcome {
    match name {
        "direct" => direct(config).await,
        "lambda" => lambda(config).await,
        "gateway" => gateway(config).await,
        "queue" => queue(config).await,
        _ => workflow(config).await,
    }
}

/// An error with its causes; the SDK's own text names only the kind.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// The code asks Bedrock itself.
async fn direct(config: &SdkConfig) -> Outcome {
    let catalogue = Catalogue::built_in()?;
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let model = catalogue.id_to_call("haiku", &region);
    let model = model.ok_or("the catalogue has no haiku")?;
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(PROMPT.to_owned()))
        .build()?;
    let client = aws_sdk_bedrockruntime::Client::new(config);
    let call = client.converse().model_id(model).messages(message);
    let answer = call.send().await?;
    let message = answer.output().and_then(|output| output.as_message().ok());
    let texts = message.into_iter().flat_map(Message::content);
    let texts: Vec<&str> = texts
        .filter_map(|block| block.as_text().ok().map(String::as_str))
        .collect();
    Ok(texts.concat())
}

/// A function asks Bedrock; the client holds the event of an HTTP API in its hands.
async fn lambda(config: &SdkConfig) -> Outcome {
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/ask",
        "rawQueryString": "",
        "headers": { "content-type": "application/json" },
        "requestContext": {
            "http": { "method": "POST", "path": "/ask", "protocol": "HTTP/1.1" },
            "requestId": "by-hand",
            "stage": "$default",
            "timeEpoch": 0,
        },
        "body": json!({ "prompt": PROMPT }).to_string(),
        "isBase64Encoded": false,
    });
    let client = aws_sdk_lambda::Client::new(config);
    let invoke = client.invoke().function_name("ask");
    let invoked = invoke.payload(Blob::new(event.to_string())).send().await?;
    let payload = invoked.payload().map(Blob::as_ref).unwrap_or_default();
    let answer: Value = serde_json::from_slice(payload)?;
    match answer["statusCode"].as_u64() {
        Some(200) => Ok(text(answer["body"].as_str().unwrap_or_default())),
        _ => Err(format!("the function answered {answer}").into()),
    }
}

/// The same function behind a gateway: whoever asks has an API key and no AWS credentials.
async fn gateway(config: &SdkConfig) -> Outcome {
    let url = config.endpoint_url().unwrap_or_default();
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let body = json!({ "prompt": PROMPT }).to_string();
    let request = format!(
        "POST /_aws/execute-api/workshop/dev/ask HTTP/1.1\r\nhost: {host}\r\n\
         x-api-key: only-for-this-machine\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("the gateway answered {head}\n{body}").into());
    }
    Ok(text(body))
}

/// The words in `{"text": "…"}`.
fn text(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["text"].as_str().unwrap_or_default().to_owned()
}

/// A job is sent and done later. The client finds the answer in a table.
async fn queue(config: &SdkConfig) -> Outcome {
    let queues = aws_sdk_sqs::Client::new(config);
    let url = queues.get_queue_url().queue_name("jobs").send().await?;
    let url = url.queue_url().ok_or("the queue has no URL")?.to_owned();
    let job = Job {
        tenant: "acme".to_owned(),
        user: "somebody@example.com".to_owned(),
        request: format!("by-hand-{}", std::process::id()),
        prompt: PROMPT.to_owned(),
    };
    let id = patterns::queue::enqueue(&queues, &url, &job).await?;
    let tables = aws_sdk_dynamodb::Client::new(config);
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let row = tables
            .get_item()
            .table_name("jobs")
            .key("job_id", AttributeValue::S(id.clone()))
            .send()
            .await?;
        let row: HashMap<String, AttributeValue> = row.item.unwrap_or_default();
        let column = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned();
        match column("job_state").as_deref() {
            Some("DONE") => return Ok(column("answer").unwrap_or_default()),
            Some("REJECTED") => return Err("the job was rejected".into()),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    Err("the job is not done after a minute".into())
}

/// A state machine fetches a long text, asks Bedrock by itself, and keeps the answer in its output.
async fn workflow(config: &SdkConfig) -> Outcome {
    let client = aws_sdk_sfn::Client::new(config);
    let machines = client.list_state_machines().send().await?;
    let machine = machines
        .state_machines()
        .iter()
        .find(|m| m.name() == "answer");
    let arn = machine
        .ok_or("there is no state machine \"answer\"")?
        .state_machine_arn();
    let start = client.start_execution().state_machine_arn(arn);
    let input = json!({ "id": "by-hand", "pointer": "long-text" }).to_string();
    let execution = start.input(input).send().await?;
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let told = client
            .describe_execution()
            .execution_arn(execution.execution_arn())
            .send()
            .await?;
        match told.status() {
            ExecutionStatus::Running => tokio::time::sleep(Duration::from_millis(200)).await,
            ExecutionStatus::Succeeded => {
                let output: Value = serde_json::from_str(told.output().unwrap_or_default())?;
                return Ok(output["texts"][0].as_str().unwrap_or_default().to_owned());
            }
            other => return Err(format!("the execution ended as {other}: {told:?}").into()),
        }
    }
    Err("the execution is not done after a minute".into())
}
