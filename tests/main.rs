//! Integration tests of the `workshop` binary and the house rules of the repository.
#![expect(
    clippy::unwrap_used,
    reason = "this is all test code; clippy's own exception covers test functions only"
)]

mod cli;
mod house;
mod patterns;
mod site;
