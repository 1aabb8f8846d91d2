//! One request as something to run again: curl, boto3, Rust. Secrets and addresses come from the
//! environment of whoever runs it.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Record, answer};
use crate::auth;

/// Headers that change the answer; what signs, counts or frames is made anew.
fn carried(name: &str) -> bool {
    ["content-type", "accept", "x-amz-target", "smithy-protocol"].contains(&name)
        || name.starts_with("x-amzn-bedrock-")
        || name.starts_with("anthropic-")
}

/// A shell command for `curl --aws-sigv4`.
pub(crate) fn curl(record: &Record) -> String {
    let request = &record.request;
    let caller = auth::caller(request);
    let service = caller.service.as_deref().unwrap_or("bedrock");
    let mut lines = vec![format!("curl --silent --show-error -X {}", request.method)];
    if caller.bearer {
        lines.push("-H \"Authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK\"".to_owned());
    } else if caller.access_key_id.is_some() {
        lines.push(format!(
            "--aws-sigv4 \"aws:amz:{}:{service}\"",
            record.region
        ));
        lines.push("--user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"".to_owned());
        if caller.session {
            lines.push("-H \"x-amz-security-token: $AWS_SESSION_TOKEN\"".to_owned());
        }
    } else if request.header("x-api-key").is_some() {
        lines.push("-H \"x-api-key: $ANTHROPIC_API_KEY\"".to_owned());
    }
    for (name, value) in request.headers.iter().filter(|(name, _)| carried(name)) {
        lines.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
    }
    if request.header("content-type").is_none() && !request.body.is_empty() {
        // curl would call it a form.
        lines.push("-H 'content-type: application/json'".to_owned());
    }
    let shown = record.shown_bytes(&request.body);
    let body = std::str::from_utf8(&shown).ok();
    let body = body.filter(|text| !text.contains('\0'));
    match body {
        Some("") => {}
        Some(text) => lines.push(format!("--data-raw {}", quoted(text))),
        None => lines.push("--data-binary @-".to_owned()),
    }
    if record.content_type.ends_with("eventstream") {
        lines.push("--no-buffer --output -".to_owned());
    }
    let host = request.header("host").unwrap_or("127.0.0.1:4566");
    let target = super::redacted_target(&request.target);
    lines.push(format!(
        "\"${{AWS_ENDPOINT_URL_BEDROCK_RUNTIME:-http://{}}}\"{}",
        host.replace(['"', '$', '`', '\\', '}'], ""),
        quoted(&target)
    ));
    let mut command = String::new();
    let path = request.target.split('?').next().unwrap_or_default();
    if path.contains(['%', ':']) && !caller.bearer {
        command.push_str(
            "# The path has a colon or an escape: curl 7 signs such a path otherwise than AWS does.\n",
        );
    }
    if body.is_none() {
        let _ = write!(
            command,
            "echo {} | base64 --decode | ",
            STANDARD.encode(&shown)
        );
    }
    command.push_str(&lines.join(" \\\n  "));
    command.push('\n');
    command
}

/// In single quotes, as POSIX shells take it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A Python script for boto3; `None` for what is not an operation on a model.
pub(crate) fn boto3(record: &Record) -> Option<String> {
    let (operation, model) = (record.operation?, record.model.as_deref()?);
    let body = std::str::from_utf8(&record.request.body).ok()?;
    let model = Value::from(model);
    let region = Value::from(record.region.as_str());
    let client = format!("client = boto3.client(\"bedrock-runtime\", region_name={region})\n");
    let members = format!("modelId={model}, **json.loads({})", python(body));
    let (call, read) = match operation {
        "Converse" => (
            format!("client.converse({members})"),
            "print(response[\"output\"][\"message\"])\n",
        ),
        "ConverseStream" => (
            format!("client.converse_stream({members})"),
            "for event in response[\"stream\"]:\n    print(event)\n",
        ),
        "CountTokens" => (
            format!("client.count_tokens({members})"),
            "print(response[\"inputTokens\"])\n",
        ),
        "InvokeModel" => (
            format!(
                "client.invoke_model(modelId={model}, body={})",
                python(body)
            ),
            "print(json.loads(response[\"body\"].read()))\n",
        ),
        "InvokeModelWithResponseStream" => (
            format!(
                "client.invoke_model_with_response_stream(modelId={model}, body={})",
                python(body)
            ),
            "for event in response[\"body\"]:\n    print(json.loads(event[\"chunk\"][\"bytes\"]))\n",
        ),
        _ => return None,
    };
    Some(format!(
        "import json\n\nimport boto3\n\n# Address and credentials come from the environment: eval \"$(workshop env)\"\n\
         {client}response = {call}\n{read}"
    ))
}

/// A Python string literal. JSON's escapes are Python's, but for those of characters beyond the
/// basic plane, which `serde_json` writes as themselves.
fn python(text: &str) -> String {
    Value::from(text).to_string()
}

/// Rust for `aws-sdk-bedrockruntime`; `None` for what is not an operation on a model.
pub(crate) fn rust(record: &Record) -> Option<String> {
    let (operation, model) = (record.operation?, record.model.as_deref()?);
    let body = std::str::from_utf8(&record.request.body).ok()?;
    let method = match operation {
        "Converse" => "converse",
        "ConverseStream" => "converse_stream",
        "InvokeModel" => "invoke_model",
        "InvokeModelWithResponseStream" => "invoke_model_with_response_stream",
        _ => return None,
    };
    let mut out = String::from(
        "let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;\n\
         let client = aws_sdk_bedrockruntime::Client::new(&config);\n",
    );
    let _ = write!(
        out,
        "let response = client\n    .{method}()\n    .model_id({model:?})\n"
    );
    if method.starts_with("invoke") {
        let _ = writeln!(out, "    .content_type(\"application/json\")");
        let _ = writeln!(out, "    .body(Blob::new({body:?}))");
    } else {
        let body = answer::body_json(&record.request.body)?;
        converse_members(&body, &mut out);
    }
    out.push_str("    .send()\n    .await?;\n");
    Some(out)
}

/// The members of a Converse request as builder calls. What has no short form is named, not dropped
/// in silence.
fn converse_members(body: &Value, out: &mut String) {
    let list = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    for text in list("system").filter_map(|block| block.get("text")?.as_str()) {
        let _ = writeln!(
            out,
            "    .system(SystemContentBlock::Text({text:?}.to_owned()))"
        );
    }
    for message in list("messages") {
        let role = match message.get("role").and_then(Value::as_str) {
            Some("assistant") => "Assistant",
            _ => "User",
        };
        let _ = write!(
            out,
            "    .messages(\n        Message::builder()\n            .role(ConversationRole::{role})\n"
        );
        for block in message
            .get("content")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let _ = match block.get("text").and_then(Value::as_str) {
                Some(text) => writeln!(
                    out,
                    "            .content(ContentBlock::Text({text:?}.to_owned()))"
                ),
                None => writeln!(
                    out,
                    "            // to be written by hand: {}",
                    short(block)
                ),
            };
        }
        out.push_str("            .build()?,\n    )\n");
    }
    if let Some(config) = body.get("inferenceConfig").and_then(Value::as_object) {
        out.push_str("    .inference_config(\n        InferenceConfiguration::builder()\n");
        for (name, value) in config {
            let _ = match (name.as_str(), value.as_array()) {
                ("maxTokens", _) => writeln!(out, "            .max_tokens({value})"),
                ("temperature", _) => writeln!(out, "            .temperature({value})"),
                ("topP", _) => writeln!(out, "            .top_p({value})"),
                ("stopSequences", Some(stops)) => stops
                    .iter()
                    .try_for_each(|stop| writeln!(out, "            .stop_sequences({stop})")),
                _ => Ok(()),
            };
        }
        out.push_str("            .build(),\n    )\n");
    }
    let written = ["system", "messages", "inferenceConfig"];
    for (name, value) in body.as_object().into_iter().flatten() {
        if !written.contains(&name.as_str()) {
            let _ = writeln!(
                out,
                "    // to be written by hand: {name}: {}",
                short(value)
            );
        }
    }
}

/// One line of at most a hundred characters.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
