//! A stand-in for Claude Code: one request, made as Claude Code would with a given `env` block.

use aws_sdk_bedrockruntime::{
    config::{Credentials, Region},
    error::DisplayErrorContext,
    primitives::Blob,
    types::ResponseStream,
};
use serde_json::{Map, Value, json};

use crate::Lab;

/// The settings do not lead to an answer from Bedrock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShimError {
    /// Claude Code would talk to Anthropic's own API.
    #[error("CLAUDE_CODE_USE_BEDROCK is not 1, so Claude Code would not use Bedrock at all")]
    NotBedrock,
    /// No region to sign for and to send to.
    #[error("AWS_REGION is missing; Claude Code does not read it from the AWS profile")]
    NoRegion,
    /// No model is pinned.
    #[error("no model: set ANTHROPIC_MODEL or ANTHROPIC_DEFAULT_SONNET_MODEL")]
    NoModel,
    /// Bedrock answered with an error, or not at all.
    #[error("{0}")]
    Bedrock(String),
}

/// Acts as Claude Code would with these settings (`{"env": {…}}`, or the block itself): one
/// `InvokeModelWithResponseStream` with a Messages body, to the lab. Returns the answer's text.
///
/// Only the settings are read, never the environment of the process. Requests go to the lab
/// whatever `ANTHROPIC_BEDROCK_BASE_URL` says, and are signed with the lab's key pair unless the
/// settings hold another one.
pub async fn claude_shim(settings: &Value, lab: &Lab) -> Result<String, ShimError> {
    let env = Env::new(settings);
    if !matches!(env.get("CLAUDE_CODE_USE_BEDROCK"), Some("1" | "true")) {
        return Err(ShimError::NotBedrock);
    }
    let region = env.get("AWS_REGION").ok_or(ShimError::NoRegion)?;
    let model = env.model().ok_or(ShimError::NoModel)?;
    let client = lab.client_with(|config| {
        let config = config.region(Region::new(region.to_owned()));
        match env.credentials() {
            Some(credentials) => config.credentials_provider(credentials),
            None => config,
        }
    });
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "messages": [{ "role": "user", "content": "Reply with one short sentence." }],
    });
    let answer = client
        .invoke_model_with_response_stream()
        .model_id(model)
        .content_type("application/json")
        .body(Blob::new(body.to_string()))
        .send()
        .await;
    let mut events = answer.map_err(|e| bedrock(&e))?.body;
    let mut text = String::new();
    while let Some(event) = events.recv().await.map_err(|e| bedrock(&e))? {
        if let ResponseStream::Chunk(chunk) = event {
            let bytes = chunk.bytes.unwrap_or_else(|| Blob::new(Vec::new()));
            let event: Value = serde_json::from_slice(bytes.as_ref()).unwrap_or_default();
            text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        }
    }
    Ok(text)
}

fn bedrock(error: &(impl std::error::Error + 'static)) -> ShimError {
    ShimError::Bedrock(DisplayErrorContext(error).to_string())
}

/// The `env` block.
struct Env<'a>(Option<&'a Map<String, Value>>);

impl<'a> Env<'a> {
    fn new(settings: &'a Value) -> Self {
        Self(settings.get("env").unwrap_or(settings).as_object())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let value = self.0?.get(name)?.as_str()?.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    /// `ANTHROPIC_MODEL`, where an alias stands for the pin of its tier; else Sonnet's pin.
    fn model(&self) -> Option<&'a str> {
        let pin = |tier: &str| self.get(&format!("ANTHROPIC_DEFAULT_{tier}_MODEL"));
        match self.get("ANTHROPIC_MODEL") {
            Some(alias @ ("opus" | "sonnet" | "haiku")) => pin(&alias.to_uppercase()),
            Some(model) => Some(model),
            None => pin("SONNET")
                .or_else(|| pin("OPUS"))
                .or_else(|| pin("HAIKU")),
        }
    }

    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new(
            self.get("AWS_ACCESS_KEY_ID")?,
            self.get("AWS_SECRET_ACCESS_KEY")?,
            self.get("AWS_SESSION_TOKEN").map(ToOwned::to_owned),
            None,
            "settings",
        ))
    }
}
