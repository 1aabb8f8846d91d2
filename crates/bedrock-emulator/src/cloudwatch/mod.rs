//! Amazon CloudWatch (`monitoring`), as far as somebody who watches Bedrock needs it: reading metrics,
//! putting one's own, and alarms on both. One operation, one file.
//!
//! Its clients speak three protocols (boto3 JSON 1.0, older ones the query protocol, the Rust SDK RPC
//! v2 CBOR). `wire` reads all of them into one [`Input`] and writes one [`Shape`] in each; the
//! operations know nothing of it.

mod alarm;
mod cbor;
mod expression;
mod get_metric_data;
mod get_metric_statistics;
mod input;
mod list_metrics;
mod put_metric_data;
mod shape;
mod statistic;
mod wire;

use crate::{
    error::{ApiError, Code},
    service::Plain,
};

use input::Input;
use shape::Shape;

pub(crate) use alarm::{Alarm, Alarms};
pub(crate) use cbor::error as cbor_error;

/// The prefix of `X-Amz-Target`, and the service's name in RPC paths.
pub(crate) const TARGET: &str = "GraniteServiceVersion20100801";

/// The version of its query API.
pub(crate) const VERSION: &str = "2010-08-01";

/// The namespace of its XML.
pub(crate) const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    alarm::put_metric_alarm::OPERATION,
    alarm::describe_alarms::OPERATION,
    alarm::describe_alarms_for_metric::OPERATION,
    alarm::describe_alarm_history::OPERATION,
    alarm::set_alarm_state::OPERATION,
    alarm::delete_alarms::OPERATION,
    alarm::alarm_actions::ENABLE,
    alarm::alarm_actions::DISABLE,
    alarm::tags::TAG,
    alarm::tags::UNTAG,
    alarm::tags::LIST,
    get_metric_data::OPERATION,
    get_metric_statistics::OPERATION,
    list_metrics::OPERATION,
    put_metric_data::OPERATION,
];

/// A value that is refused.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bedrock(Code::InvalidParameterValue, message)
}

/// A token that no answer has given (the service model's words).
fn unknown_token() -> ApiError {
    ApiError::bedrock(
        Code::InvalidNextToken,
        "The next token specified is invalid.",
    )
}

/// Values that do not go together.
fn combination(message: impl Into<String>) -> ApiError {
    ApiError::bedrock(Code::InvalidParameterCombination, message)
}

/// A member that is missing.
fn missing(name: &str) -> ApiError {
    ApiError::bedrock(
        Code::MissingRequiredParameter,
        format!("The parameter {name} is required."),
    )
}
