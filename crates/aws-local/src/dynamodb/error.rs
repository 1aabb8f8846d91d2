//! `DynamoDB`'s error codes, and how it writes them (service model; the namespaces are those of real
//! answers).

use bedrock_emulator::{error::ApiError, neighbour::OwnCode};
use serde_json::json;

use super::value::Attributes;

macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $name:literal in $namespace:literal, $key:literal;)*) => {
        $($(#[$doc])* static $constant: OwnCode = OwnCode::new($name, 400)
            .on_the_wire(concat!($namespace, "#", $name))
            .texted($key);)*
    };
}

codes! {
    VALIDATION = "ValidationException" in "com.amazon.coral.validate", "message";
    SERIALIZATION = "SerializationException" in "com.amazon.coral.service", "Message";
    RESOURCE_NOT_FOUND = "ResourceNotFoundException" in "com.amazonaws.dynamodb.v20120810", "message";
    RESOURCE_IN_USE = "ResourceInUseException" in "com.amazonaws.dynamodb.v20120810", "message";
    LIMIT_EXCEEDED = "LimitExceededException" in "com.amazonaws.dynamodb.v20120810", "message";
    CONDITION_FAILED = "ConditionalCheckFailedException" in "com.amazonaws.dynamodb.v20120810", "message";
    COLLECTION_SIZE = "ItemCollectionSizeLimitExceededException" in "com.amazonaws.dynamodb.v20120810", "message";
    CONFLICT = "TransactionConflictException" in "com.amazonaws.dynamodb.v20120810", "message";
    CANCELED = "TransactionCanceledException" in "com.amazonaws.dynamodb.v20120810", "Message";
    TOKEN_MISMATCH = "IdempotentParameterMismatchException" in "com.amazonaws.dynamodb.v20120810", "Message";
}

/// 400: a value is refused.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    VALIDATION.error(message)
}

/// 400: "One or more parameter values were invalid: …".
pub(super) fn invalid(detail: impl std::fmt::Display) -> ApiError {
    validation(format!(
        "One or more parameter values were invalid: {detail}"
    ))
}

/// 400: the body has another shape.
pub(super) fn serialization(message: impl Into<String>) -> ApiError {
    SERIALIZATION.error(message)
}

/// 400: no such table, said by the operations on items.
pub(super) fn no_table() -> ApiError {
    RESOURCE_NOT_FOUND.error("Requested resource not found")
}

/// 400: no such table, said by the operations on tables.
pub(super) fn no_such_table(name: &str) -> ApiError {
    RESOURCE_NOT_FOUND.error(format!(
        "Requested resource not found: Table: {name} not found"
    ))
}

/// 400: no such thing.
pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    RESOURCE_NOT_FOUND.error(message)
}

/// 400: there is one already.
pub(super) fn in_use(message: impl Into<String>) -> ApiError {
    RESOURCE_IN_USE.error(message)
}

/// 400: too many.
pub(super) fn limit_exceeded(message: impl Into<String>) -> ApiError {
    LIMIT_EXCEEDED.error(message)
}

/// 400: the condition does not hold. `item`: what was there, when the caller wants to know.
pub(super) fn condition_failed(item: Option<&Attributes>) -> ApiError {
    let error = CONDITION_FAILED.error(CONDITION_FAILED_TEXT);
    match item {
        Some(item) => error.with("Item", json!(item)),
        None => error,
    }
}

/// What a failed condition says, alone or in a transaction.
pub(super) const CONDITION_FAILED_TEXT: &str = "The conditional request failed";

/// 400: the account holds all that it may.
pub(super) fn full(limit_mib: usize) -> ApiError {
    COLLECTION_SIZE.error(format!(
        "Bedrock Workshop keeps at most {limit_mib} MiB of items for an account and region: delete \
         items or tables, or reset the account"
    ))
}

/// 400: somebody's transaction holds the item.
pub(super) fn transaction_conflict() -> ApiError {
    CONFLICT.error("Transaction is ongoing for the item")
}

/// 400: a transaction that did not happen. One reason for each of its parts.
pub(super) fn transaction_canceled(codes: &[&str], reasons: serde_json::Value) -> ApiError {
    let codes = codes.join(", ");
    CANCELED
        .error(format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        ))
        .with("CancellationReasons", reasons)
}

/// 400: the token belongs to another transaction.
pub(super) fn token_mismatch() -> ApiError {
    TOKEN_MISMATCH.error(
        "The request uses the same client token as a previous, but non-identical request. Do not \
         reuse a client token with different requests, unless the requests are identical",
    )
}
