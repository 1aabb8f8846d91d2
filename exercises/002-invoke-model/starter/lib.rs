//! Exercise 002: `InvokeModel`, and the body that never worked.
//!
//! Build Claude's request by hand, read the bytes of its answer, and say what is wrong with a body
//! that half the internet copies. This is the only file you edit; the types stand in `given.rs`.
//! The task is in `README.md`; `workshop hint 002` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::Client;
use serde_json::Value;

pub use given::{Answer, BodyFault, InvokeFailure};

/// The body of a request to Claude: one user message, `prompt`, and at most `max_tokens` tokens.
pub fn body(prompt: &str, max_tokens: u32) -> Value {
    todo!("002/1: Claude's Messages body for {prompt:?} with a limit of {max_tokens}")
}

/// What Claude's answer says.
pub fn read(bytes: &[u8]) -> Result<Answer, InvokeFailure> {
    todo!(
        "002/2: read text, stop_reason and usage out of {} bytes",
        bytes.len()
    )
}

/// Sends [`body`] to `model` with `InvokeModel`, once, and [`read`]s the answer.
pub async fn invoke(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: u32,
) -> Result<Answer, InvokeFailure> {
    let _ = client;
    todo!("002/3: send the body for {prompt:?} (limit {max_tokens}) to {model} as JSON bytes")
}

/// Everything that keeps `body` from working with today's Claude, in any order; nothing for a body
/// that works.
pub fn explain_legacy(body: &Value) -> Vec<BodyFault> {
    todo!("002/4: say what is wrong with {body}")
}
