//! What Secrets Manager answers when it refuses. Texts are observed on AWS unless a comment says
//! chosen.

use bedrock_emulator::{error::ApiError, neighbour::OwnCode};

pub(super) static RESOURCE_NOT_FOUND: OwnCode = code("ResourceNotFoundException");
pub(super) static RESOURCE_EXISTS: OwnCode = code("ResourceExistsException");
pub(super) static INVALID_REQUEST: OwnCode = code("InvalidRequestException");
pub(super) static INVALID_PARAMETER: OwnCode = code("InvalidParameterException");
pub(super) static INVALID_NEXT_TOKEN: OwnCode = code("InvalidNextTokenException");
pub(super) static LIMIT_EXCEEDED: OwnCode = code("LimitExceededException");
/// Beside the service model, as the front door says it.
pub(super) static VALIDATION: OwnCode = OwnCode::new("ValidationException", 400);

const fn code(name: &'static str) -> OwnCode {
    OwnCode::new(name, 400).texted("Message")
}

pub(super) fn no_such_secret() -> ApiError {
    RESOURCE_NOT_FOUND.error("Secrets Manager can't find the specified secret.")
}

pub(super) fn marked_for_deletion() -> ApiError {
    INVALID_REQUEST
        .error("You can't perform this operation on the secret because it was marked for deletion.")
}

/// A member that the service model requires.
pub(super) fn required<T>(value: Option<T>, member: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| {
        VALIDATION.error(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    })
}

/// A text whose length, in characters, the service model bounds. What it is, is not told: it may be
/// secret.
pub(super) fn bounded(
    text: &str,
    member: &str,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<(), ApiError> {
    let length = text.chars().count();
    let constraint = if length < *bounds.start() {
        format!("greater than or equal to {}", bounds.start())
    } else if length > *bounds.end() {
        format!("less than or equal to {}", bounds.end())
    } else {
        return Ok(());
    };
    Err(VALIDATION.error(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must \
         have length {constraint}"
    )))
}
