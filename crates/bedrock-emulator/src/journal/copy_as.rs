//! One request as something to run again: curl and boto3 here, Rust in `rust_code`. Secrets and
//! addresses come from the environment of whoever runs it.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Caller, Entry, Record, secrets};
use crate::{auth, sigv4::encode_path};

/// A request without its secrets: enough to send it again from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) region: String,
    pub(super) operation: Option<String>,
    pub(super) model: Option<String>,
    pub(super) caller: Caller,
    pub(super) streams: bool,
}

impl Record {
    /// Its bytes as they were, but for values that are kept secret.
    pub(crate) fn again(&self) -> Again {
        let request = &self.request;
        Again {
            method: request.method.clone(),
            target: secrets::redacted_target(&request.target),
            headers: request.headers.iter().map(secrets::redacted).collect(),
            body: self.shown_bytes(&request.body).into_owned(),
            region: self.region.clone(),
            operation: self.operation.map(str::to_owned),
            model: self.model.clone(),
            caller: auth::caller(request),
            streams: self.content_type.ends_with("eventstream"),
        }
    }
}

impl From<&Entry> for Again {
    /// An entry has its body as JSON: spaces and the order of keys may differ from what was sent.
    fn from(entry: &Entry) -> Self {
        let body = entry.body.as_ref().map(Value::to_string);
        let headers = entry.headers.iter();
        Self {
            method: entry.method.clone(),
            target: secrets::redacted_target(&entry.target),
            headers: headers
                .map(|(name, value)| secrets::redacted((name, value)))
                .collect(),
            body: body.unwrap_or_default().into_bytes(),
            region: entry.region.clone(),
            operation: entry.operation.clone(),
            model: entry.model.clone(),
            caller: entry.caller.clone(),
            streams: !entry.frames.is_empty(),
        }
    }
}

/// Headers that change the answer; what signs, counts or frames is made anew.
fn carried(name: &str) -> bool {
    ["content-type", "accept", "x-amz-target", "smithy-protocol"].contains(&name)
        || name.starts_with("x-amzn-bedrock-")
        || name.starts_with("anthropic-")
}

impl Again {
    /// `POST`, …
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query, percent-encoded.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The region it was sent to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service of its credential scope, `bedrock` if it has none.
    pub fn service(&self) -> &str {
        self.caller.service.as_deref().unwrap_or("bedrock")
    }

    /// Its body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The headers that change the answer. What signs, counts or frames is not among them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter().filter(|(name, _)| carried(name));
        headers.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(name, _)| name == wanted);
        named.next().map(|(_, value)| value.as_str())
    }

    /// A shell command for `curl --aws-sigv4`.
    pub fn curl(&self) -> String {
        let caller = &self.caller;
        let mut lines = vec![format!("curl --silent --show-error -X {}", self.method)];
        if caller.bearer {
            lines.push("-H \"Authorization: Bearer $AWS_BEARER_TOKEN_BEDROCK\"".to_owned());
        } else if caller.access_key_id.is_some() {
            lines.push(format!(
                "--aws-sigv4 \"aws:amz:{}:{}\"",
                self.region,
                self.service()
            ));
            lines.push("--user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"".to_owned());
            if caller.session {
                lines.push("-H \"x-amz-security-token: $AWS_SESSION_TOKEN\"".to_owned());
            }
        } else if self.header("x-api-key").is_some() {
            lines.push("-H \"x-api-key: $ANTHROPIC_API_KEY\"".to_owned());
        }
        for (name, value) in self.headers() {
            lines.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        }
        if self.header("content-type").is_none() && !self.body.is_empty() {
            // curl would call it a form.
            lines.push("-H 'content-type: application/json'".to_owned());
        }
        let body = std::str::from_utf8(&self.body).ok();
        let body = body.filter(|text| !text.contains('\0'));
        match body {
            Some("") => {}
            Some(text) => lines.push(format!("--data-raw {}", quoted(text))),
            None => lines.push("--data-binary @-".to_owned()),
        }
        if self.streams {
            lines.push("--no-buffer --output -".to_owned());
        }
        let host = self.header("host").unwrap_or("127.0.0.1:4566");
        let host = host.replace(['"', '$', '`', '\\', '}'], "");
        let base = format!("${{AWS_ENDPOINT_URL_BEDROCK_RUNTIME:-http://{host}}}");
        let mut command = String::new();
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (self.target.as_str(), String::new()),
        };
        let signs = !caller.bearer && caller.access_key_id.is_some();
        if signs && path.contains(['%', ':']) {
            // Tried with 7.88: the path of the address is signed, the request target is sent. That
            // 8.9 and later encode it themselves is from curl's issue 13754.
            let mut encoded = String::new();
            encode_path(path, &mut encoded);
            let _ = write!(
                command,
                "# AWS signs a path encoded once more than it is sent; curl does so since 8.9.\n\
                 case \"$(curl --version)\" in\n  \
                 'curl 7.'*|'curl 8.'[0-8].*) signed={} ;;\n  *) signed={} ;;\nesac\n",
                quoted(&format!("{encoded}{query}")),
                quoted(&self.target)
            );
            lines.push(format!("--request-target {}", quoted(&self.target)));
            lines.push(format!("\"{base}$signed\""));
        } else {
            lines.push(format!("\"{base}\"{}", quoted(&self.target)));
        }
        if body.is_none() {
            let _ = write!(
                command,
                "echo {} | base64 --decode | ",
                STANDARD.encode(&self.body)
            );
        }
        command.push_str(&lines.join(" \\\n  "));
        command.push('\n');
        command
    }

    /// A Python script for boto3; `None` for what is not an operation on a model.
    pub fn boto3(&self) -> Option<String> {
        let (operation, model) = (self.operation.as_deref()?, self.model.as_deref()?);
        let body = std::str::from_utf8(&self.body).ok()?;
        let model = Value::from(model);
        let region = Value::from(self.region.as_str());
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
}

/// In single quotes, as POSIX shells take it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A Python string literal. JSON's escapes are Python's, but for those of characters beyond the
/// basic plane, which `serde_json` writes as themselves.
fn python(text: &str) -> String {
    Value::from(text).to_string()
}
