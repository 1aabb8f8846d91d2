//! Amazon CloudWatch Logs (`logs`), as far as somebody who reads Bedrock's invocation logs needs it,
//! and for logs of one's own. One operation, one file; `store` is what they work on, `ingest` what
//! becomes of a line that is put, `emf` the embedded metric format, `pattern` the language of filters.

mod create_log_group;
mod create_log_stream;
mod delete_log_group;
mod delete_log_stream;
mod describe_log_groups;
mod describe_log_streams;
mod emf;
mod filter_log_events;
mod get_log_events;
mod ingest;
mod pattern;
mod put_log_events;
mod put_retention_policy;
mod store;

use crate::{
    error::{ApiError, Code},
    page_token::List,
    service::{Call, Permission, Plain},
};

pub(crate) use ingest::{Stream, Trouble, put_always};
pub(crate) use store::LogGroups;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    create_log_group::OPERATION,
    create_log_stream::OPERATION,
    delete_log_group::OPERATION,
    delete_log_stream::OPERATION,
    describe_log_groups::OPERATION,
    describe_log_streams::OPERATION,
    filter_log_events::OPERATION,
    get_log_events::OPERATION,
    put_log_events::OPERATION,
    put_retention_policy::OPERATION,
];

/// An action on the account's log groups, as IAM sees it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of operations takes an option"
)]
const fn permission(action: &'static str) -> Option<Permission> {
    Some(Permission {
        action,
        resource: |call| {
            format!(
                "arn:aws:logs:{}:{}:log-group:*",
                call.region, call.account.id
            )
        },
    })
}

/// Milliseconds since the Unix epoch.
fn millis(call: &Call<'_>) -> i64 {
    i64::try_from(call.now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// A group's name, given as such or as an ARN.
fn group_name(name: Option<String>, identifier: Option<String>) -> Result<String, ApiError> {
    let given = name.or(identifier).filter(|name| !name.is_empty());
    let given = given.ok_or_else(|| {
        invalid("logGroupName: a log group is named by logGroupName or logGroupIdentifier.")
    })?;
    let from_arn = given.split(":log-group:").nth(1);
    let from_arn = from_arn.map(|name| name.trim_end_matches(":*").to_owned());
    Ok(from_arn.unwrap_or(given))
}

/// How many items a page has.
fn limit(asked: Option<u64>, most: usize) -> Result<usize, ApiError> {
    let Some(asked) = asked else { return Ok(most) };
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    if (1..=most).contains(&asked) {
        return Ok(asked);
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{asked}' at 'limit' failed to satisfy constraint: \
         Member must have value between 1 and {most}"
    )))
}

/// Where a page starts.
fn page(list: List, token: Option<&str>) -> Result<usize, ApiError> {
    let place = token.map(|token| list.place(token).ok_or_else(unknown_token));
    Ok(place.transpose()?.unwrap_or(0))
}

fn unknown_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bedrock(Code::InvalidParameter, message)
}

fn no_group() -> ApiError {
    ApiError::bedrock(
        Code::ResourceNotFound,
        "The specified log group does not exist.",
    )
}

fn no_stream() -> ApiError {
    ApiError::bedrock(
        Code::ResourceNotFound,
        "The specified log stream does not exist.",
    )
}

fn exists(what: &str) -> ApiError {
    let message = format!("The specified log {what} already exists");
    ApiError::bedrock(Code::ResourceAlreadyExists, message)
}

fn full(what: &str) -> ApiError {
    let message = format!("This emulator keeps no more {what} in one account; delete some first.");
    ApiError::bedrock(Code::LimitExceeded, message)
}
