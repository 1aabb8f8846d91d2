//! `servicequotas`, as far as clients ask it about Bedrock: one operation, one file (`awsJson1_1`).

mod list_services;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[list_services::OPERATION];
