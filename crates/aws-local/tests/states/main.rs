//! Step Functions as the real SDK sees it, over HTTP, in time that stands still unless a test moves it
//! or an execution jumps ahead.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bedrock;
mod bench;
mod express;
mod functions;
mod lifecycle;
mod limits;
mod machines;
mod services;
mod virtual_time;
mod wire;
