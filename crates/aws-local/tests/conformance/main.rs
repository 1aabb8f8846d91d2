//! The services as the real SDKs see them, over HTTP, in time that stands still unless a test moves
//! it: one test for each behaviour.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod cloudwatch;
mod secrets_manager;
mod sqs;
mod sqs_fifo;
mod sqs_handle;
mod sqs_receiving;
mod sqs_redrive;
mod wire;
