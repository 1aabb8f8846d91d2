//! `servicequotas`, as far as clients ask it about Bedrock: one operation, one file (`awsJson1_1`);
//! `quota` is what they tell about.

mod get_aws_default_service_quota;
mod get_service_quota;
mod list_aws_default_service_quotas;
mod list_service_quotas;
mod list_services;
mod page;
mod quota;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    list_services::OPERATION,
    list_service_quotas::OPERATION,
    get_service_quota::OPERATION,
    list_aws_default_service_quotas::OPERATION,
    get_aws_default_service_quota::OPERATION,
];
