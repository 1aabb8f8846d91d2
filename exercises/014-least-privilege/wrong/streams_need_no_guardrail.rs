//! dies in: no_other_policy_takes_the_guardrail_away
//!
//! Denies calls without the guardrail, and forgets that a stream is another action.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use serde_json::{Value, json};

pub use given::{Account, Finding, Guardrail, Problem, Profile, covers};

const INVOKE: &str = "bedrock:InvokeModel";
const STREAM: &str = "bedrock:InvokeModelWithResponseStream";

/// A profile belongs to an account.
fn profile_arn(account: &Account, profile: &Profile) -> String {
    let Account { id, region, .. } = account;
    format!(
        "arn:aws:bedrock:{region}:{id}:inference-profile/{}",
        profile.id
    )
}

/// A model belongs to nobody: the field of the account is empty.
fn model_arn(region: &str, profile: &Profile) -> String {
    format!(
        "arn:aws:bedrock:{region}::foundation-model/{}",
        profile.model
    )
}

/// One call through a profile is allowed when the profile is allowed and the model behind it is, in
/// every region that might answer. The second statement alone would open the model to direct calls, too:
/// the condition holds only for calls that come through the profile.
fn through(account: &Account, profile: &Profile, actions: &[&str]) -> [Value; 2] {
    let door = profile_arn(account, profile);
    let models = profile.regions.iter();
    let models: Vec<String> = models.map(|region| model_arn(region, profile)).collect();
    [
        json!({ "Effect": "Allow", "Action": actions, "Resource": door }),
        json!({
            "Effect": "Allow",
            "Action": actions,
            "Resource": models,
            "Condition": { "ArnLike": { "bedrock:InferenceProfileArn": door } },
        }),
    ]
}

/// Tokens are counted on the model itself, where the question is asked: no profile is involved.
fn counting(account: &Account, profile: &Profile) -> Value {
    json!({
        "Effect": "Allow",
        "Action": "bedrock:CountTokens",
        "Resource": model_arn(&account.region, profile),
    })
}

/// The identity policy of the app's role.
pub fn app_policy(account: &Account) -> Value {
    let model = &account.app_model;
    // Converse has no action of its own.
    let mut statements = through(account, model, &[INVOKE]).to_vec();
    statements.push(counting(account, model));
    if let Some(guardrail) = &account.guardrail {
        let Account { id, region, .. } = account;
        let arn = format!("arn:aws:bedrock:{region}:{id}:guardrail/{}", guardrail.id);
        statements.push(json!({
            "Effect": "Allow",
            "Action": "bedrock:ApplyGuardrail",
            "Resource": arn,
        }));
        // A denial, because a condition in the statements above would be worth nothing as soon as another
        // policy allows more. `StringNotEquals` also holds for a call that names no guardrail. Only
        // invocations are denied: counting tokens takes no guardrail.
        let version = format!("{arn}:{}", guardrail.version);
        statements.push(json!({
            "Sid": "NeverWithoutTheGuardrail",
            "Effect": "Deny",
            "Action": [INVOKE],
            "Resource": "*",
            "Condition": { "StringNotEquals": { "bedrock:GuardrailIdentifier": version } },
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The identity policy of the role in which developers use Claude Code.
pub fn claude_code_policy(account: &Account) -> Value {
    let mut statements = Vec::new();
    for model in &account.claude_code_models {
        statements.extend(through(account, model, &[INVOKE, STREAM]));
        statements.push(counting(account, model));
    }
    // A list is of everything; IAM knows no resource for it.
    statements.push(json!({
        "Effect": "Allow",
        "Action": "bedrock:ListInferenceProfiles",
        "Resource": "*",
    }));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// What is wrong with a policy: by statement, then by problem, each once.
pub fn audit(policy: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, statement) in several(&policy["Statement"]).into_iter().enumerate() {
        let problems = [
            (Problem::NoSuchService, no_such_service(statement)),
            (Problem::EveryAction, every_action(statement)),
            (Problem::EveryResource, every_resource(statement)),
            (Problem::NeverMatches, never_matches(statement)),
            (Problem::PastTheProfile, past_the_profile(statement)),
        ];
        let found = problems.into_iter().filter(|(_, found)| *found);
        findings.extend(found.map(|(problem, _)| Finding {
            statement: place,
            problem,
        }));
    }
    findings
}

/// IAM takes one of a thing without the list around it.
fn several(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn texts<'s>(statement: &'s Value, key: &str) -> Vec<&'s str> {
    let values = several(&statement[key]).into_iter();
    values.filter_map(Value::as_str).collect()
}

fn allows(statement: &Value) -> bool {
    statement["Effect"] == "Allow"
}

/// Also in a denial: one that denies nothing is worse than a permission that permits nothing.
fn no_such_service(statement: &Value) -> bool {
    let keys = ["Action", "NotAction"].into_iter();
    keys.flat_map(|key| texts(statement, key)).any(|action| {
        let service = action.split(':').next().unwrap_or_default();
        service.eq_ignore_ascii_case("bedrock-runtime")
    })
}

fn every_action(statement: &Value) -> bool {
    let wide = |action: &str| action == "*" || (of_bedrock(action) && has_wildcard(action));
    let named = texts(statement, "Action").into_iter().any(wide);
    allows(statement) && (named || statement.get("NotAction").is_some())
}

fn every_resource(statement: &Value) -> bool {
    // What lists cannot be held to one resource.
    let lists = |action: &str| covers("bedrock:list*", action);
    let held = |action: &str| action == "*" || (of_bedrock(action) && !lists(action));
    let actions = texts(statement, "Action");
    let ours = statement.get("NotAction").is_some() || actions.into_iter().any(held);
    let wide = |arn: &str| arn.rsplit('/').next().is_some_and(has_wildcard);
    let named = texts(statement, "Resource").into_iter().any(wide);
    allows(statement) && ours && (named || statement.get("NotResource").is_some())
}

/// Models are nobody's, profiles are somebody's.
fn never_matches(statement: &Value) -> bool {
    texts(statement, "Resource").into_iter().any(|arn| {
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, "bedrock", _, account, name] = fields[..] else {
            return false;
        };
        let profile = name.starts_with("inference-profile/");
        let model = name.starts_with("foundation-model/");
        (model && !covers(account, "")) || (profile && account.is_empty())
    })
}

fn past_the_profile(statement: &Value) -> bool {
    let invokes = |action: &str| covers(action, INVOKE) || covers(action, STREAM);
    let invokes = texts(statement, "Action").into_iter().any(invokes);
    let model = |arn: &str| arn.contains(":foundation-model/");
    let models = texts(statement, "Resource").into_iter().any(model);
    allows(statement) && invokes && models && !only_through_a_profile(statement)
}

/// Whether a condition asks for a profile, and does not hold without one.
fn only_through_a_profile(statement: &Value) -> bool {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    operators.into_iter().any(|(operator, keys)| {
        let holds_without = operator.ends_with("IfExists") || operator.contains("Not");
        let mut keys = keys.as_object().into_iter().flatten();
        let asks = keys.any(|(key, _)| key.eq_ignore_ascii_case("bedrock:InferenceProfileArn"));
        asks && !holds_without
    })
}

fn of_bedrock(action: &str) -> bool {
    covers("bedrock:*", action)
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}
