//! Given: who may ask, what a request is, and what the gate says. Not to be edited.

use bytes::Bytes;
use lambda_http::http::Method;
use serde_json::{Value, json};

/// Milliseconds since 1970-01-01 00:00 UTC.
pub type Millis = u64;

/// What a customer has bought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Tokens that flow into the bucket per second. More than 0, and not always a whole number.
    pub rate_per_s: f64,
    /// Tokens that the bucket holds. It is full at first.
    pub burst: u32,
    /// Requests from 00:00 to 24:00 UTC.
    pub quota_per_day: u32,
}

/// Somebody who has a key.
#[derive(Debug, Clone)]
pub struct Customer {
    /// The key's id, for people and logs.
    pub id: String,
    /// What the customer sends as `x-api-key`.
    pub key: String,
    /// `None`: has a key and has bought nothing.
    pub plan: Option<Plan>,
}

/// A request, as far as the gate looks at it.
#[derive(Debug, Clone)]
pub struct GwRequest {
    /// `POST`, …
    pub method: Method,
    /// `/ask` or `/facts/{topic}`.
    pub path: String,
    /// The header `x-api-key`.
    pub api_key: Option<String>,
    /// Empty for a `GET`.
    pub body: Bytes,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The client gets this status and nothing behind the gate hears of it.
    Reject {
        /// 403, 429 or 400.
        status: u16,
        /// Of a 429: whole seconds until it is worth asking again, at least 1.
        retry_after: Option<u32>,
    },
    /// The client gets an answer that was kept.
    Cached(Bytes),
    /// The function is asked, and `Gate::store` told what it answered.
    Forward,
}

/// What a body must look like, in JSON Schema.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["prompt"],
        "properties": { "prompt": { "type": "string", "minLength": 1, "maxLength": 200 } },
        "additionalProperties": false,
    })
}

/// Whether a body is JSON that keeps to a schema. It knows the words that [`schema`] uses; API Gateway
/// knows all of JSON Schema draft 4.
pub fn fits(schema: &Value, body: &[u8]) -> bool {
    serde_json::from_slice(body).is_ok_and(|body| keeps_to(schema, &body))
}

fn keeps_to(schema: &Value, value: &Value) -> bool {
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("string") => value.is_string(),
        _ => true,
    };
    let limit = |name: &str| schema[name].as_u64();
    let length = value.as_str().map_or(0, |text| text.chars().count() as u64);
    let is_of_length = !value.is_string()
        || limit("minLength").is_none_or(|least| least <= length)
            && limit("maxLength").is_none_or(|most| length <= most);
    let mut required = schema["required"].as_array().into_iter().flatten();
    let is_complete =
        required.all(|name| name.as_str().is_some_and(|name| value.get(name).is_some()));
    let mut members = value.as_object().into_iter().flatten();
    let members_fit = members.all(|(name, member)| match schema["properties"].get(name) {
        Some(schema) => keeps_to(schema, member),
        None => schema["additionalProperties"] != false,
    });
    is_of_type && is_of_length && is_complete && members_fit
}

/// How API Gateway names a Lambda function that it asks. `function` is the function's ARN.
pub fn invocation_uri(function: &str) -> String {
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations")
}
