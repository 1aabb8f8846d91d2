//! Functions: by their ARN, and by `arn:aws:states:::lambda:invoke`.
//!
//! What a function fails with is the `errorType` of its answer, whether it says so itself or Lambda
//! does for it (`Runtime.ExitError`, `Sandbox.Timedout`). Older timeouts came without one and were
//! `Lambda.Unknown` with the text below (pasted by many; the developer guide still says so);
//! definitions of AWS's own solutions match `Sandbox.Timedout` today.

use std::sync::Arc;

use bedrock_emulator::Emulator;
use serde_json::{Map, Value, json};
use states_language::TaskFailure;

use super::{
    api::{common, exception, older_cause},
    ask::{Ask, Told},
    bedrock::encoded,
    required, text,
};
use crate::states::TaskCall;

/// What `lambda:invoke` takes beside name and payload, and the header it is (service model).
const HEADERS: [(&str, &str); 3] = [
    ("InvocationType", "x-amz-invocation-type"),
    ("ClientContext", "x-amz-client-context"),
    ("LogType", "x-amz-log-type"),
];

/// A task whose resource is the function: the input is the event, the answer the result.
pub(super) async fn by_arn(
    emulator: &Arc<Emulator>,
    arn: &str,
    call: &TaskCall,
) -> Result<Value, TaskFailure> {
    let ask = Ask {
        target: target(arn, None),
        headers: Vec::new(),
        body: call.input.to_string().into(),
    };
    payload(&asked(ask, emulator, call).await?)
}

/// The service integration.
pub(super) async fn invoke(
    emulator: &Arc<Emulator>,
    call: &TaskCall,
) -> Result<Value, TaskFailure> {
    let mut headers = Vec::new();
    for (member, header) in HEADERS {
        if let Some(value) = text(call, member)? {
            headers.push((header, value.to_owned()));
        }
    }
    let event = call.input.get("Payload");
    let ask = Ask {
        target: target(required(call, "FunctionName")?, text(call, "Qualifier")?),
        headers,
        body: event.map_or_else(String::new, ToString::to_string).into(),
    };
    let told = asked(ask, emulator, call).await?;
    // Recorded. Of an event that was only queued nothing is recorded: it has no payload.
    let mut result = Map::new();
    for (member, header) in [
        ("ExecutedVersion", "x-amz-executed-version"),
        ("LogResult", "x-amz-log-result"),
    ] {
        if let Some(value) = told.header(header) {
            result.insert(member.to_owned(), value.into());
        }
    }
    let answer = if told.body.is_empty() {
        json!("")
    } else {
        payload(&told)?
    };
    result.insert("Payload".to_owned(), answer);
    for (member, value) in told.metadata() {
        result.insert(member.to_owned(), value);
    }
    result.insert("StatusCode".to_owned(), told.status.into());
    Ok(result.into())
}

fn target(function: &str, qualifier: Option<&str>) -> String {
    let target = format!("/2015-03-31/functions/{}/invocations", encoded(function));
    match qualifier {
        Some(qualifier) => format!("{target}?Qualifier={}", encoded(qualifier)),
        None => target,
    }
}

/// What Lambda answered; its own refusals are failures (the form is recorded).
async fn asked(ask: Ask, emulator: &Arc<Emulator>, call: &TaskCall) -> Result<Told, TaskFailure> {
    let told = ask.send(emulator, call).await.map_err(|broken| {
        let error = format!("Lambda.{}", broken.error);
        TaskFailure::new(error, broken.cause)
    })?;
    let Some((code, message)) = told.error() else {
        return Ok(told);
    };
    let name = if common(&code) {
        "AWSLambdaException".to_owned()
    } else {
        exception(&code)
    };
    let (status, id) = (told.status, told.request_id());
    Err(TaskFailure::new(
        format!("Lambda.{name}"),
        older_cause("AWSLambda", &code, &message, status, id),
    ))
}

/// The function's answer, or what it failed with.
fn payload(told: &Told) -> Result<Value, TaskFailure> {
    let answer: Result<Value, _> = serde_json::from_slice(&told.body);
    let text = String::from_utf8_lossy(&told.body);
    if told.header("x-amz-function-error").is_none() {
        return answer.map_err(|_| {
            let cause = format!("The function's answer is not JSON. Returned payload: {text}");
            TaskFailure::new("Lambda.Unknown", cause)
        });
    }
    let answer = answer.unwrap_or_default();
    Err(match answer["errorType"].as_str() {
        Some(error) if !error.is_empty() => TaskFailure::new(error, text),
        _ => TaskFailure::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. \
                 Returned payload: {text}"
            ),
        ),
    })
}
