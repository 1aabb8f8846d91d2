//! What Lambda answers when it refuses: names, statuses and members are the service model's (which
//! spells the text `message` in some and `Message` in others), the texts AWS's where they are known.

use bedrock_emulator::{error::ApiError, neighbour::OwnCode};
use lambda_host::{ConfigError, InvokeError};
use serde_json::json;

use super::place::Place;

static RESOURCE_NOT_FOUND: OwnCode =
    OwnCode::new("ResourceNotFoundException", 404).texted("Message");
static SERVICE: OwnCode = OwnCode::new("ServiceException", 500).texted("Message");
static TOO_MANY_REQUESTS: OwnCode = OwnCode::new("TooManyRequestsException", 429);
static REQUEST_TOO_LARGE: OwnCode = OwnCode::new("RequestTooLargeException", 413);
static INVALID_REQUEST_CONTENT: OwnCode = OwnCode::new("InvalidRequestContentException", 400);
static INVALID_PARAMETER_VALUE: OwnCode = OwnCode::new("InvalidParameterValueException", 400);
static RESOURCE_CONFLICT: OwnCode = OwnCode::new("ResourceConflictException", 409);
static PRECONDITION_FAILED: OwnCode = OwnCode::new("PreconditionFailedException", 412);
static VALIDATION: OwnCode = OwnCode::new("ValidationException", 400);
static ACCESS_DENIED: OwnCode = OwnCode::new("AccessDeniedException", 403).texted("Message");
static UNKNOWN_OPERATION: OwnCode = OwnCode::new("UnknownOperationException", 404);

/// `Type` says whose fault it is.
fn error(code: &'static OwnCode, message: impl Into<String>) -> ApiError {
    let whose = if code.status < 500 { "User" } else { "Service" };
    code.error(message).with("Type", json!(whose))
}

/// No function is there.
pub(super) fn no_function(arn: &str) -> ApiError {
    error(&RESOURCE_NOT_FOUND, format!("Function not found: {arn}"))
}

/// The function is asked for in another region than its ARN says.
pub(super) fn another_region(named: &str, called: &str) -> ApiError {
    error(
        &RESOURCE_NOT_FOUND,
        format!("Functions from '{named}' are not reachable in this region ('{called}')"),
    )
}

/// Nothing else that is named so is there.
pub(super) fn no_resource() -> ApiError {
    error(
        &RESOURCE_NOT_FOUND,
        "The resource you requested does not exist.",
    )
}

/// A value that makes no sense here.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    error(&INVALID_PARAMETER_VALUE, message)
}

/// A value that the service model excludes.
pub(super) fn constraint(value: impl std::fmt::Display, member: &str, rule: &str) -> ApiError {
    VALIDATION.error(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must {rule}"
    ))
}

/// It is there already.
pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    error(&RESOURCE_CONFLICT, message)
}

/// The resource changed since the caller looked at it.
pub(super) fn another_revision() -> ApiError {
    error(
        &PRECONDITION_FAILED,
        "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias \
         API to retrieve the latest RevisionId",
    )
}

/// A function of another account: resource policies are not emulated, so nobody is let in.
pub(super) fn another_account(caller: &str, action: &str, arn: &str) -> ApiError {
    ACCESS_DENIED.error(format!(
        "User: {caller} is not authorized to perform: {action} on resource: {arn} because no \
         resource-based policy allows the {action} action"
    ))
}

/// Lambda itself cannot carry it out.
pub(super) fn service(message: impl Into<String>) -> ApiError {
    error(&SERVICE, message)
}

/// Lambda has it and this emulator has not.
pub(super) fn not_emulated(what: &str) -> ApiError {
    UNKNOWN_OPERATION.error(format!("{what}: not emulated by Bedrock Workshop."))
}

/// The host's refusal of an invocation.
pub(super) fn refused(refusal: &InvokeError, place: &Place) -> ApiError {
    let text = refusal.to_string();
    match refusal {
        InvokeError::ResourceNotFound(_) => no_function(&place.arn()),
        InvokeError::TooManyRequests(reason) => error(&TOO_MANY_REQUESTS, text)
            .with("Reason", json!(reason.as_str()))
            // Lambda does not say when an environment will be free (chosen: its own first pause).
            .with_header("Retry-After", "1"),
        InvokeError::RequestTooLarge { .. } => error(&REQUEST_TOO_LARGE, text),
        InvokeError::InvalidRequestContent(_) => error(&INVALID_REQUEST_CONTENT, text),
        InvokeError::InvalidParameterValue(_) => invalid(text),
        InvokeError::Service(_) => service(text),
    }
}

/// The host's refusal of a configuration.
pub(super) fn misconfigured(refusal: &ConfigError, place: &Place) -> ApiError {
    match refusal {
        ConfigError::InvalidParameterValue(text) => invalid(text),
        ConfigError::ResourceConflict(_) => {
            conflict(format!("Function already exist: {}", place.name))
        }
        ConfigError::ResourceNotFound(_) => no_function(&place.arn()),
    }
}
