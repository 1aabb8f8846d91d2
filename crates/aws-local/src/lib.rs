//! The AWS services beside Bedrock, offline, in one process and on one port: what a student's
//! `aws-sdk-sqs`, `aws-sdk-dynamodb` or `aws-sdk-secretsmanager` cannot tell from AWS.
//!
//! Each service is a [`Neighbour`](bedrock_emulator::neighbour::Neighbour) of the emulator, so
//! signatures, policies, faults, the journal and light on the diagram are the emulator's. What is held
//! for an account is the service's own, and gone when the account is reset or dropped.
//!
//! Read in this order: [`clock`] (time, which tests move by hand), `json_service` (how a service of
//! the AWS JSON protocols is a table of operations), then a service's folder: one operation, one file.

pub mod clock;
pub mod json_service;

pub use clock::{Clock, ManualClock, SystemClock};
