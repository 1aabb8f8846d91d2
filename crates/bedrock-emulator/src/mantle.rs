//! Anthropic's own paths on Bedrock (host `bedrock-mantle.{region}.api.aws`): the same models and
//! the same Messages bodies as `InvokeModel`, with the model in the body, Anthropic's errors and
//! server-sent events. What its clients read is known from Anthropic's SDKs and `LiteLLM`; no answer of
//! the real host is recorded.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    auth,
    error::{ApiError, Code},
    ops::Operation,
    rng::{Rng, hash},
    wire::Request,
};

/// The media type of a stream.
pub(crate) const EVENTS: &str = "text/event-stream; charset=utf-8";

const PATH: &str = "/anthropic/v1/messages";

/// Whether a request is for one of these paths, known or not.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/anthropic/")
}

/// What routing needs to know of a body. The rest is read when the caller is known.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    model: Option<String>,
    stream: Option<bool>,
}

/// The operation and the model that a request asks for; no model is an empty one, and refused later.
pub(crate) fn route(method: &str, path: &str, body: &Bytes) -> Option<(Operation, String)> {
    let rest = path.strip_prefix(PATH).filter(|_| method == "POST")?;
    let asked: Asked = serde_json::from_slice(body).unwrap_or_default();
    let operation = match rest {
        "" if asked.stream == Some(true) => Operation::MessagesStream,
        "" => Operation::Messages,
        "/count_tokens" => Operation::MessagesCountTokens,
        _ => return None,
    };
    Some((operation, asked.model.unwrap_or_default()))
}

/// What is said when the body names no model.
pub(crate) fn no_model(body: &[u8]) -> ApiError {
    ApiError::validation(match serde_json::from_slice::<Value>(body) {
        Err(_) => "The request body is not valid JSON",
        Ok(body) if body.get("model").is_some() => "model: Input should be a valid string",
        Ok(_) => "model: Field required",
    })
}

/// Anthropic's own sentence for a model it does not have; what this host says is not known.
pub(crate) fn no_such_model(id: &str) -> ApiError {
    ApiError::bedrock(Code::ResourceNotFound, format!("model: {id}"))
}

/// Anthropic's name and status for an error (its published table of errors).
const fn kind(code: Code) -> (&'static str, u16) {
    match code {
        Code::MissingAuthenticationToken
        | Code::UnrecognizedClient
        | Code::ExpiredToken
        | Code::InvalidSignature
        | Code::IncompleteSignature => ("authentication_error", 401),
        Code::AccessDenied => ("permission_error", 403),
        Code::ResourceNotFound | Code::UnknownOperation => ("not_found_error", 404),
        Code::RequestEntityTooLarge => ("request_too_large", 413),
        Code::Throttling | Code::ServiceQuotaExceeded => ("rate_limit_error", 429),
        Code::ModelTimeout => ("timeout_error", 504),
        Code::ServiceUnavailable | Code::ModelNotReady => ("overloaded_error", 529),
        Code::InternalServer | Code::ModelError | Code::ModelStreamError => ("api_error", 500),
        _ => ("invalid_request_error", 400),
    }
}

/// The HTTP status of an error.
pub(crate) const fn status(code: Code) -> u16 {
    kind(code).1
}

/// The body of an error.
pub(crate) fn error_body(error: &ApiError, request_id: &str) -> String {
    let what = json!({ "type": kind(error.code()).0, "message": error.message() });
    json!({ "type": "error", "error": what, "request_id": request_id_of(request_id) }).to_string()
}

/// An error inside a stream.
pub(crate) fn error_event(error: &ApiError) -> Bytes {
    let what = json!({ "type": kind(error.code()).0, "message": error.message() });
    event(
        "error",
        &json!({ "type": "error", "error": what }).to_string(),
    )
}

/// One server-sent event.
pub(crate) fn event(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// The event that keeps a connection alive; it follows the first block's start.
pub(crate) fn ping() -> Bytes {
    event("ping", r#"{"type":"ping"}"#)
}

/// `req_` and 52 letters, as Anthropic's own errors show it through Bedrock (recorded); made from the
/// request's other id, so that both are found in the journal by the same entry.
pub(crate) fn request_id_of(request_id: &str) -> String {
    format!(
        "req_{}",
        Rng::new(hash(request_id), &[]).text(b"abcdefghijklmnopqrstuvwxyz234567", 52)
    )
}

/// What IAM is asked about a request with an API key.
pub(crate) const CALL_WITH_BEARER_TOKEN: &str = "bedrock-mantle:CallWithBearerToken";

/// Anthropic's SDKs sign for `bedrock-mantle`, `LiteLLM` for `bedrock`; both are published and work.
pub(crate) fn signing_name(request: &Request) -> &'static str {
    match auth::caller(request).service.as_deref() {
        Some("bedrock") => "bedrock",
        _ => "bedrock-mantle",
    }
}

/// What IAM is asked about: requests belong to a project, and to this one unless they name another
/// (AWS's service authorization reference).
pub(crate) fn project_arn(region: &str, account: &str) -> String {
    format!("arn:aws:bedrock-mantle:{region}:{account}:project/default")
}

/// Without a right to come in an answer is 401 here, where the runtime says 403 (pasted answers).
pub(crate) fn unauthenticated(error: ApiError) -> ApiError {
    match error.code() {
        Code::AccessDenied => {
            ApiError::front_door(Code::MissingAuthenticationToken, error.message())
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_body_name_operation_and_model() {
        let rows = [
            (PATH, r#"{"model":"m"}"#, Operation::Messages, "m"),
            (
                PATH,
                r#"{"model":"m","stream":true}"#,
                Operation::MessagesStream,
                "m",
            ),
            (PATH, "not json", Operation::Messages, ""),
            (PATH, r#"{"model":7}"#, Operation::Messages, ""),
            (
                "/anthropic/v1/messages/count_tokens",
                r#"{"model":"m","stream":true}"#,
                Operation::MessagesCountTokens,
                "m",
            ),
        ];
        for (path, body, operation, model) in rows {
            let found = route("POST", path, &Bytes::from_static(body.as_bytes()));
            assert_eq!(found, Some((operation, model.to_owned())), "{path} {body}");
        }
        for (method, path) in [
            ("GET", PATH),
            ("POST", "/anthropic/v1/messages/batches"),
            ("POST", "/anthropic/v1/messagess"),
        ] {
            assert_eq!(route(method, path, &Bytes::new()), None, "{method} {path}");
            assert!(owns(path));
        }
    }

    #[test]
    fn a_missing_model_is_told_from_broken_json() {
        for (body, said) in [
            ("{", "The request body is not valid JSON"),
            ("{}", "model: Field required"),
            ("[]", "model: Field required"),
            (r#"{"model":7}"#, "model: Input should be a valid string"),
        ] {
            assert_eq!(no_model(body.as_bytes()).message(), said);
        }
    }

    #[test]
    fn errors_have_anthropics_types_and_statuses() {
        let error = ApiError::validation("max_tokens: Field required");
        let body: Value = serde_json::from_str(&error_body(&error, "id")).unwrap();
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "invalid_request_error");
        assert_eq!(body["error"]["message"], "max_tokens: Field required");
        let id = body["request_id"].as_str().unwrap();
        assert_eq!((&id[..4], id.len()), ("req_", 56));
        assert_eq!(body["request_id"], request_id_of("id").as_str());
        for (code, wanted) in [
            (Code::Throttling, 429),
            (Code::ServiceUnavailable, 529),
            (Code::UnrecognizedClient, 401),
            (Code::AccessDenied, 403),
            (Code::ResourceNotFound, 404),
            (Code::InternalServer, 500),
        ] {
            assert_eq!(status(code), wanted, "{code:?}");
        }
    }
}
