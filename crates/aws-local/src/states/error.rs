//! The service's own error codes. All of them are 400s; the names on the wire are measured.

use bedrock_emulator::{error::ApiError, neighbour::OwnCode};

macro_rules! codes {
    ($($name:ident = $text:literal,)*) => {
        $(pub(super) static $name: OwnCode = OwnCode::new($text, 400)
            .on_the_wire(concat!("com.amazonaws.swf.service.v2.model#", $text));)*
    };
}

codes! {
    EXECUTION_ALREADY_EXISTS = "ExecutionAlreadyExists",
    EXECUTION_DOES_NOT_EXIST = "ExecutionDoesNotExist",
    EXECUTION_LIMIT_EXCEEDED = "ExecutionLimitExceeded",
    INVALID_ARN = "InvalidArn",
    INVALID_DEFINITION = "InvalidDefinition",
    INVALID_EXECUTION_INPUT = "InvalidExecutionInput",
    INVALID_NAME = "InvalidName",
    INVALID_TOKEN = "InvalidToken",
    MISSING_REQUIRED_PARAMETER = "MissingRequiredParameter",
    RESOURCE_NOT_FOUND = "ResourceNotFound",
    STATE_MACHINE_ALREADY_EXISTS = "StateMachineAlreadyExists",
    STATE_MACHINE_DOES_NOT_EXIST = "StateMachineDoesNotExist",
    STATE_MACHINE_LIMIT_EXCEEDED = "StateMachineLimitExceeded",
    STATE_MACHINE_TYPE_NOT_SUPPORTED = "StateMachineTypeNotSupported",
    TOO_MANY_TAGS = "TooManyTags",
}

static VALIDATION: OwnCode = OwnCode::new("ValidationException", 400)
    .on_the_wire("com.amazon.coral.validate#ValidationException");

static UNAVAILABLE: OwnCode = OwnCode::new("ServiceUnavailable", 503);

/// A constraint of the service model is not kept.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    VALIDATION.error(message)
}

/// What AWS has and this does not.
pub(super) fn not_emulated(what: &str) -> ApiError {
    validation(format!("{what}: not emulated by Bedrock Workshop."))
}

pub(super) fn no_machine(arn: &str) -> ApiError {
    STATE_MACHINE_DOES_NOT_EXIST.error(format!("State Machine Does Not Exist: '{arn}'"))
}

pub(super) fn no_execution(arn: &str) -> ApiError {
    EXECUTION_DOES_NOT_EXIST.error(format!("Execution Does Not Exist: '{arn}'"))
}

pub(super) fn invalid_arn(why: impl std::fmt::Display) -> ApiError {
    INVALID_ARN.error(format!("Invalid Arn: '{why}'"))
}

pub(super) fn wrong_type() -> ApiError {
    STATE_MACHINE_TYPE_NOT_SUPPORTED
        .error("This operation is not supported by this type of state machine")
}

/// Executions are tokio tasks.
pub(super) fn no_runtime() -> ApiError {
    UNAVAILABLE
        .error("Bedrock Workshop: executions need a tokio runtime; send the request to an endpoint")
}
