//! Given: what the function is built with, and the id of a request. Not to be edited.

use std::time::Duration;

use aws_sdk_bedrockruntime::Client;
use lambda_http::{
    Request, RequestExt,
    request::RequestContext::{ApiGatewayV1, ApiGatewayV2},
};

/// Built once, when an environment of the function starts. Every invocation gets the same one.
#[derive(Debug, Clone)]
pub struct App {
    /// The Bedrock client, with its connections.
    pub client: Client,
    /// The model's inference profile.
    pub model: String,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// Longest prompt, in bytes of UTF-8.
    pub max_prompt: usize,
    /// Longest wait for Bedrock. Shorter than the function's own timeout.
    pub bedrock_timeout: Duration,
}

/// The id that the caller, the gateway's access log and you know this request by.
pub fn request_id(request: &Request) -> &str {
    let id = match request.request_context_ref() {
        Some(ApiGatewayV1(rest_api)) => rest_api.request_id.as_deref(),
        Some(ApiGatewayV2(http_api)) => http_api.request_id.as_deref(),
        _ => None,
    };
    let own = || Some(request.lambda_context_ref()?.request_id.as_str());
    id.or_else(own).unwrap_or("unknown")
}
