//! Why a request was allowed or denied, as the journal tells it.

use bedrock_emulator::{
    Emulator,
    identity::Identity,
    policy::{Access, Decision, Effect, Layer, NamedPolicy},
};
use serde_json::{Value, json};

use crate::bench::{call, now, open, post, profile, text, with};

fn ask(
    emulator: &Emulator,
    headers: &[(&str, &str)],
    extra: &Value,
) -> (u16, String, Option<Access>) {
    let mut body = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    for (key, value) in extra.as_object().unwrap() {
        body[key] = value.clone();
    }
    let mut request = post(&profile(emulator, "haiku"), "converse", body.to_string());
    let headers = headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    request.headers.extend(headers);
    let reply = emulator.handle(&request, now());
    let access = emulator.entry_of(&reply).unwrap().access;
    (reply.status, text(&reply), access)
}

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn without_policies_nothing_is_asked() {
    let emulator = open();
    let reply = call(
        &emulator,
        &profile(&emulator, "haiku"),
        "converse",
        &json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
    );
    assert_eq!(emulator.entry_of(&reply).unwrap().access, None);
}

#[test]
fn every_statement_says_what_it_looked_at() {
    let emulator = with(|c| {
        c.policies = vec![policy(&json!([
            {"Sid": "Europe", "Effect": "Allow", "Action": "bedrock:*", "Resource": "*",
             "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}},
            {"Effect": "Allow", "Action": "bedrock:CountTokens", "Resource": "*"},
        ]))];
    });
    let (status, said, access) = ask(&emulator, &[], &json!({}));
    assert_eq!(status, 403, "{said}");
    let access = access.unwrap();
    assert_eq!(access.decision, Decision::ImplicitDeny);
    assert!(!access.unrestricted);
    let first = &access.asked[0];
    assert_eq!(first.action, "bedrock:InvokeModel");
    assert!(first.resource.contains(":inference-profile/us."));
    assert_eq!(first.decided_by, Some(Layer::Identity));
    let [europe, counting] = first.statements.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!(
        (europe.policy.as_str(), europe.statement.as_str()),
        ("policy 1", "Europe")
    );
    assert!(europe.action && europe.resource && !europe.applies);
    assert_eq!(europe.effect, Effect::Allow);
    let condition = &europe.conditions[0];
    assert_eq!(condition.operator, "StringEquals");
    assert_eq!(condition.key, "aws:RequestedRegion");
    assert_eq!(condition.wanted, ["eu-west-1", "eu-central-1"]);
    assert_eq!(condition.seen, ["us-east-1"]);
    assert!(!condition.holds);
    assert_eq!(counting.statement, "Statement[1]");
    assert!(!counting.action && counting.resource);
    assert!(
        access.asked.len() > 1,
        "the models behind the profile are asked about as well"
    );
    let as_json = serde_json::to_value(&access).unwrap();
    assert_eq!(as_json["decision"], "implicit_deny");
    assert_eq!(as_json["asked"][0]["statements"][0]["layer"], "identity");
}

#[test]
fn a_service_control_policy_denies_whatever_identities_allow() {
    let emulator = with(|c| {
        c.service_control_policies = vec![(
            c.account_id.clone(),
            NamedPolicy {
                name: "NoModels".to_owned(),
                document: policy(
                    &json!([{"Sid": "Stop", "Effect": "Deny", "Action": "bedrock:InvokeModel*", "Resource": "*"}]),
                ),
            },
        )];
    });
    let (status, said, access) = ask(&emulator, &[], &json!({}));
    assert_eq!(status, 403);
    assert!(
        said.ends_with("with an explicit deny in a service control policy: arn:aws:organizations::123456789012:policy/o-workshop00/service_control_policy/p-NoModels\"}"),
        "{said}"
    );
    let access = access.unwrap();
    assert_eq!(access.asked[0].decided_by, Some(Layer::ServiceControl));
    let reply = call(
        &emulator,
        &profile(&emulator, "haiku"),
        "count-tokens",
        &json!({}),
    );
    assert_ne!(reply.status, 403, "what it does not deny stays allowed");
}

#[test]
fn a_list_that_is_denied_names_no_resource() {
    let only_invoke = policy(&json!([
        {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
    ]));
    let emulator = with(|c| c.policies = vec![only_invoke]);
    for (path, action) in [
        ("/foundation-models", "ListFoundationModels"),
        ("/inference-profiles", "ListInferenceProfiles"),
    ] {
        let mut request = post("any", "converse", String::new());
        request.method = "GET".to_owned();
        request.target = path.to_owned();
        let reply = emulator.handle(&request, now());
        assert_eq!(reply.status, 403, "{path}");
        let said: Value = serde_json::from_str(&text(&reply)).unwrap();
        let said = said["Message"].as_str().or(said["message"].as_str());
        let wanted = format!(
            "is not authorized to perform: bedrock:{action} because no identity-based policy allows \
             the bedrock:{action} action"
        );
        assert!(said.unwrap().ends_with(&wanted), "{said:?}");
    }
}

/// A name, the condition, headers, members of the body, and whether that is allowed.
type DemandRow<'r> = (
    &'static str,
    &'r Value,
    &'static [(&'static str, &'static str)],
    Value,
    bool,
);

#[test]
fn a_guardrail_a_tier_and_an_address_can_be_demanded() {
    let guarded = json!({"ArnLike": {"bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123:*"}});
    let tier = json!({"StringEquals": {"bedrock:ServiceTier": "flex"}});
    let address = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    let body = |id: &str, version: &str| json!({"guardrailConfig": {"guardrailIdentifier": id, "guardrailVersion": version}});
    let rows: [DemandRow<'_>; 8] = [
        ("no guardrail", &guarded, &[], json!({}), false),
        ("the guardrail", &guarded, &[], body("abc123", "1"), true),
        ("another", &guarded, &[], body("zzz999", "1"), false),
        ("its draft", &guarded, &[], body("abc123", "DRAFT"), false),
        ("no tier", &tier, &[], json!({}), false),
        (
            "the tier",
            &tier,
            &[],
            json!({"serviceTier": {"type": "flex"}}),
            true,
        ),
        ("loopback", &address, &[], json!({}), false),
        (
            "through a proxy",
            &address,
            &[("x-forwarded-for", "192.0.2.7, 10.0.0.1")],
            json!({}),
            true,
        ),
    ];
    for (name, condition, headers, extra, allowed) in rows {
        let emulator = with(|c| {
            c.policies = vec![policy(&json!([
                {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*", "Condition": condition},
                {"Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": "*"},
            ]))];
        });
        let (status, said, _) = ask(&emulator, headers, &extra);
        assert_eq!(status != 403, allowed, "{name}: {said}");
    }
}

#[test]
fn a_guardrail_that_is_attached_must_be_allowed_as_well() {
    let emulator = with(|c| {
        c.policies = vec![policy(
            &json!([{"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}]),
        )];
    });
    let config =
        json!({"guardrailConfig": {"guardrailIdentifier": "abc123", "guardrailVersion": "1"}});
    let (status, said, _) = ask(&emulator, &[], &config);
    assert_eq!(status, 403);
    assert!(said.contains("bedrock:ApplyGuardrail on resource: arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123 because"), "{said}");
}

#[test]
fn an_action_without_a_resource_is_denied_without_one() {
    let emulator = with(|c| c.policies = vec![policy(&json!([]))]);
    let mut request = post("x", "converse", "");
    "GET".clone_into(&mut request.method);
    "/logging/modelinvocations".clone_into(&mut request.target);
    let reply = emulator.handle(&request, now());
    assert_eq!(
        text(&reply),
        "{\"Message\":\"User: arn:aws:iam::123456789012:user/student is not authorized to perform: bedrock:GetModelInvocationLoggingConfiguration because no identity-based policy allows the bedrock:GetModelInvocationLoggingConfiguration action\"}"
    );
}

#[test]
fn an_identity_with_policies_of_its_own_follows_only_those() {
    let emulator = with(|c| {
        c.policies = vec![policy(
            &json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]),
        )];
        c.identities = vec![Identity {
            arn: c.credentials[0].arn.clone(),
            policies: Some(vec![NamedPolicy {
                name: "Mine".to_owned(),
                document: policy(
                    &json!([{"Effect": "Allow", "Action": "bedrock:*", "Resource": "arn:aws:bedrock:*:*:*",
                    "Condition": {"StringLike": {"aws:username": "stud*"}}}]),
                ),
            }]),
            ..Identity::default()
        }];
    });
    let (status, said, access) = ask(&emulator, &[], &json!({}));
    assert_eq!(status, 200, "{said}");
    let access = access.unwrap();
    assert_eq!(access.decision, Decision::Allow);
    assert!(
        access
            .asked
            .iter()
            .all(|e| e.statements.len() == 1 && e.statements[0].policy == "Mine")
    );
}
