//! The emulator's own control API, `/_workshop/…`: one operation, one file.

mod copy_as;
mod cost;
mod health;
mod invocation_logs;
mod metrics;
mod replay;
mod requests;
mod trail;

use std::sync::Arc;

use crate::{
    account::Account,
    error::{ApiError, Code},
    service::{Call, Plain},
};

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    health::OPERATION,
    requests::LIST,
    requests::GET,
    requests::CLEAR,
    replay::OPERATION,
    copy_as::CURL,
    copy_as::BOTO3,
    copy_as::RUST,
    copy_as::HAR,
    metrics::OPERATION,
    cost::OPERATION,
    trail::OPERATION,
    invocation_logs::OPERATION,
];

/// The account that `?account=` names, or the configured one.
fn account(call: &Call<'_>) -> Result<Arc<Account>, ApiError> {
    let Some(id) = call.query("account") else {
        return Ok(Arc::clone(call.account));
    };
    let known = call.emulator.accounts();
    let found = known.into_iter().find(|account| *account.id == *id);
    found.ok_or_else(|| {
        ApiError::bedrock(
            Code::ResourceNotFound,
            format!("no request of an account {id:?} has come yet"),
        )
    })
}

/// A whole number in the query.
fn number(call: &Call<'_>, name: &str) -> Result<Option<u64>, ApiError> {
    let Some(text) = call.query(name) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| {
        ApiError::validation(format!("{name}={text}: expected a whole number from 0"))
    });
    number.map(Some)
}
