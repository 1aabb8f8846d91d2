//! `bedrock`, the control plane (host `bedrock.{region}.amazonaws.com`): one operation, one file.

mod guardrails;
mod logging;
mod models;
pub(crate) mod profiles;
mod use_case;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    models::list_foundation_models::OPERATION,
    models::get_foundation_model::OPERATION,
    models::get_foundation_model_availability::OPERATION,
    profiles::list_inference_profiles::OPERATION,
    profiles::get_inference_profile::OPERATION,
    profiles::create_inference_profile::OPERATION,
    profiles::delete_inference_profile::OPERATION,
    logging::get_configuration::OPERATION,
    logging::put_configuration::OPERATION,
    logging::delete_configuration::OPERATION,
    use_case::get_use_case::OPERATION,
    use_case::put_use_case::OPERATION,
    guardrails::create_guardrail::OPERATION,
    guardrails::update_guardrail::OPERATION,
    guardrails::create_guardrail_version::OPERATION,
    guardrails::delete_guardrail::OPERATION,
    guardrails::get_guardrail::OPERATION,
    guardrails::list_guardrails::OPERATION,
];
