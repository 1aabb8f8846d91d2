//! Three functions in one program: `STEP` says which one it is.

use std::env;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let mut payload = event.payload;
    let pid = std::process::id();
    match env::var("STEP").as_deref() {
        Ok("preprocess") => {
            let text = payload["text"].as_str().unwrap_or_default().trim();
            Ok(json!({"text": text, "pids": [pid]}))
        }
        Ok("invoke") => {
            payload["answer"] = json!(format!("You said: {}", payload["text"]));
            append(&mut payload, pid);
            Ok(payload)
        }
        Ok("post") => {
            append(&mut payload, pid);
            Ok(payload)
        }
        Ok("fail") => Err("it failed".into()),
        Ok("hang") => std::future::pending().await,
        Ok("exit") => std::process::exit(3),
        Ok("echo") => Ok(payload),
        other => Err(format!("no such step: {other:?}").into()),
    }
}

fn append(payload: &mut Value, pid: u32) {
    if let Some(pids) = payload["pids"].as_array_mut() {
        pids.push(pid.into());
    }
}
