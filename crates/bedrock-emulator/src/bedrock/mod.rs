//! `bedrock`, the control plane (host `bedrock.{region}.amazonaws.com`): one operation, one file.

mod get_model_invocation_logging_configuration;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[get_model_invocation_logging_configuration::OPERATION];
