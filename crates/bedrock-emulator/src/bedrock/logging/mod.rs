//! Where model invocations are logged to.

pub(super) mod delete_configuration;
pub(super) mod get_configuration;
pub(super) mod put_configuration;
