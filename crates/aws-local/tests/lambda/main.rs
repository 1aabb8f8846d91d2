//! Lambda as its callers see it: over HTTP, with a real `lambda_runtime` program as the function.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod behind_a_gateway;
mod bench;
mod functions;
mod invoke;
mod mappings;
mod metrics;
mod roles;
