//! `arn:aws:states:::bedrock:invokeModel`.

use std::{fmt::Write as _, sync::Arc};

use bedrock_emulator::Emulator;
use serde_json::{Value, json};
use states_language::TaskFailure;

use super::{api::sdk_failure, ask::Ask, required, text, unusable};
use crate::states::TaskCall;

/// What the integration takes (documented), and what of it is a header of the request.
const HEADERS: [(&str, &str, &str); 5] = [
    ("ContentType", "content-type", "application/json"),
    ("Accept", "accept", "application/json"),
    (
        "GuardrailIdentifier",
        "x-amzn-bedrock-guardrailidentifier",
        "",
    ),
    ("GuardrailVersion", "x-amzn-bedrock-guardrailversion", ""),
    ("Trace", "x-amzn-bedrock-trace", ""),
];

pub(super) async fn invoke_model(
    emulator: &Arc<Emulator>,
    call: &TaskCall,
) -> Result<Value, TaskFailure> {
    let model = required(call, "ModelId")?;
    for name in ["Input", "Output"] {
        if call.input.get(name).is_some_and(|value| !value.is_null()) {
            let why = format!(
                "The field '{name}' is not supported by Bedrock Workshop: there is no S3; use 'Body'"
            );
            return Err(unusable(call, &why));
        }
    }
    let Some(body) = call.input.get("Body") else {
        return Err(unusable(
            call,
            "The field 'Body' is required but was missing",
        ));
    };
    // Text is the body as it is: for models whose body is not JSON.
    let body = match body {
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let mut headers = Vec::new();
    for (member, header, default) in HEADERS {
        let value = text(call, member)?.unwrap_or(default);
        if !value.is_empty() {
            headers.push((header, value.to_owned()));
        }
    }
    let ask = Ask {
        target: format!("/model/{}/invoke", encoded(model)),
        headers,
        body: body.into(),
    };
    let told = ask.send(emulator, call).await.map_err(|broken| {
        let error = format!("Bedrock.{}", broken.error);
        TaskFailure::new(error, broken.cause)
    })?;
    if let Some((code, message)) = told.error() {
        return Err(sdk_failure(
            "Bedrock",
            "BedrockRuntime",
            &code,
            &message,
            &told,
        ));
    }
    let body: Value = serde_json::from_slice(&told.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&told.body).into());
    let content_type = told.header("content-type").unwrap_or("application/json");
    Ok(json!({"Body": body, "ContentType": content_type}))
}

/// An id or ARN as one segment of a path.
pub(super) fn encoded(id: &str) -> String {
    let mut segment = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                segment.push(char::from(byte));
            }
            byte => {
                let _ = write!(segment, "%{byte:02X}");
            }
        }
    }
    segment
}
