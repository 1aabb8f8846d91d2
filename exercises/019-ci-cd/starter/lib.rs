//! Exercise 019: CI/CD with Claude Code.
//!
//! A pipeline that lets Claude review pull requests: the workflow, the trust of its role, the review,
//! and the verdict. This is the only file you edit; the types, the reading of diffs and the finding of
//! secrets stand in `given.rs`. The task is in `README.md`; `workshop hint 019` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::Client;
use serde_json::Value;

pub use given::{
    Action, Ci, FileDiff, Finding, Gate, Limits, REPORT, ReviewError, Severity, document, files,
    json_of, redacted, report_spec,
};

/// The workflow, in YAML, for `.github/workflows/review.yml`.
pub fn workflow(ci: &Ci) -> String {
    todo!("019/1: a job for pull requests that works as {}", ci.role)
}

/// The trust policy of the job's role.
pub fn trust_policy(ci: &Ci) -> Value {
    todo!("019/2: trust {} about {}", ci.issuer, ci.subject)
}

/// Asks `model` about each file of a diff, and returns what it found.
pub async fn review(
    client: &Client,
    model: &str,
    diff: &str,
    limits: &Limits,
) -> Result<Vec<Finding>, ReviewError> {
    let _ = client;
    todo!(
        "019/3: ask {model} about {} bytes of diff in at most {} calls",
        diff.len(),
        limits.max_calls
    )
}

/// The exit code of the gate.
pub fn verdict(review: &Result<Vec<Finding>, ReviewError>, gate: &Gate) -> i32 {
    let found = review.as_ref().map_or(0, Vec::len);
    todo!("019/4: judge {found} findings, from {:?} on", gate.fail_at)
}
