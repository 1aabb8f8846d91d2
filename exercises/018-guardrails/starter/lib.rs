//! Exercise 018: guardrails and personal data.
//!
//! A stranger's document, a question about it, and a guardrail between both and everybody else. This is the
//! only file you edit; the types stand in `given.rs`. The task is in `README.md`; `workshop hint 018`
//! helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::Client;
use serde_json::Value;

pub use given::{Ask, Done, Finding, Guard, GuardError, Safe, findings};

/// Asks about a document that a stranger has written, under a guardrail.
pub async fn safe_ask(client: &Client, guard: &Guard, ask: &Ask<'_>) -> Result<Safe, GuardError> {
    let _ = client;
    todo!(
        "018/1: check the document with guardrail {} and ask {} about what is left of it",
        guard.id,
        ask.model
    )
}

/// The same, and `on_text` is called with each piece of the answer as it arrives.
pub async fn safe_stream(
    client: &Client,
    guard: &Guard,
    ask: &Ask<'_>,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Safe, GuardError> {
    let _ = (client, on_text);
    todo!(
        "018/2: stream the answer of {} under guardrail {}",
        ask.model,
        guard.id
    )
}

/// The record of one question for the audit.
pub fn audit_record(outcome: &Result<Safe, GuardError>) -> Value {
    todo!("018/3: say how it ended, and nothing personal: {outcome:?}")
}
