//! `bedrock`, the control plane (host `bedrock.{region}.amazonaws.com`): one operation, one file.

mod guardrails;

mod get_model_invocation_logging_configuration;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    get_model_invocation_logging_configuration::OPERATION,
    guardrails::create_guardrail::OPERATION,
    guardrails::update_guardrail::OPERATION,
    guardrails::create_guardrail_version::OPERATION,
    guardrails::delete_guardrail::OPERATION,
    guardrails::get_guardrail::OPERATION,
    guardrails::list_guardrails::OPERATION,
];
