//! The site as a service: no port, except where sockets are what is tested.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod bedrock;
mod bugs;
mod export;
mod files;
mod live;
mod pages;
mod playground;
mod reading;
mod requests;
mod safety;
mod support;
mod templates;
