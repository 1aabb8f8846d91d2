//! `aws-sdk-dynamodb` against the emulator, over HTTP: one test for each behaviour.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod conditions;
mod indexes;
mod items;
mod policies;
mod queries;
mod tables;
mod transactions;
