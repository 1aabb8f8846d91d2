//! Exercise 014: least-privilege IAM policies.
//!
//! Two policies that allow exactly what an app and Claude Code do, and an audit of other people's. This
//! is the only file you edit; the types stand in `given.rs`. The task is in `README.md`; `workshop hint
//! 014` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use serde_json::Value;

pub use given::{Account, Finding, Guardrail, Problem, Profile, covers};

/// The identity policy of the app's role.
pub fn app_policy(account: &Account) -> Value {
    todo!(
        "014/1: allow calls of {} through its profile, and nothing else",
        account.app_model.model
    )
}

/// The identity policy of the role in which developers use Claude Code.
pub fn claude_code_policy(account: &Account) -> Value {
    todo!(
        "014/2: allow {} models to be called and streamed through their profiles",
        account.claude_code_models.len()
    )
}

/// What is wrong with a policy: by statement, then by problem, each once.
pub fn audit(policy: &Value) -> Vec<Finding> {
    todo!("014/3: look at every statement of {policy}")
}
