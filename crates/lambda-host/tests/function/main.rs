//! A real `lambda_runtime` program for the tests: `INIT` says how it starts, the event's `do` how it
//! handles.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio, exit},
};

use lambda_runtime::{
    Error, FunctionResponse, LambdaEvent, service_fn,
    streaming::{Body, Response, channel},
};
use serde_json::{Value, json};

type Reply = FunctionResponse<Value, Body>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    println!("initializing");
    match env::var("INIT").as_deref() {
        Ok("exit") => exit(3),
        Ok("hang") => std::future::pending().await,
        Ok("error") => init_error()?,
        // Fails as long as the file is not there, and makes it.
        Ok("flaky") => {
            let file = env::var("FLAKY")?;
            if !std::path::Path::new(&file).exists() {
                std::fs::write(file, "")?;
                exit(4);
            }
        }
        _ => {}
    }
    let mut handled = 0;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        handled += 1;
        handle(event, handled)
    }))
    .await
}

async fn handle(event: LambdaEvent<Value>, handled: u32) -> Result<Reply, Error> {
    let (payload, context) = event.into_parts();
    let what = payload["do"].as_str().unwrap_or("echo").to_owned();
    let answer = match what.as_str() {
        "echo" => payload,
        "context" => json!({
            "request_id": context.request_id,
            "deadline_ms": context.deadline,
            "arn": context.invoked_function_arn,
            "trace_id": context.xray_trace_id,
            "client": context.client_context.map(|c| c.custom),
        }),
        "environment" => env::vars().map(|(k, v)| (k, json!(v))).collect(),
        "count" => json!({ "handled": handled, "pid": std::process::id() }),
        "fail" => return Err(Error::from("it failed")),
        "panic" => panic!("it panicked"),
        "exit" => exit(payload["code"].as_i64().unwrap_or(1).try_into()?),
        "abort" => std::process::abort(),
        "hang" => {
            println!("hanging");
            std::future::pending().await
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        // Answers when the other side closes the connection.
        "wait" => {
            let mut gate = TcpStream::connect(payload["at"].as_str().unwrap_or_default())?;
            gate.read_to_end(&mut Vec::new())?;
            json!("waited")
        }
        "print" => {
            let line = payload["line"].as_str().unwrap_or("x");
            let mut out = std::io::stdout().lock();
            for number in 0..payload["times"].as_u64().unwrap_or(1) {
                writeln!(out, "{number} {line}")?;
            }
            eprint!("and no line feed");
            json!("printed")
        }
        "large" => {
            let length = payload["bytes"].as_u64().unwrap_or_default();
            json!("x".repeat(length.try_into()?))
        }
        "grandchild" => json!(grandchild(payload["leave"] == true)?),
        "stream" => {
            let (mut sender, body) = channel();
            tokio::spawn(async move {
                for part in ["one ", "two ", "three"] {
                    let _ = sender.send_data(part.into()).await;
                }
            });
            return Ok(FunctionResponse::StreamingResponse(Response::from(body)));
        }
        other => return Err(format!("cannot do '{other}'").into()),
    };
    Ok(FunctionResponse::BufferedResponse(answer))
}

/// Starts a process that would go on for ever, in our group or out of it.
fn grandchild(leave: bool) -> Result<u32, Error> {
    let mut command = if leave {
        let mut command = Command::new("setsid");
        command.args(["sleep", "100000"]);
        command
    } else {
        let mut command = Command::new("sleep");
        command.arg("100000");
        command
    };
    let child = command.stdin(Stdio::null()).spawn()?;
    Ok(child.id())
}

/// What runtimes for other languages do when they cannot load the handler.
fn init_error() -> Result<(), Error> {
    let api = env::var("AWS_LAMBDA_RUNTIME_API")?;
    let body = r#"{"errorType":"Config.Missing","errorMessage":"TABLE is not set"}"#;
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\
         Lambda-Runtime-Function-Error-Type: Runtime.ConfigMissing\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(api)?;
    connection.write_all(request.as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    println!("{}", answer.lines().next().unwrap_or_default());
    exit(1)
}
