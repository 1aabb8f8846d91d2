//! Operations of `bedrock-runtime` that ask no model in the ordinary way: one operation, one file.

mod apply_guardrail;
mod get_async_invoke;
pub(crate) mod jobs;
mod list_async_invokes;
mod start_async_invoke;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    apply_guardrail::OPERATION,
    start_async_invoke::OPERATION,
    get_async_invoke::OPERATION,
    list_async_invokes::OPERATION,
];
