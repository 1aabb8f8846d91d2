//! The function of the pattern "Workflow" that fetches a text too long for an execution's input. On AWS
//! it would read it from a bucket; here the text lies in this file.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let fetch = |event: LambdaEvent<Value>| async move {
        match event.payload["pointer"].as_str() {
            Some("long-text") => Ok("Say in one sentence what a river is. ".repeat(50)),
            Some(other) => Err(format!("nothing lies at {other:?}")),
            None => Err("the event needs a \"pointer\"".to_owned()),
        }
    };
    lambda_runtime::run(service_fn(|event| async move {
        fetch(event).await.map_err(Error::from)
    }))
    .await
}
