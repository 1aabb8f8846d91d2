//! API Gateway's front over real HTTP, by a clock that only the tests move.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) reads better than &json!(…)"
)]

mod answers;
mod bench;
mod cached;
mod documents;
mod events;
mod gate;
mod watched;
