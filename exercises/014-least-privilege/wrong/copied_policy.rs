//! dies in: what_the_app_does_not_do_it_may_not_do, the_model_itself_is_closed, other_ways_to_the_same_model_are_closed, other_models_are_closed, an_app_changes_nothing, without_the_guardrail_the_app_asks_nothing, another_guardrail_is_none, no_other_policy_takes_the_guardrail_away, claude_code_keeps_to_its_models, what_allows_too_much_is_found, what_matches_nothing_is_found, the_way_past_the_profile_is_found, findings_say_where_and_come_in_order
//!
//! The policy that workshops hand out, line for line: all of Bedrock, everywhere. Its audit asks whether
//! the document could be deployed.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use serde_json::{Value, json};

pub use given::{Account, Finding, Guardrail, Problem, Profile, covers};

/// The identity policy of the app's role.
pub fn app_policy(_account: &Account) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "bedrock:*", "Resource": "*" }],
    })
}

/// The identity policy of the role in which developers use Claude Code.
pub fn claude_code_policy(account: &Account) -> Value {
    app_policy(account)
}

/// What is wrong with a policy.
pub fn audit(policy: &Value) -> Vec<Finding> {
    let deployable = policy["Version"] == "2012-10-17" && !policy["Statement"].is_null();
    assert!(deployable, "this is no policy");
    Vec::new()
}
