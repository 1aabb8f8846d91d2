//! The Lambda proxy: an HTTP event in, an HTTP answer out, and never a surprise.
//!
//! The handler works on the plain JSON of proxy events (REST APIs, HTTP APIs and function URLs
//! put method, body and request id in slightly different places), so it can be tested without a
//! Lambda runtime. In a deployed function, `lambda_runtime` calls it.

use std::{fmt, time::Duration};

use aws_sdk_bedrockruntime::Client;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    direct::{AskError, Reply, ask},
    retry::{Verdict, classify},
};

/// Built once, outside the handler: invocations of one instance share connections.
#[derive(Debug, Clone)]
pub struct App {
    /// The Bedrock client.
    pub client: Client,
    /// An inference profile id.
    pub model: String,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// Longest prompt, in bytes.
    pub max_prompt: usize,
    /// Longest wait for Bedrock; shorter than the function's own timeout.
    pub patience: Duration,
}

// region: handler
/// Answers one proxy event.
pub async fn handler(app: &App, event: &Value) -> Value {
    let request_id = event["requestContext"]["requestId"].as_str();
    let (status, body, retry_after) = match answer(app, event).await {
        Ok(reply) => {
            let body = json!({"text": reply.text, "stopReason": reply.stop.as_str()});
            (200, body, None)
        }
        Err(refusal) => {
            let body = json!({"error": refusal.to_string()});
            (refusal.status(), body, refusal.retry_after())
        }
    };
    let mut headers = json!({
        "content-type": "application/json",
        "x-request-id": request_id.unwrap_or("none"),
    });
    if let Some(seconds) = retry_after {
        headers["retry-after"] = json!(seconds.to_string());
    }
    json!({
        "statusCode": status,
        "headers": headers,
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

async fn answer(app: &App, event: &Value) -> Result<Reply, Refusal> {
    let prompt = prompt(event, app.max_prompt)?;
    let call = ask(&app.client, &app.model, &prompt, app.max_tokens);
    match timeout(app.patience, call).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(Refusal::from(&error)),
        Err(_) => Err(Refusal::UpstreamTooSlow),
    }
}
// endregion: handler

// region: prompt
/// Takes the prompt out of an event, or says whose fault it is that there is none.
fn prompt(event: &Value, max: usize) -> Result<String, Refusal> {
    let http_api = &event["requestContext"]["http"]["method"];
    let method = event["httpMethod"].as_str().or(http_api.as_str());
    if method != Some("POST") {
        return Err(Refusal::Method);
    }
    let text = event["body"].as_str().ok_or(Refusal::NotJson)?;
    // The JSON around the prompt and base64 make the body longer than the prompt, but not
    // without bound: this refuses a huge body before it is decoded and parsed.
    if text.len() > max.saturating_mul(8).saturating_add(1024) {
        return Err(Refusal::TooLong);
    }
    let bytes = if event["isBase64Encoded"] == true {
        BASE64_STANDARD.decode(text).map_err(|_| Refusal::NotJson)?
    } else {
        text.as_bytes().to_vec()
    };
    let body: Value = serde_json::from_slice(&bytes).map_err(|_| Refusal::NotJson)?;
    match body["prompt"].as_str() {
        Some(prompt) if prompt.len() > max => Err(Refusal::TooLong),
        Some(prompt) if !prompt.trim().is_empty() => Ok(prompt.to_owned()),
        _ => Err(Refusal::NoPrompt),
    }
}
// endregion: prompt

// region: status
/// Every way not to answer. The texts are for the caller: no ARN, no account, no SDK message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Method,
    NotJson,
    NoPrompt,
    TooLong,
    Busy { retry_after: u64 },
    UpstreamTooSlow,
    Upstream,
}

impl Refusal {
    fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::NotJson => 400,
            Self::NoPrompt => 422,
            Self::TooLong => 413,
            Self::Busy { .. } => 429,
            Self::UpstreamTooSlow => 504,
            Self::Upstream => 502,
        }
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::Busy { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

impl From<&AskError> for Refusal {
    fn from(error: &AskError) -> Self {
        let AskError::Sdk(sdk) = error else {
            return Self::Upstream;
        };
        match (classify(sdk), error.code()) {
            (Verdict::Throttled { hint }, _) => Self::Busy {
                retry_after: hint.map_or(1, whole_seconds),
            },
            (_, Some("ModelTimeoutException")) => Self::UpstreamTooSlow,
            _ => Self::Upstream,
        }
    }
}

/// Rounded up, as the header counts seconds.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
// endregion: status

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "send a POST request",
            Self::NotJson => "the body must be a JSON object",
            Self::NoPrompt => "the body needs a string \"prompt\" that is not blank",
            Self::TooLong => "the prompt is too long",
            Self::Busy { .. } => "too many requests at the moment; wait and try again",
            Self::UpstreamTooSlow => "the model took too long",
            Self::Upstream => "the model could not answer",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use workshop_testkit::{Fault, Lab, Step};

    use super::{App, handler};

    fn app(lab: &Lab) -> App {
        App {
            client: lab.client(),
            model: lab.profile("haiku"),
            max_tokens: 64,
            max_prompt: 100,
            patience: Duration::from_secs(30),
        }
    }

    /// An event of a REST API.
    fn post(body: impl Into<Value>) -> Value {
        json!({
            "httpMethod": "POST",
            "body": body.into(),
            "isBase64Encoded": false,
            "requestContext": {"requestId": "req-1"},
        })
    }

    fn status(answer: &Value) -> u64 {
        assert_eq!(answer["headers"]["content-type"], "application/json");
        let body = answer["body"].as_str().unwrap();
        assert!(serde_json::from_str::<Value>(body).unwrap().is_object());
        answer["statusCode"].as_u64().unwrap()
    }

    #[tokio::test]
    async fn a_bad_request_gets_its_own_status_and_costs_nothing() {
        let lab = Lab::start().await;
        let app = app(&lab);
        let long = json!({"prompt": "x".repeat(101)}).to_string();
        for (event, wanted) in [
            (json!({"httpMethod": "GET", "body": null}), 405),
            (json!({}), 405),
            (post(Value::Null), 400),
            (post(""), 400),
            (post("{"), 400),
            (post("[1]"), 422),
            (post("{}"), 422),
            (post(r#"{"prompt": 7}"#), 422),
            (post(r#"{"prompt": " \n"}"#), 422),
            (post(long), 413),
            (post("x".repeat(2_000)), 413),
            (
                json!({"httpMethod": "POST", "body": "%%%", "isBase64Encoded": true}),
                400,
            ),
        ] {
            assert_eq!(status(&handler(&app, &event).await), wanted, "{event}");
        }
        assert!(lab.calls().is_empty());
    }

    #[tokio::test]
    async fn a_good_request_is_answered_whatever_the_kind_of_event() {
        let lab = Lab::start().await;
        let app = app(&lab);
        let prompt = r#"{"prompt": "Hello"}"#;
        for event in [
            post(prompt),
            json!({
                "version": "2.0",
                "body": "eyJwcm9tcHQiOiAiSGVsbG8ifQ==",
                "isBase64Encoded": true,
                "requestContext": {"requestId": "req-1", "http": {"method": "POST"}},
            }),
        ] {
            lab.script([Step::text("Good morning")]);
            let answer = handler(&app, &event).await;
            assert_eq!(status(&answer), 200);
            assert_eq!(answer["headers"]["x-request-id"], "req-1");
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(
                body,
                json!({"text": "Good morning", "stopReason": "end_turn"})
            );
        }
        assert_eq!(lab.stats().connections, 1, "the client is built once");
    }

    #[tokio::test]
    async fn bedrocks_failures_are_translated_and_never_passed_on() {
        let lab = Lab::start().await;
        let app = app(&lab);
        for (fault, wanted, retry_after) in [
            (
                Fault::Throttling {
                    retry_after_ms: Some(2_100),
                },
                429,
                json!("3"),
            ),
            (Fault::ModelNotReady, 429, json!("1")),
            (Fault::AccessDenied, 502, Value::Null),
            (Fault::Validation("arn:aws:secret".into()), 502, Value::Null),
            (Fault::InternalServer, 502, Value::Null),
            (Fault::ModelTimeout, 504, Value::Null),
        ] {
            lab.script([Step::Fault(fault.clone())]);
            let answer = handler(&app, &post(r#"{"prompt": "Hello"}"#)).await;
            assert_eq!(status(&answer), wanted, "{fault:?}");
            assert_eq!(answer["headers"]["retry-after"], retry_after, "{fault:?}");
            let text = answer.to_string();
            for leak in ["arn:", "Exception", "model ID"] {
                assert!(!text.contains(leak), "{fault:?}: {text}");
            }
        }
    }

    #[tokio::test]
    async fn a_model_that_hangs_is_given_up_in_time() {
        let lab = Lab::start().await;
        lab.script([Step::Fault(Fault::Hang)]);
        let app = App {
            patience: Duration::from_millis(50),
            ..app(&lab)
        };
        let answer = handler(&app, &post(r#"{"prompt": "Hello"}"#)).await;
        assert_eq!(status(&answer), 504);
    }
}
