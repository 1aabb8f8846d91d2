//! `AssumeRoleWithWebIdentity`: a role for whom an identity provider vouches.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bedrock_emulator::{Emulator, Reply, Request, emulator::Auth, identity::Identity};
use serde_json::{Value, json};

use crate::bench::{now, text, with};

const ROLE: &str = "arn:aws:iam::123456789012:role/review";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

/// An emulator that checks signatures, with a role that trusts the pull requests of one repository.
fn emulator(condition: &Value) -> Emulator {
    let emulator = with(|config| config.auth = Auth::Strict);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }] });
    let identity = Identity {
        arn: ROLE.to_owned(),
        trust_policy: Some(trust),
        ..Identity::default()
    };
    emulator.set_identity(&identity).unwrap();
    emulator
}

fn pull_requests() -> Value {
    json!({ "StringEquals": {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:octo-org/octo-repo:pull_request",
    } })
}

fn claims() -> Value {
    json!({
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": "repo:octo-org/octo-repo:pull_request",
        "exp": now().unix_timestamp() + 300,
    })
}

fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    format!("{}.{}.c2lnbmF0dXJl", part(&header), part(claims))
}

fn assume(emulator: &Emulator, role: &str, token: &str) -> Reply {
    let role = role.replace(':', "%3A").replace('/', "%2F");
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: [("content-type", "application/x-www-form-urlencoded")].into(),
        body: format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}\
             &RoleSessionName=GitHubActions&DurationSeconds=900&WebIdentityToken={token}"
        )
        .into(),
        connection: 1,
    };
    emulator.handle(&request, now())
}

fn within<'t>(answer: &'t str, element: &str) -> &'t str {
    let start = answer.split(&format!("<{element}>")).nth(1);
    start.and_then(|rest| rest.split('<').next()).unwrap_or("")
}

#[test]
fn nobody_signs_and_the_provider_vouches() {
    let emulator = emulator(&pull_requests());
    let token = token(&claims());
    let reply = assume(&emulator, ROLE, &token);
    let answer = text(&reply);
    assert_eq!(reply.status, 200, "{answer}");
    for (element, value) in [
        (
            "Arn",
            "arn:aws:sts::123456789012:assumed-role/review/GitHubActions",
        ),
        ("Provider", PROVIDER),
        ("Audience", "sts.amazonaws.com"),
        (
            "SubjectFromWebIdentityToken",
            "repo:octo-org/octo-repo:pull_request",
        ),
        ("Expiration", "2026-08-19T14:49:34Z"),
    ] {
        assert_eq!(within(&answer, element), value, "{answer}");
    }
    assert!(within(&answer, "AccessKeyId").starts_with("ASIA"));

    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.identity, None);
    let lit: Vec<_> = entry.trace.iter().map(|lit| lit.node.as_str()).collect();
    assert_eq!(lit, ["CC", "STS"]);
    let body = entry.body.unwrap();
    assert_eq!(body["RoleArn"], ROLE);
    assert_eq!(body["WebIdentityToken"], "…");
    let all = serde_json::to_string(&emulator.journal()).unwrap();
    assert!(!all.contains(&token), "a token opens a role for minutes");
}

#[test]
fn the_trust_policy_decides_about_every_claim() {
    for (claim, value) in [
        ("sub", json!("repo:octo-org/other:pull_request")),
        ("sub", json!("repo:octo-org/octo-repo-2:pull_request")),
        ("sub", json!("repo:octo-org/octo-repo:ref:refs/heads/main")),
        ("aud", json!("https://github.com/octo-org")),
        ("iss", json!("https://gitlab.com")),
    ] {
        let emulator = emulator(&pull_requests());
        let mut claims = claims();
        claims[claim] = value;
        let reply = assume(&emulator, ROLE, &token(&claims));
        let answer = text(&reply);
        assert_eq!(reply.status, 403, "{claims} {answer}");
        assert_eq!(within(&answer, "Code"), "AccessDenied");
        assert_eq!(
            within(&answer, "Message"),
            "Not authorized to perform sts:AssumeRoleWithWebIdentity"
        );
    }
    let other = "arn:aws:iam::123456789012:role/other";
    let reply = assume(&emulator(&pull_requests()), other, &token(&claims()));
    assert_eq!(reply.status, 403);

    let mut several = claims();
    several["aud"] = json!(["https://github.com/octo-org", "sts.amazonaws.com"]);
    let anyone = json!({ "StringLike": {
        "token.actions.githubusercontent.com:sub": "repo:octo-org/*",
    } });
    let reply = assume(&emulator(&anyone), ROLE, &token(&several));
    assert_eq!(reply.status, 200, "{}", text(&reply));
}

#[test]
fn what_is_no_valid_token_is_refused() {
    let emulator = emulator(&pull_requests());
    let mut old = claims();
    old["exp"] = (now().unix_timestamp()).into();
    let reply = assume(&emulator, ROLE, &token(&old));
    assert_eq!(reply.status, 400);
    assert_eq!(within(&text(&reply), "Code"), "ExpiredTokenException");

    let without = |claim: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        token(&claims)
    };
    let signed = token(&claims());
    let (unsigned, _) = signed.rsplit_once('.').unwrap();
    for token in [
        "nonsense",
        "a.b.c",
        "....",
        unsigned,
        &format!("{unsigned}."),
        &format!("{signed}.more"),
        &without("iss"),
        &without("sub"),
        &without("aud"),
        &without("exp"),
    ] {
        let reply = assume(&emulator, ROLE, token);
        let answer = text(&reply);
        assert_eq!(reply.status, 400, "{token} {answer}");
        assert_eq!(within(&answer, "Code"), "InvalidIdentityToken", "{token}");
    }
    let missing = assume(&emulator, ROLE, "");
    assert_eq!(missing.status, 400);
    assert_eq!(within(&text(&missing), "Code"), "ValidationError");
}
