//! `AssumeRole` and `GetSessionToken`: who may, what they get, and what it may do.

use bedrock_emulator::{Emulator, Reply, Request, identity::Identity, policy::NamedPolicy};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{now, post, profile, text, with};

const ROLE: &str = "arn:aws:iam::123456789012:role/teams/Caller";
const STUDENT: &str = "arn:aws:iam::123456789012:user/student";

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Invoke", "Effect": "Allow", "Action": action, "Resource": "*"}
    ]})
}

fn trust(principal: &Value, condition: Option<Value>) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

/// An emulator with a role that may only invoke without streaming.
fn emulator(trust_policy: Value) -> Emulator {
    with(|c| {
        c.identities = vec![Identity {
            arn: ROLE.to_owned(),
            policies: Some(vec![NamedPolicy {
                name: "InvokeOnly".to_owned(),
                document: allow("bedrock:InvokeModel"),
            }]),
            trust_policy: Some(trust_policy),
            max_session_seconds: None,
        }];
    })
}

fn escape(text: &str) -> String {
    let escaped: Vec<String> = text.bytes().map(|b| format!("%{b:02X}")).collect();
    escaped.concat()
}

fn assume(emulator: &Emulator, role: &str, extra: &[(&str, &str)]) -> Reply {
    let mut body = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn={}",
        escape(role)
    );
    if !extra.iter().any(|(name, _)| *name == "RoleSessionName") {
        body += "&RoleSessionName=lesson";
    }
    for (name, value) in extra {
        body.extend(["&", name, "=", &escape(value)]);
    }
    form(emulator, &body, None)
}

fn form(emulator: &Emulator, body: &str, key: Option<&str>) -> Reply {
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: key.map(claim).into_iter().collect(),
        body: body.to_owned().into(),
        connection: 1,
    };
    emulator.handle(&request, now())
}

/// Without verification, whoever names a key is taken at their word.
fn claim(access_key_id: &str) -> (String, String) {
    let scope = format!("{access_key_id}/20260819/us-east-1/bedrock/aws4_request");
    let value = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    ("authorization".to_owned(), value)
}

fn element<'x>(xml: &'x str, name: &str) -> &'x str {
    let from = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name}: {xml}"));
    from.1.split_once('<').unwrap().0
}

fn converse(emulator: &Emulator, key: &str, action: &str) -> (u16, String) {
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let mut request = post(&profile(emulator, "haiku"), action, body.to_string());
    request.headers.push(claim(key));
    let reply = emulator.handle(&request, now());
    let said = if reply.status == 200 {
        String::new()
    } else {
        text(&reply)
    };
    (reply.status, said)
}

#[test]
fn a_trusted_user_becomes_the_role() {
    let emulator = emulator(trust(&json!({"AWS": STUDENT}), None));
    let reply = assume(&emulator, ROLE, &[]);
    let xml = text(&reply);
    assert_eq!(reply.status, 200, "{xml}");
    let arn = "arn:aws:sts::123456789012:assumed-role/Caller/lesson";
    assert_eq!(element(&xml, "Arn"), arn);
    assert!(element(&xml, "AssumedRoleId").starts_with("AROA"));
    assert!(element(&xml, "AssumedRoleId").ends_with(":lesson"));
    assert_eq!(element(&xml, "Expiration"), "2026-08-19T15:34:34Z");
    let key = element(&xml, "AccessKeyId");
    assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
    assert_eq!(element(&xml, "SecretAccessKey").len(), 40);
    let asked = form(
        &emulator,
        "Action=GetCallerIdentity&Version=2011-06-15",
        Some(key),
    );
    assert_eq!(element(&text(&asked), "Arn"), arn);
    assert_eq!(
        element(&text(&asked), "UserId"),
        element(&xml, "AssumedRoleId")
    );
    assert_eq!(converse(&emulator, key, "converse").0, 200);
    let (status, said) = converse(&emulator, key, "converse-stream");
    assert_eq!(status, 403);
    assert!(said.contains(&format!("User: {arn} is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: ")), "{said}");
    assert!(
        said.contains("because no identity-based policy allows"),
        "{said}"
    );
    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.identity.as_deref(), Some(arn));
    assert_eq!(
        entry.access.unwrap().asked[0].statements[0].statement,
        "Invoke"
    );
}

#[test]
fn a_session_policy_narrows_and_never_widens() {
    let emulator = emulator(trust(&json!({"AWS": STUDENT}), None));
    let key_with = |policy: &Value| {
        let reply = assume(&emulator, ROLE, &[("Policy", &policy.to_string())]);
        let xml = text(&reply);
        assert!(element(&xml, "PackedPolicySize").parse::<u32>().unwrap() > 0);
        element(&xml, "AccessKeyId").to_owned()
    };
    let counting = key_with(&allow("bedrock:CountTokens"));
    let (status, said) = converse(&emulator, &counting, "converse");
    assert_eq!(status, 403);
    assert!(
        said.contains("because no session policy allows the bedrock:InvokeModel action"),
        "{said}"
    );
    let all = key_with(&allow("bedrock:*"));
    assert_eq!(converse(&emulator, &all, "converse").0, 200);
    assert_eq!(converse(&emulator, &all, "converse-stream").0, 403);
    let deny = json!({"Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}]});
    let (_, said) = converse(&emulator, &key_with(&deny), "converse");
    assert!(
        said.contains("with an explicit deny in a session policy"),
        "{said}"
    );
}

/// What is trusted, the policy, what is sent besides, and whether that is enough.
type TrustRow = (
    &'static str,
    Value,
    &'static [(&'static str, &'static str)],
    bool,
);

#[test]
fn trust_decides_who_may_assume() {
    let root = "arn:aws:iam::123456789012:root";
    let somebody = "arn:aws:iam::123456789012:user/somebody";
    let external = json!({"StringEquals": {"sts:ExternalId": "course"}});
    let rows: [TrustRow; 8] = [
        ("the user", trust(&json!({"AWS": STUDENT}), None), &[], true),
        ("its account", trust(&json!({"AWS": root}), None), &[], true),
        (
            "the account's number",
            trust(&json!({"AWS": "123456789012"}), None),
            &[],
            true,
        ),
        ("anybody", trust(&json!("*"), None), &[], true),
        (
            "somebody else",
            trust(&json!({"AWS": [somebody]}), None),
            &[],
            false,
        ),
        (
            "a service",
            trust(&json!({"Service": "lambda.amazonaws.com"}), None),
            &[],
            false,
        ),
        (
            "no id",
            trust(&json!({"AWS": root}), Some(external.clone())),
            &[],
            false,
        ),
        (
            "the id",
            trust(&json!({"AWS": root}), Some(external)),
            &[("ExternalId", "course")],
            true,
        ),
    ];
    for (name, policy, extra, allowed) in rows {
        let emulator = emulator(policy);
        let reply = assume(&emulator, ROLE, extra);
        let xml = text(&reply);
        assert_eq!(
            reply.status,
            if allowed { 200 } else { 403 },
            "{name}: {xml}"
        );
        if !allowed {
            assert_eq!(element(&xml, "Code"), "AccessDenied");
            assert_eq!(
                element(&xml, "Message"),
                format!(
                    "User: {STUDENT} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
                )
            );
        }
    }
}

#[test]
fn a_user_of_a_trusted_account_needs_a_policy_of_its_own() {
    let root = json!({"AWS": "arn:aws:iam::123456789012:root"});
    let emulator = emulator(trust(&root, None));
    let user = |policies: &[Value]| Identity {
        arn: STUDENT.to_owned(),
        policies: Some(
            policies
                .iter()
                .map(|document| NamedPolicy {
                    name: "p".to_owned(),
                    document: document.clone(),
                })
                .collect(),
        ),
        ..Identity::default()
    };
    emulator.set_identity(&user(&[])).unwrap();
    let denied = text(&assume(&emulator, ROLE, &[]));
    assert!(
        element(&denied, "Message")
            .ends_with("because no identity-based policy allows the sts:AssumeRole action"),
        "{denied}"
    );
    emulator
        .set_identity(&user(&[allow("sts:AssumeRole")]))
        .unwrap();
    assert_eq!(assume(&emulator, ROLE, &[]).status, 200);
}

#[test]
fn parameters_are_checked_in_stss_words() {
    let emulator = emulator(trust(&json!("*"), None));
    let rows: [(&[(&str, &str)], &str); 6] = [
        (
            &[("RoleSessionName", "x")],
            "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        ),
        (
            &[("RoleSessionName", "a b")],
            "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        ),
        (
            &[("DurationSeconds", "60")],
            "1 validation error detected: Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
        (
            &[("DurationSeconds", "7200")],
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        (
            &[("RoleSessionName", "x"), ("DurationSeconds", "99999")],
            "2 validation errors detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; Value '99999' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
        ),
        (&[("Policy", "{")], "This policy contains invalid Json"),
    ];
    for (extra, message) in rows {
        let reply = assume(&emulator, ROLE, extra);
        assert_eq!(reply.status, 400);
        assert_eq!(element(&text(&reply), "Message"), message);
    }
    let nameless = form(&emulator, "Action=AssumeRole&Version=2011-06-15", None);
    assert!(text(&nameless).contains("2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"));
    let user = assume(&emulator, STUDENT, &[]);
    assert_eq!(element(&text(&user), "Code"), "ValidationError");
}

#[test]
fn a_role_that_is_not_there_reads_like_one_that_trusts_somebody_else() {
    let emulator = emulator(trust(&json!("*"), None));
    let nowhere = "arn:aws:iam::123456789012:role/Nowhere";
    let reply = assume(&emulator, nowhere, &[]);
    assert_eq!(reply.status, 403);
    assert!(text(&reply).contains(&format!("sts:AssumeRole on resource: {nowhere}<")));
}

#[test]
fn a_session_of_ones_own_has_ones_own_rights_and_cannot_begin_another() {
    let emulator = emulator(trust(&json!("*"), None));
    let ask = "Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900";
    let xml = text(&form(&emulator, ask, None));
    let key = element(&xml, "AccessKeyId");
    assert_eq!(element(&xml, "Expiration"), "2026-08-19T14:49:34Z");
    assert_eq!(converse(&emulator, key, "converse-stream").0, 200);
    let again = form(&emulator, ask, Some(key));
    assert_eq!(again.status, 403);
    assert_eq!(
        element(&text(&again), "Message"),
        "Cannot call GetSessionToken with session credentials"
    );
    assert!(
        emulator
            .journal()
            .iter()
            .all(|e| Duration::milliseconds(e.t).is_positive())
    );
}
