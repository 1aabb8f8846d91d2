//! AWS Security Token Service, as far as callers of Bedrock need it: one operation, one file.

mod assume_role;
mod assume_role_with_web_identity;
mod get_caller_identity;
mod get_session_token;
mod issue;
mod service_role;

use crate::service::Plain;

/// The namespace of its XML.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The one version of its API.
const VERSION: &str = "2011-06-15";

/// Operations that nobody signs: what they ask for is a key to sign with.
pub(crate) const UNSIGNED: &[&str] = &["AssumeRoleWithWebIdentity"];

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[
    assume_role::OPERATION,
    assume_role_with_web_identity::OPERATION,
    get_caller_identity::OPERATION,
    get_session_token::OPERATION,
];
