use serde_json::json;

use super::{pattern::like, *};
use crate::identity::Principal;

const HAIKU: &str = "arn:aws:bedrock:us-east-1::foundation-model/vendor.small-v1:0";

fn decide(documents: &[Value], action: &str, resource: &str) -> Decision {
    let policies = Policies::parse(documents).unwrap();
    let student = Principal::new("arn:aws:iam::123456789012:user/student".to_owned(), "");
    let context = Context {
        principal: Some(&student),
        region: "us-east-1",
        resource,
        profile: Some("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x"),
        ..Context::default()
    };
    policies.decide(action, resource, &context)
}

fn statement(mut extra: Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"});
    for (key, value) in extra.as_object_mut().unwrap() {
        statement[key] = value.take();
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

#[test]
fn statements_decide() {
    use Decision::{Allow, ExplicitDeny, ImplicitDeny};
    let invoke = "bedrock:InvokeModel";
    let rows = [
        ("plain", statement(json!({})), Allow),
        (
            "action case",
            statement(json!({"Action": "Bedrock:invokemodel"})),
            Allow,
        ),
        (
            "action star",
            statement(json!({"Action": ["bedrock:Get*", "bedrock:Invoke*"]})),
            Allow,
        ),
        ("everything", statement(json!({"Action": "*"})), Allow),
        (
            "other action",
            statement(json!({"Action": "bedrock:InvokeModelWithResponseStream"})),
            ImplicitDeny,
        ),
        ("this model", statement(json!({"Resource": HAIKU})), Allow),
        (
            "any model",
            statement(json!({"Resource": "arn:aws:bedrock:*::foundation-model/*"})),
            Allow,
        ),
        (
            "question mark",
            statement(json!({"Resource": "arn:aws:bedrock:us-east-?::foundation-model/*"})),
            Allow,
        ),
        (
            "other model",
            statement(
                json!({"Resource": "arn:aws:bedrock:us-east-1::foundation-model/vendor.big*"}),
            ),
            ImplicitDeny,
        ),
        (
            "resource case",
            statement(json!({"Resource": HAIKU.to_uppercase().replace("ARN:", "arn:")})),
            ImplicitDeny,
        ),
        ("deny", statement(json!({"Effect": "Deny"})), ExplicitDeny),
        (
            "region",
            statement(
                json!({"Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}}),
            ),
            Allow,
        ),
        (
            "wrong region",
            statement(json!({"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}})),
            ImplicitDeny,
        ),
        (
            "region like",
            statement(json!({"Condition": {"StringLike": {"aws:requestedregion": "us-*"}}})),
            Allow,
        ),
        (
            "not region",
            statement(
                json!({"Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}),
            ),
            ImplicitDeny,
        ),
        (
            "profile",
            statement(
                json!({"Condition": {"ArnLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/us.*"}}}),
            ),
            Allow,
        ),
        (
            "tls",
            statement(json!({"Condition": {"Bool": {"aws:SecureTransport": true}}})),
            Allow,
        ),
        (
            "key present",
            statement(json!({"Condition": {"Null": {"bedrock:InferenceProfileArn": "false"}}})),
            Allow,
        ),
        (
            "key absent",
            statement(json!({"Condition": {"Null": {"bedrock:ServiceTier": "true"}}})),
            Allow,
        ),
        (
            "absent key",
            statement(json!({"Condition": {"StringEquals": {"bedrock:ServiceTier": "flex"}}})),
            ImplicitDeny,
        ),
        (
            "if exists",
            statement(
                json!({"Condition": {"StringEqualsIfExists": {"bedrock:ServiceTier": "flex"}}}),
            ),
            Allow,
        ),
    ];
    for (name, policy, wanted) in rows {
        assert_eq!(decide(&[policy], invoke, HAIKU), wanted, "{name}");
    }
}

#[test]
fn an_explicit_deny_wins_whatever_the_order() {
    let allow = statement(json!({}));
    let deny = statement(json!({"Effect": "Deny", "Resource": HAIKU}));
    for documents in [[allow.clone(), deny.clone()], [deny, allow]] {
        assert_eq!(
            decide(&documents, "bedrock:InvokeModel", HAIKU),
            Decision::ExplicitDeny
        );
    }
}

#[test]
fn the_not_elements_match_everything_else() {
    let policy = json!({"Statement": {"Effect": "Allow", "NotAction": "bedrock:Delete*", "NotResource": HAIKU}});
    let other = "arn:aws:bedrock:us-east-1::foundation-model/vendor.big";
    let documents = [policy];
    assert_eq!(
        decide(&documents, "bedrock:InvokeModel", other),
        Decision::Allow
    );
    assert_eq!(
        decide(&documents, "bedrock:InvokeModel", HAIKU),
        Decision::ImplicitDeny
    );
    assert_eq!(
        decide(&documents, "bedrock:DeleteX", other),
        Decision::ImplicitDeny
    );
}

#[test]
fn no_policy_allows_everything_and_an_empty_one_nothing() {
    assert_eq!(decide(&[], "bedrock:InvokeModel", HAIKU), Decision::Allow);
    let empty = json!({"Version": "2012-10-17", "Statement": []});
    assert_eq!(
        decide(&[empty], "bedrock:InvokeModel", HAIKU),
        Decision::ImplicitDeny
    );
}

#[test]
fn a_model_without_region_is_asked_for_in_the_region_unspecified() {
    let policy =
        statement(json!({"Condition": {"StringEquals": {"aws:RequestedRegion": "unspecified"}}}));
    let resource = "arn:aws:bedrock:::foundation-model/vendor.small-v1:0";
    assert_eq!(
        decide(&[policy], "bedrock:InvokeModel", resource),
        Decision::Allow
    );
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_place() {
    let rows = [
        (json!("x"), "the document"),
        (json!({}), "Statement"),
        (json!({"Statement": 1}), "Statement"),
        (json!({"Version": "2026-01-01", "Statement": []}), "Version"),
        (json!({"Statements": []}), "the document"),
        (statement(json!({"Effect": "allow"})), "Statement[0].Effect"),
        (
            statement(json!({"Action": "InvokeModel"})),
            "Statement[0].Action",
        ),
        (statement(json!({"Action": 5})), "Statement[0].Action"),
        (statement(json!({"Action": []})), "Statement[0].Action"),
        (
            statement(json!({"Resource": "vendor.small"})),
            "Statement[0].Resource",
        ),
        (statement(json!({"Principal": "*"})), "Statement[0]"),
        (statement(json!({"NotAction": "*"})), "Statement[0]"),
        (
            statement(json!({"Condition": {"StringEqual": {}}})),
            "Statement[0].Condition.StringEqual",
        ),
        (
            statement(json!({"Condition": {"StringEquals": {"aws:Moon": "full"}}})),
            "Statement[0].Condition.StringEquals",
        ),
        (
            statement(json!({"Condition": {"StringEquals": {"aws:RequestedRegion": {}}}})),
            "Statement[0].Condition.StringEquals.aws:RequestedRegion",
        ),
        (
            statement(json!({"Condition": []})),
            "Statement[0].Condition",
        ),
    ];
    for (document, at) in rows {
        let error = Policies::parse(&[json!({"Statement": []}), document.clone()]).unwrap_err();
        assert_eq!(
            (error.index, error.at.as_str()),
            (1, at),
            "{document}: {error}"
        );
    }
}

#[test]
fn stars_match_greedily_but_exactly() {
    let rows = [
        ("*", "", true),
        ("a*c", "abcbc", true),
        ("a*c", "abcb", false),
        ("a?c", "ac", false),
        ("*/us.*", "x/us.y", true),
        ("", "x", false),
        ("a**b", "ab", true),
    ];
    for (pattern, text, wanted) in rows {
        assert_eq!(like(pattern, text), wanted, "{pattern} {text}");
    }
}

/// Decisions that IAM's reference documents for condition operators, keys that are absent, sets and
/// variables.
#[test]
fn condition_operators_decide_as_documented() {
    let now = time::OffsetDateTime::from_unix_timestamp(1_787_150_074).unwrap();
    let student = Principal::new("arn:aws:iam::123456789012:user/team/ana".to_owned(), "");
    let extra: Vec<(String, String)> = [
        ("aws:TagKeys", "cost"),
        ("aws:TagKeys", "team"),
        ("aws:SourceIp", "192.0.2.77"),
        ("aws:MultiFactorAuthAge", "300"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    let resource = "arn:aws:bedrock:us-east-1:123456789012:guardrail/ana-1";
    let context = Context {
        principal: Some(&student),
        now: Some(now),
        region: "us-east-1",
        resource,
        extra: &extra,
        ..Context::default()
    };
    let rows = [
        (
            json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "301"}}),
            true,
        ),
        (
            json!({"NumericLessThan": {"aws:MultiFactorAuthAge": 300}}),
            false,
        ),
        (
            json!({"NumericLessThanEquals": {"aws:MultiFactorAuthAge": 300}}),
            true,
        ),
        (
            json!({"NumericNotEquals": {"aws:MultiFactorAuthAge": [1, 300]}}),
            false,
        ),
        (
            json!({"DateGreaterThan": {"aws:CurrentTime": "2026-08-19T14:34:33Z"}}),
            true,
        ),
        (
            json!({"DateLessThan": {"aws:CurrentTime": "2026-08-19T14:34:33Z"}}),
            false,
        ),
        (
            json!({"DateLessThan": {"aws:CurrentTime": "2026-08-20"}}),
            true,
        ),
        (
            json!({"DateGreaterThanEquals": {"aws:EpochTime": "1787150074"}}),
            true,
        ),
        (
            json!({"IpAddress": {"aws:SourceIp": "192.0.2.64/26"}}),
            true,
        ),
        (
            json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}),
            false,
        ),
        (
            json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
            false,
        ),
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), true),
        (
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/team/*"}}),
            true,
        ),
        (
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*user/team/ana:*:*:*"}}),
            false,
        ),
        (
            json!({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/team/*"}}),
            false,
        ),
        (
            json!({"StringEqualsIgnoreCase": {"aws:username": "ANA"}}),
            true,
        ),
        (
            json!({"StringNotEqualsIgnoreCase": {"aws:username": "ANA"}}),
            false,
        ),
        (json!({"StringEquals": {"aws:username": "an*"}}), false),
        (json!({"StringLike": {"aws:username": "a?a"}}), true),
        (
            json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team", "x"]}}),
            true,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "x"]}}),
            false,
        ),
        (
            json!({"ForAllValues:StringLike": {"aws:TagKeys": ["t*", "c*"]}}),
            true,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:RequestTag/x": "y"}}),
            true,
        ),
        (
            json!({"ForAnyValue:StringEquals": {"aws:RequestTag/x": "y"}}),
            false,
        ),
        (json!({"StringNotEquals": {"aws:RequestTag/x": "y"}}), true),
        (json!({"StringEquals": {"aws:RequestTag/x": "y"}}), false),
        (
            json!({"NumericLessThanIfExists": {"aws:RequestTag/x": "1"}}),
            true,
        ),
        (
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            false,
        ),
        (
            json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}),
            true,
        ),
        (
            json!({"Null": {"aws:MultiFactorAuthPresent": "true"}}),
            true,
        ),
        (json!({"Null": {"aws:TagKeys": false}}), true),
        (
            json!({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}),
            true,
        ),
        (
            json!({"StringLike": {"aws:username": "${aws:username}"}, "Bool": {"aws:SecureTransport": "false"}}),
            false,
        ),
    ];
    for (condition, wanted) in rows {
        let policies = Policies::parse(&[statement(json!({"Condition": condition}))]).unwrap();
        let decision = policies.decide("bedrock:InvokeModel", resource, &context);
        assert_eq!(decision == Decision::Allow, wanted, "{condition}");
    }
    let resources = [
        ("arn:aws:bedrock:*:*:guardrail/${aws:username}-*", true),
        (
            "arn:aws:bedrock:*:*:guardrail/${aws:PrincipalTag/team}-*",
            false,
        ),
        (
            "arn:aws:bedrock:*:*:guardrail/${aws:PrincipalTag/team, 'ana'}-*",
            true,
        ),
        ("arn:aws:bedrock:*:*:guardrail/ana${*}1", false),
        ("arn:aws:bedrock", true),
        ("arn:aws:iam", false),
    ];
    for (pattern, wanted) in resources {
        let policies = Policies::parse(&[statement(json!({"Resource": pattern}))]).unwrap();
        let decision = policies.decide("bedrock:InvokeModel", resource, &context);
        assert_eq!(decision == Decision::Allow, wanted, "{pattern}");
    }
}

#[test]
fn a_document_of_the_old_version_has_no_variables() {
    let old = json!({"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}});
    let literal = "arn:aws:s3:::${aws:username}";
    assert_eq!(
        decide(std::slice::from_ref(&old), "s3:GetObject", literal),
        Decision::Allow
    );
    assert_eq!(
        decide(&[old], "s3:GetObject", "arn:aws:s3:::student"),
        Decision::ImplicitDeny
    );
}

#[test]
fn values_that_cannot_be_compared_are_refused() {
    for condition in [
        json!({"NumericEquals": {"aws:MultiFactorAuthAge": "many"}}),
        json!({"DateLessThan": {"aws:CurrentTime": "tomorrow"}}),
        json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/33"}}),
        json!({"Bool": {"aws:SecureTransport": "yes"}}),
        json!({"NullIfExists": {"aws:SourceIp": "true"}}),
        json!({"ArnLike": {"aws:PrincipalArn": "ana"}}),
        json!({"ForSomeValues:StringEquals": {"aws:TagKeys": "x"}}),
        json!({"StringEquals": {"aws:username": "${aws:Moon}"}}),
        json!({"StringEquals": {"aws:username": "${aws:username"}}),
    ] {
        let document = statement(json!({"Condition": condition}));
        assert!(Policies::parse(&[document]).is_err(), "{condition}");
    }
}
