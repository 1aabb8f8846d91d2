//! What SQS answers when it refuses, in its own words: the names in `__type`, the older ones of
//! `awsQuery` that boto3 shows, and the texts (observed on AWS, unless a comment says chosen).

use std::fmt::Display;

use bedrock_emulator::{error::ApiError, neighbour::OwnCode};

macro_rules! codes {
    ($($(#[$doc:meta])* $ident:ident = $namespace:literal, $name:literal, $query:literal, $status:literal;)*) => {
        $(
            $(#[$doc])*
            pub(super) static $ident: OwnCode = OwnCode::new($name, $status)
                .on_the_wire(concat!($namespace, "#", $name))
                .in_query($query);
        )*
    };
}

codes! {
    QUEUE_DOES_NOT_EXIST = "com.amazonaws.sqs", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400;
    QUEUE_NAME_EXISTS = "com.amazonaws.sqs", "QueueNameExists", "QueueAlreadyExists", 400;
    QUEUE_DELETED_RECENTLY = "com.amazonaws.sqs", "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400;
    /// A 403 (observed), though it is no question of permissions.
    PURGE_QUEUE_IN_PROGRESS = "com.amazonaws.sqs", "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403;
    INVALID_ADDRESS = "com.amazonaws.sqs", "InvalidAddress", "InvalidAddress", 400;
    INVALID_ATTRIBUTE_NAME = "com.amazonaws.sqs", "InvalidAttributeName", "InvalidAttributeName", 400;
    INVALID_ATTRIBUTE_VALUE = "com.amazonaws.sqs", "InvalidAttributeValue", "InvalidAttributeValue", 400;
    INVALID_MESSAGE_CONTENTS = "com.amazonaws.sqs", "InvalidMessageContents", "InvalidMessageContents", 400;
    RECEIPT_HANDLE_IS_INVALID = "com.amazonaws.sqs", "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400;
    OVER_LIMIT = "com.amazonaws.sqs", "OverLimit", "OverLimit", 403;
    EMPTY_BATCH = "com.amazonaws.sqs", "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400;
    TOO_MANY_ENTRIES = "com.amazonaws.sqs", "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400;
    BATCH_TOO_LONG = "com.amazonaws.sqs", "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400;
    INVALID_BATCH_ENTRY_ID = "com.amazonaws.sqs", "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400;
    IDS_NOT_DISTINCT = "com.amazonaws.sqs", "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400;
    RESOURCE_NOT_FOUND = "com.amazonaws.sqs", "ResourceNotFoundException", "ResourceNotFoundException", 404;
    INVALID_PARAMETER_VALUE = "com.amazon.coral.service", "InvalidParameterValueException", "InvalidParameterValue", 400;
    MISSING_PARAMETER = "com.amazon.coral.service", "MissingRequiredParameterException", "MissingParameter", 400;
}

/// No queue has that name.
pub(super) fn no_such_queue() -> ApiError {
    QUEUE_DOES_NOT_EXIST.error("The specified queue does not exist.")
}

/// A value that no rule of its own speaks of.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    INVALID_PARAMETER_VALUE.error(message)
}

/// A value outside what its parameter takes.
pub(super) fn value_is_invalid(value: impl Display, parameter: &str, reason: &str) -> ApiError {
    invalid(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    ))
}

/// A parameter that has to be there.
pub(super) fn missing(parameter: &str) -> ApiError {
    MISSING_PARAMETER.error(format!(
        "The request must contain the parameter {parameter}."
    ))
}

/// The parameter, which has to be there and not empty.
pub(super) fn required<T: AsRef<str>>(value: Option<T>, parameter: &str) -> Result<T, ApiError> {
    let present = value.filter(|value| !value.as_ref().is_empty());
    present.ok_or_else(|| missing(parameter))
}

/// A whole number within bounds, both included.
pub(super) fn within(
    value: i64,
    parameter: &str,
    bounds: std::ops::RangeInclusive<i64>,
) -> Result<i64, ApiError> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (least, most) = bounds.into_inner();
    let reason = format!("Must be >= {least} and <= {most}, if provided.");
    Err(value_is_invalid(value, parameter, &reason))
}

/// A name of a queue's attribute that there is not, or not on this kind of queue.
pub(super) fn unknown_attribute(name: &str) -> ApiError {
    INVALID_ATTRIBUTE_NAME.error(format!("Unknown Attribute {name}."))
}

/// A value that a queue's attribute does not take.
pub(super) fn invalid_attribute(name: &str) -> ApiError {
    INVALID_ATTRIBUTE_VALUE.error(format!("Invalid value for the parameter {name}."))
}
